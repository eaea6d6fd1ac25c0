"""Prints the tables of one part in Markdown: report.py PART RESULTS."""

import sys

from results import agent_busy, agent_cost, figure, group, rate, read_rows, table, total

PLACES = {"1": "one core", "2": "all cores"}
# Above this share of the time the agent may be what limits the throughput.
BUSY = 0.9


def unacknowledged(rows):
    """Ends with an error if a read did not acknowledge the batch before."""
    count = sum(int(row.get("unacknowledged", 0)) for row in rows)
    if count:
        sys.exit(f"{count} reads did not carry the ackId of the answer before: the figures are not comparable")


def spread(cell, measure):
    """The lowest and the highest, as text."""
    return "{}-{}".format(*map(figure, cell.spread(measure)))


def report_events(rows):
    """A table for each scheme, placement and size of batch."""
    unacknowledged(rows)
    cells = group(rows, "scheme", "cores", "batch", "consumer")
    head = [
        "",
        *("user", "system", "total", "lowest-highest", "x raw", "x libcurl-yyjson"),
        *("events/s", "switches", "peak MB", "agent", "agent busy"),
    ]
    busiest = []
    print("\nCPU microseconds for one event, medians of the rounds.")
    for scheme, cores, batch in dict.fromkeys(key[:3] for key in cells):
        here = {key[3]: cell for key, cell in cells.items() if key[:3] == (scheme, cores, batch)}
        lines = []
        for name, cell in here.items():
            busy = cell.middle(agent_busy)
            if busy > BUSY:
                busiest.append(f"{name} ({scheme}, {PLACES[cores]}, batches of {batch})")
            lines.append(
                [
                    name,
                    *(figure(cell.middle(measure)) for measure in ("user", "system", total)),
                    spread(cell, total),
                    figure(cell.ratio(here.get("raw"), total)),
                    figure(cell.ratio(here.get("libcurl-yyjson"), total)),
                    f"{cell.middle(rate):.0f}",
                    figure(cell.middle("switches")),
                    f"{cell.middle('peak') / 1024:.1f}",
                    figure(cell.middle(agent_cost)),
                    f"{100 * busy:.0f} %",
                ]
            )
        print(f"\n{scheme}, {PLACES[cores]}, batches of {batch}")
        print(table(head, lines), end="")
    if busiest:
        print(f"\nThe agent was busy for more than {100 * BUSY:.0f} % of the time beside: {', '.join(busiest)}.")
        print("Their events/s are rather its own than theirs.")
    else:
        print(f"\nThe agent was never busy for more than {100 * BUSY:.0f} % of the time.")


def report_latency(rows):
    """A table for each placement."""
    unacknowledged(rows)
    cells = group(rows, "cores", "consumer")
    print("\nMicroseconds from the emission to the bot, medians of the rounds.")
    for cores in dict.fromkeys(key[0] for key in cells):
        here = {key[1]: cell for key, cell in cells.items() if key[0] == cores}
        lines = [
            [
                name,
                *(figure(cell.middle("p50")), spread(cell, "p50"), figure(cell.middle("p99")), spread(cell, "p99")),
                figure(cell.ratio(here.get("raw"), lambda row: float(row["p50"]))),
                figure(cell.ratio(here.get("raw"), lambda row: float(row["p99"]))),
                figure(cell.middle(total)),
            ]
            for name, cell in here.items()
        ]
        print(f"\n{PLACES[cores]}")
        head = ["", "p50", "lowest-highest", "p99", "lowest-highest", "p50 x raw", "p99 x raw", "CPU/event"]
        print(table(head, lines), end="")


def report_start(rows):
    """Milliseconds to the first event."""
    cells = group(rows, "consumer")
    lines = [
        [
            name,
            *(figure(cell.middle("process")), spread(cell, "process")),
            *(figure(cell.middle("first")), spread(cell, "first")),
            str(len(cell.rounds)),
        ]
        for (name,), cell in cells.items()
    ]
    print("\nMilliseconds to the first event, medians: from the start of the process, and from that of its work.")
    print(table(["", "process", "lowest-highest", "work", "lowest-highest", "starts"], lines), end="")


def report_idle(rows):
    """What waiting costs in a minute."""
    lines = []
    for row in rows:
        minutes = float(row["seconds"]) / 60
        lines.append(
            [
                row["consumer"],
                row["scheme"],
                figure(float(row["busy"]) / 1e6 / minutes),
                figure(float(row["switches"]) / minutes),
                f"{int(row['resident']) / 1024:.1f}",
                f"{int(row['own']) / 1024:.1f}",
                row["threads"],
            ]
        )
    print("\nFor a minute, in which each long poll is held for 30 seconds.")
    print(table(["", "", "CPU ms", "wake-ups", "resident MB", "of it own", "threads"], lines), end="")


def report_backlog(rows):
    """Cost for one event by what waits."""
    unacknowledged(row for row in rows if row["consumer"] != "datafeed-held")
    cells = group(rows, "consumer", "backlog")
    backlogs = list(dict.fromkeys(key[1] for key in cells))
    costs, peaks = [], []
    for name in dict.fromkeys(key[0] for key in cells):
        here = [cells[name, backlog] for backlog in backlogs]
        costs.append([name, *(f"{figure(cell.middle(total))} ({spread(cell, total)})" for cell in here)])
        peaks.append([name, *(f"{cell.middle('peak') / 1024:.1f}" for cell in here)])
    print("\nCPU microseconds for one event, by the events that wait.")
    print(table(["", *backlogs], costs), end="")
    print("\nPeak memory, MB.")
    print(table(["", *backlogs], peaks), end="")


def further(cell, one, feeds, measure):
    """What each feed but the first adds, as text."""
    return figure((cell.middle(measure) - one.middle(measure)) / (feeds - 1)) if feeds > 1 else ""


def report_feeds(rows):
    """Cost for one event, and what a feed takes."""
    unacknowledged(rows)
    cells = group([row for row in rows if row["state"] == "busy"], "cores", "feeds", "consumer")
    lines = []
    for (cores, feeds, consumer), cell in cells.items():
        ratios = [
            figure(cell.ratio(cells.get(other), total))
            for other in ((cores, "1", consumer), (cores, feeds, "raw_feeds"))
        ]
        busy = f"{100 * cell.middle(agent_busy):.0f} %"
        resident = f"{cell.middle('resident') / 1024:.1f}"
        costs = [figure(cell.middle(total)), spread(cell, total), *ratios]
        name = consumer.replace("raw_feeds", "raw").replace("feeds", "datafeed")
        lines.append([PLACES[cores], feeds, name, *costs, f"{cell.middle(rate):.0f}", resident, busy])
    print("\nCPU microseconds for one event, medians of the rounds.")
    head = ["", "feeds", "", "total", "lowest-highest", "x one feed", "x raw", "events/s", "resident MB", "agent busy"]
    print(table(head, lines), end="")

    cells = group([row for row in rows if row["state"] == "resting"], "feeds")
    one = cells.get(("1",))
    lines = []
    for (feeds,), cell in cells.items():
        added = ["", ""] if one is None else [further(cell, one, int(feeds), name) for name in ("resident", "threads")]
        resident = f"{cell.middle('resident') / 1024:.1f}"
        lines.append([feeds, resident, added[0], f"{cell.middle('threads'):.0f}", added[1]])
    print("\nFeeds that have had one batch, and wait.")
    print(table(["feeds", "resident MB", "kB a further feed", "threads", "a further feed"], lines), end="")


def main(part, path):
    """Prints."""
    {
        "events": report_events,
        "latency": report_latency,
        "start": report_start,
        "idle": report_idle,
        "backlog": report_backlog,
        "feeds": report_feeds,
    }[part](read_rows(path))


if __name__ == "__main__":
    main(*sys.argv[1:])
