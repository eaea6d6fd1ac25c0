# What an event costs: CPU time, memory and throughput, beside the limit and what else people would use. Sourced by run.sh.
#
# Settings, as environment variables:
#   BATCHES             events in one answer ("1 10 100 500")
#   CONSUMERS           who receives in plain HTTP; raw-yyjson and go-data are there besides
#   TLS_CONSUMERS       who receives over TLS, too (those in C; nobody if it is empty)
#   SLOW_CORES          the placements of the consumers that are slow (1)
#   EVENTS_1, EVENTS_10, EVENTS_100, EVENTS_500
#                       events measured in a run with batches of that size, a multiple of it
#   SLOW_PART           Python's requests and SDK get so many times fewer events (20)
#   JAVA_PART           and Java's SDK so many times fewer (5), since it needs many to become as fast as it gets

BATCHES=${BATCHES:-1 10 100 500}
CONSUMERS=${CONSUMERS:-raw handover handover-yyjson libcurl libcurl-yyjson datafeed datafeed-yyjson stored cpp go python
    python-data python-requests python-sdk java-sdk}
TLS_CONSUMERS=${TLS_CONSUMERS-raw libcurl libcurl-yyjson datafeed datafeed-yyjson}
SLOW_CORES=${SLOW_CORES:-1}
SLOW_PART=${SLOW_PART:-20}
JAVA_PART=${JAVA_PART:-5}
EVENTS_1=${EVENTS_1:-15000}
EVENTS_10=${EVENTS_10:-60000}
EVENTS_100=${EVENTS_100:-150000}
EVENTS_500=${EVENTS_500:-150000}

prepare_events() {
    need_consumers
    need_numbers SLOW_PART JAVA_PART
    local batch name
    for batch in $BATCHES; do
        name=EVENTS_$batch
        [[ -n ${!name:-} ]] || stop_with "with batches of $batch, $name must be set"
        need_numbers "$name"
        ((${!name} % batch == 0)) || stop_with "$name must be a multiple of $batch"
    done
}

is_slow() {
    [[ $1 == python-requests || $1 == python-sdk || $1 == java-sdk ]]
}

# event_count CONSUMER BATCH: in whole batches.
event_count() {
    local name=EVENTS_$2
    local count=${!name}
    if [[ $1 == java-sdk ]]; then
        count=$((count / JAVA_PART))
    elif is_slow "$1"; then
        count=$((count / SLOW_PART))
    fi
    echo $(((count + $2 - 1) / $2 * $2))
}

# consume SCHEME CORES BATCH ROUND CONSUMER: one line of results.
consume() {
    local scheme=$1 cores=$2 batch=$3 round=$4 name=$5
    local events warm_up program environment numbers
    events=$(event_count "$name" "$batch")
    # A tenth, in whole batches.
    warm_up=$((events / 10 / batch * batch + batch))
    # Its machine compiles what it has run for a while.
    if [[ $name == java-sdk ]]; then
        warm_up=$events
    fi
    pin_to "$cores"
    start_agent "$scheme" "$work/agent" --batch "$batch"
    consumer_of "$name" "$scheme" "$port"
    numbers=$(env "${environment[@]}" BENCH_WARM_UP="$warm_up" BENCH_EVENTS="$events" BENCH_BATCH="$batch" \
        ${pin[@]+"${pin[@]}"} "${program[@]}") || stop_with "the consumer $name failed"
    end_server
    write_row events "scheme=$scheme cores=$cores batch=$batch round=$round consumer=$name" "$numbers" \
        "$(tail -n 1 "$work/agent")"
}

# Who takes part, on these cores: sets `taking_part`.
consumers_of() {
    local scheme=$1 cores=$2 name
    local list=$CONSUMERS
    if [[ $scheme == https ]]; then
        list=$TLS_CONSUMERS
    fi
    taking_part=()
    for name in $list; do
        if ! is_slow "$name" || [[ " $SLOW_CORES " == *" $cores "* ]]; then
            taking_part+=("$name")
        fi
    done
}

measure_events() {
    make_keys
    rm -f "$RESULTS/events"
    local round scheme cores batch turn name taking_part
    for ((round = 0; round < ROUNDS; round++)); do
        for scheme in http https; do
            for cores in $(placements); do
                consumers_of "$scheme" "$cores"
                for batch in $BATCHES; do
                    # Each round begins with another one.
                    for ((turn = 0; turn < ${#taking_part[@]}; turn++)); do
                        name=${taking_part[(round + turn) % ${#taking_part[@]}]}
                        show_progress "round $((round + 1)) of $ROUNDS, $scheme, cores $cores, batch $batch: $name"
                        consume "$scheme" "$cores" "$batch" "$round" "$name"
                    done
                done
            done
        done
    done
    show_progress ''
    report events
}
