import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;

/** What measure.h says, with the same settings and the same output. */
class Measurement {
  private static final Path SELF = Path.of("/proc/self");

  private final long started = System.nanoTime();
  private final int warmUp = number("WARM_UP");
  private final int events = number("EVENTS");
  private final int batch = number("BATCH");
  private final double[] latencies = setting("LATENCY").isEmpty() ? null : new double[events];
  private int received;
  private String last = "";
  private long first;
  private Snapshot begin;

  /** The use of the process so far: all threads that are there. */
  private record Snapshot(long wall, double busy, double user, double system, long switches) {
    static Snapshot take() {
      double busy = 0;
      long switches = 0;
      try (DirectoryStream<Path> threads = Files.newDirectoryStream(SELF.resolve("task"))) {
        for (Path thread : threads) {
          try {
            busy += Long.parseLong(Files.readString(thread.resolve("schedstat")).split(" ")[0]) / 1e3;
            String status = Files.readString(thread.resolve("status"));
            switches += line(status, "voluntary_ctxt_switches:") + line(status, "nonvoluntary_ctxt_switches:");
          } catch (NoSuchFileException gone) {
            // A thread that has ended meanwhile.
          }
        }
        String[] stat = Files.readString(SELF.resolve("stat")).split("\\) ")[1].split(" ");
        return new Snapshot(System.nanoTime(), busy, Long.parseLong(stat[11]), Long.parseLong(stat[12]), switches);
      } catch (IOException error) {
        throw new UncheckedIOException(error);
      }
    }
  }

  private static long line(String status, String name) {
    int at = status.indexOf("\n" + name) + 1 + name.length();
    return Long.parseLong(status.substring(at, status.indexOf('\n', at)).trim().split(" ")[0]);
  }

  private static String setting(String name) {
    String value = System.getenv("BENCH_" + name);
    return value == null ? "" : value;
  }

  private static int number(String name) {
    return Integer.parseInt(setting(name));
  }

  private static void fail(String what) {
    System.err.println(what);
    Runtime.getRuntime().halt(1);
  }

  /** Counts one event by the digits of its id; answers whether more are wanted. */
  boolean count(String id, String data) {
    int number = received++;
    if (latencies != null && number >= warmUp && number < warmUp + events) {
      int at = data.indexOf('0', data.indexOf("desk.clock"));
      latencies[number - warmUp] = (System.nanoTime() - Long.parseLong(data.substring(at, at + 20))) / 1e3;
    }
    if (id.compareTo(last) <= 0) {
      fail("the event " + id + " came after " + last);
    }
    last = id;
    if (number == 0) {
      first = System.nanoTime();
    }
    boolean ends = number == warmUp + events;
    if (number == warmUp || ends) {
      String due = String.format("%08x%04d", number / batch + 1, number % batch);
      if (!due.equals(id)) {
        fail("the event " + id + " came where " + due + " was due");
      }
    }
    if (number == warmUp) {
      begin = Snapshot.take();
    }
    return !ends;
  }

  /** One line of names and numbers. The kernel counts user and system time in ticks, so these only divide the total. */
  void print() {
    Snapshot end = Snapshot.take();
    double total = (end.busy - begin.busy) / events;
    double ticks = Math.max(1, end.user - begin.user + end.system - begin.system);
    double system = total * (end.system - begin.system) / ticks;
    StringBuilder line = new StringBuilder(String.format(Locale.ROOT,
        "events=%d bytes=0 seconds=%.6f user=%.4f system=%.4f switches=%.4f first=%.3f peak=%d", events,
        (end.wall - begin.wall) / 1e9, total - system, system, (double) (end.switches - begin.switches) / events,
        (first - started) / 1e6, peak()));
    if (!setting("STARTED").isEmpty()) {
      line.append(String.format(Locale.ROOT, " process=%.3f", first / 1e6 - Double.parseDouble(setting("STARTED")) / 1e3));
    }
    if (latencies != null) {
      Arrays.sort(latencies);
      line.append(String.format(Locale.ROOT, " p50=%.1f p99=%.1f max=%.1f", latencies[(events * 50 + 99) / 100 - 1],
          latencies[(events * 99 + 99) / 100 - 1], latencies[events - 1]));
    }
    System.out.println(line);
    System.out.flush();
  }

  private static long peak() {
    try {
      return line(Files.readString(SELF.resolve("status")), "VmHWM:");
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }
}
