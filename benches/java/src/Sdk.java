import com.symphony.bdk.core.SymphonyBdk;
import com.symphony.bdk.core.config.BdkConfigLoader;
import com.symphony.bdk.core.service.datafeed.RealTimeEventListener;
import com.symphony.bdk.gen.api.model.V4Initiator;
import com.symphony.bdk.gen.api.model.V4MessageSent;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.logging.LogManager;

/** The bot that uses the vendor's Java SDK: a listener, which is called with each message. */
public class Sdk {
  public static void main(String[] arguments) throws Exception {
    Measurement measurement = new Measurement();
    // What the SDK's own libraries would tell of is nothing that is wrong.
    LogManager.getLogManager().reset();
    byte[] config = System.getenv("BENCH_CONFIG").getBytes(StandardCharsets.UTF_8);
    SymphonyBdk bdk = new SymphonyBdk(BdkConfigLoader.loadFromInputStream(new ByteArrayInputStream(config)));
    bdk.datafeed().subscribe(new RealTimeEventListener() {
      @Override
      public void onMessageSent(V4Initiator initiator, V4MessageSent event) {
        // The digits of the event's id are in the message's, the other way round.
        String message = event.getMessage().getMessageId();
        String id = message.substring(12, 20) + message.substring(8, 12);
        if (!measurement.count(id, event.getMessage().getData())) {
          measurement.print();
          // Stopping would wait for the read that comes next.
          Runtime.getRuntime().halt(0);
        }
      }
    });
    bdk.datafeed().start();
    System.err.println("the datafeed has ended");
    System.exit(1);
  }
}
