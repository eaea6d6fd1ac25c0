# How long an event takes from the agent to the bot, where events come one by one. Sourced by run.sh.
#
# Settings, as environment variables:
#   RATE                events a second (200)
#   LATENCY_EVENTS      events measured in a run (600)
#   LATENCY_WARM_UP     events before that (100), for what is slow only once; java-sdk needs some thousands
#   LATENCY_CONSUMERS   who receives them

RATE=${RATE:-200}
LATENCY_EVENTS=${LATENCY_EVENTS:-600}
LATENCY_WARM_UP=${LATENCY_WARM_UP:-100}
LATENCY_CONSUMERS=${LATENCY_CONSUMERS:-raw handover libcurl-yyjson datafeed datafeed-yyjson python-requests python-sdk}

prepare_latency() {
    need_consumers
    need_numbers RATE LATENCY_EVENTS LATENCY_WARM_UP
}

measure_latency() {
    make_keys
    rm -f "$RESULTS/latency"
    local round cores turn name program environment numbers
    local list
    read -ra list <<<"$LATENCY_CONSUMERS"
    for ((round = 0; round < ROUNDS; round++)); do
        for cores in $(placements); do
            pin_to "$cores"
            for ((turn = 0; turn < ${#list[@]}; turn++)); do
                name=${list[(round + turn) % ${#list[@]}]}
                show_progress "latency: round $((round + 1)) of $ROUNDS, cores $cores: $name"
                start_agent http "$work/agent" --batch 1 --rate "$RATE"
                consumer_of "$name" http "$port"
                numbers=$(env "${environment[@]}" BENCH_WARM_UP="$LATENCY_WARM_UP" BENCH_EVENTS="$LATENCY_EVENTS" \
                    BENCH_BATCH=1 BENCH_LATENCY=1 ${pin[@]+"${pin[@]}"} "${program[@]}") || stop_with "the consumer $name failed"
                end_server
                write_row latency "cores=$cores round=$round consumer=$name" "$numbers" "$(tail -n 1 "$work/agent")"
            done
        done
    done
    show_progress ''
    echo "$RATE events a second, $LATENCY_EVENTS of them in a run."
    report latency
}
