# How the cost of an event grows with the events that wait: with those that the service has, in answers of a hundred, and
# with those that the bot has taken and not acknowledged. Sourced by run.sh.
#
# Settings, as environment variables:
#   BACKLOGS            how many events wait ("1000 10000 100000 1000000")
#   BACKLOG_CONSUMERS   who works them off: datafeed-held acknowledges none of them

BACKLOGS=${BACKLOGS:-1000 10000 100000 1000000}
BACKLOG_CONSUMERS=${BACKLOG_CONSUMERS:-raw libcurl-yyjson datafeed datafeed-held}

prepare_backlog() {
    need_consumers
    local count
    for count in $BACKLOGS; do
        ((count % 100 == 0 && count >= 1000 && count <= 1000000)) ||
            stop_with "a backlog must be a multiple of 100 from 1000 to 1000000"
    done
}

# work_off COUNT ROUND CONSUMER: all events of the backlog but those of the first batch, in which everything is new.
work_off() {
    local count=$1 round=$2 name=$3
    local program environment numbers member=
    if [[ $name == datafeed-held ]]; then
        # All that is taken, the batch that comes after it, and the service's patience.
        member="\"maxUnacknowledged\":$((count < 1000000 ? count + 100 : count)),\"visibilityTimeout\":3600000"
    fi
    start_agent http "$work/agent" --batch 100
    consumer_of "$name" http "$port" "$member"
    if [[ $name == datafeed-held ]]; then
        environment+=(BENCH_HOLD=1)
    fi
    numbers=$(env "${environment[@]}" BENCH_WARM_UP=100 BENCH_EVENTS=$((count - 200)) BENCH_BATCH=100 \
        ${pin[@]+"${pin[@]}"} "${program[@]}") || stop_with "the consumer $name failed"
    end_server
    write_row backlog "backlog=$count round=$round consumer=$name" "$numbers" "$(tail -n 1 "$work/agent")"
}

measure_backlog() {
    make_keys
    rm -f "$RESULTS/backlog"
    local round count name
    pin_to 1
    for ((round = 0; round < ROUNDS; round++)); do
        for count in $BACKLOGS; do
            for name in $BACKLOG_CONSUMERS; do
                show_progress "backlog: round $((round + 1)) of $ROUNDS, $count events: $name"
                work_off "$count" "$round" "$name"
            done
        done
    done
    show_progress ''
    echo "Batches of 100, $(placement 1)."
    report backlog
}
