# The table, from one line a run:
#   1 cores, 2 batch, 3 round, 4 consumer,
#   5 events, 6 bytes per event, 7 seconds, 8 user and 9 system us per event, 10 switches per event, 11 ms to the first,
#   12 reads answered, 13 of them without the right ackId, 14 user and 15 system us of the agent.

function median(values, count,    i, j, value) {
    for (i = 2; i <= count; i++) {
        value = values[i]
        for (j = i - 1; j >= 1 && values[j] > value; j--)
            values[j + 1] = values[j]
        values[j + 1] = value
    }
    return count % 2 ? values[(count + 1) / 2] : (values[count / 2] + values[count / 2 + 1]) / 2
}

# The median of one measure over the rounds; leaves `lowest` and `highest`.
function middle(measure, table, consumer,    round, values, count, result) {
    for (round = 0; round < rounds; round++)
        values[++count] = data[measure, table, consumer, round]
    result = median(values, count)
    lowest = values[1]
    highest = values[count]
    return result
}

# The median of what a consumer costs more than another within each round.
function added(table, consumer, other,    round, values, count) {
    for (round = 0; round < rounds; round++)
        values[++count] = data["total", table, consumer, round] - data["total", table, other, round]
    return median(values, count)
}

# The median of the ratios within each round.
function ratio(table, consumer, other,    round, values, count) {
    for (round = 0; round < rounds; round++)
        values[++count] = data["total", table, consumer, round] / data["total", table, other, round]
    return median(values, count)
}

{
    table = $1 " " $2
    if (!(table in known)) {
        known[table] = 1
        tables[++table_count] = table
    }
    if ($3 + 1 > rounds)
        rounds = $3 + 1
    data["user", table, $4, $3] = $8
    data["system", table, $4, $3] = $9
    data["total", table, $4, $3] = $8 + $9
    data["rate", table, $4, $3] = $5 / $7
    data["switches", table, $4, $3] = $10
    data["first", table, $4, $3] = $11
    agent = ($14 + $15) / ($12 * $2)
    data["agent", table, $4, $3] = agent
    data["busy", table, $4, $3] = 100 * agent * $5 / ($7 * 1e6)
    # A feed's first read has nothing to acknowledge.
    unacknowledged += $13 - 1
    bytes[table] = $6
}

END {
    consumer_count = split("raw libcurl datafeed stored cpp go python python-data", consumers, " ")
    for (t = 1; t <= table_count; t++) {
        table = tables[t]
        split(table, part, " ")
        printf "\n%s, batches of %d, %.1f kB an event\n", \
            part[1] == 1 ? "Agent and consumer on one core" : "Agent and consumer on all cores", part[2], \
            bytes[table] / 1000
        printf "%-11s %8s %8s %8s  %-15s %6s %8s %10s %9s %9s %8s %9s %6s\n", "", "user", "system", "total", \
            "  (spread)", "x raw", "x libcurl", "+ datafeed", "events/s", "switches", "first", "agent", "agent"
        printf "%-11s %8s %8s %8s  %-15s %6s %8s %10s %9s %9s %8s %9s %6s\n", "", "us/event", "us/event", "us/event", \
            "", "", "", "us/event", "", "per event", "ms", "us/event", "busy"
        for (c = 1; c <= consumer_count; c++) {
            consumer = consumers[c]
            total = middle("total", table, consumer)
            spread = sprintf("(%.2f-%.2f)", lowest, highest)
            printf "%-11s %8.2f %8.2f %8.2f  %-15s %6.2f %9.2f %10s %9.0f %9.3f %8.1f %9.2f %5.0f%%\n", consumer, \
                middle("user", table, consumer), middle("system", table, consumer), total, spread, \
                ratio(table, consumer, "raw"), ratio(table, consumer, "libcurl"), \
                (c > 3 ? sprintf("%+.2f", added(table, consumer, "datafeed")) : ""), middle("rate", table, consumer), \
                middle("switches", table, consumer), middle("first", table, consumer), \
                middle("agent", table, consumer), middle("busy", table, consumer)
        }
    }
    if (unacknowledged > 0) {
        printf "\n%d reads did not carry the ackId of the answer before: the figures are not comparable.\n", unacknowledged
        exit 1
    }
}
