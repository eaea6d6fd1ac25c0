# What many feeds in one process cost. Sourced by run.sh.
#
# Settings, as environment variables:
#   FEED_COUNTS    feeds in one process ("1 10 100 1000")
#   FEED_EVENTS    events measured in a run, of all feeds together (200000), a multiple of 100

FEED_COUNTS=${FEED_COUNTS:-1 10 100 1000}
FEED_EVENTS=${FEED_EVENTS:-200000}

prepare_feeds() {
    need_consumers
    need_numbers FEED_EVENTS
    ((FEED_EVENTS % 100 == 0)) || stop_with "FEED_EVENTS must be a multiple of 100"
    # Each feed has several descriptors here, and one at the agent.
    ulimit -n "$(ulimit -Hn)"
}

# run_feeds CONSUMER COUNT ROUND CORES STATE WARM_UP EVENTS AGENT_OPTION...
run_feeds() {
    local name=$1 count=$2 round=$3 cores=$4 state=$5 warm_up=$6 events=$7
    local environment program numbers
    show_progress "feeds: round $((round + 1)) of $ROUNDS, cores $cores, $count feeds, $state: $name"
    start_agent http "$work/agent" --batch 100 --answers 1 "${@:8}"
    consumer_of datafeed http "$port"
    numbers=$(env "${environment[@]}" BENCH_WARM_UP="$warm_up" BENCH_EVENTS="$events" BENCH_BATCH=100 \
        ${pin[@]+"${pin[@]}"} "build/$name" "$count") || stop_with "$count feeds of $name failed"
    end_server
    write_row feeds "cores=$cores round=$round state=$state consumer=$name" "$numbers" "$(tail -n 1 "$work/agent")"
}

measure_feeds() {
    make_keys
    rm -f "$RESULTS/feeds"
    local round cores count name
    for ((round = 0; round < ROUNDS; round++)); do
        for cores in $(placements); do
            pin_to "$cores"
            for count in $FEED_COUNTS; do
                # By then every feed is long past its login.
                for name in raw_feeds feeds; do
                    run_feeds "$name" "$count" "$round" "$cores" busy $((count * 200 + 10000)) "$FEED_EVENTS"
                done
            done
        done
        # What feeds hold that have had one batch and wait for the next: a busy one remembers what it has had.
        for count in $FEED_COUNTS; do
            run_feeds feeds "$count" "$round" 2 resting 0 $((count * 100 - 1)) --events 100
        done
    done
    show_progress ''
    echo "Batches of 100, $FEED_EVENTS events of all feeds together, taken by one thread."
    report feeds
}
