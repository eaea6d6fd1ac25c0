# What it costs to wait: CPU time, wake-ups and memory, while the agent holds each long poll for 30 seconds and no event
# comes. Sourced by run.sh.
#
# Settings, as environment variables:
#   IDLE_SECONDS     how long is looked at (60)
#   IDLE_CONSUMERS   who waits, each with its scheme

IDLE_SECONDS=${IDLE_SECONDS:-60}
IDLE_CONSUMERS=${IDLE_CONSUMERS:-http:raw https:raw http:libcurl-yyjson https:libcurl-yyjson http:datafeed https:datafeed
    http:go http:python http:python-requests https:python-requests http:python-sdk https:python-sdk http:java-sdk}

prepare_idle() {
    need_consumers
    need_numbers IDLE_SECONDS
}

# use_of PID: nanoseconds on a processor and voluntary context switches, of all threads.
use_of() {
    cat "/proc/$1"/task/*/schedstat "/proc/$1"/task/*/status |
        awk 'NF == 3 && $1 ~ /^[0-9]+$/ { busy += $1 } $1 == "voluntary_ctxt_switches:" { switches += $2 }
             END { printf "%.0f %d", busy, switches }'
}

# memory_of PID: kilobytes that are resident, and those of them that are the process's own; and its threads.
memory_of() {
    awk '$1 == "VmRSS:" { all = $2 } $1 == "RssAnon:" { own = $2 } $1 == "Threads:" { threads = $2 }
         END { printf "resident=%d own=%d threads=%d", all, own, threads }' "/proc/$1/status"
}

# They wait side by side, since hardly any of them does anything.
measure_idle() {
    make_keys
    rm -f "$RESULTS/idle"
    local item scheme name program environment index
    local names=() agents=() consumers=() busy=() switches=()
    pin_to 2
    for item in $IDLE_CONSUMERS; do
        scheme=${item%%:*} name=${item#*:} index=${#names[@]}
        start_agent "$scheme" "$work/agent-$index" --batch 1 --events 1 --hold 30
        consumer_of "$name" "$scheme" "$port"
        # It never gets so many.
        env "${environment[@]}" BENCH_WARM_UP=0 BENCH_EVENTS=1000 BENCH_BATCH=1 "${program[@]}" &
        names+=("$item") agents+=("$server") consumers+=("$!")
        servers+=("$server" "$!")
        server=
    done
    show_progress "idle: until everybody waits"
    sleep 15
    for index in "${!names[@]}"; do
        kill -0 "${consumers[index]}" 2>/dev/null || stop_with "the consumer ${names[index]} has ended"
        read -r "busy[index]" "switches[index]" <<<"$(use_of "${consumers[index]}")"
    done
    show_progress "idle: $IDLE_SECONDS seconds"
    sleep "$IDLE_SECONDS"
    local now_busy now_switches
    for index in "${!names[@]}"; do
        kill -0 "${consumers[index]}" 2>/dev/null || stop_with "the consumer ${names[index]} has ended"
        read -r now_busy now_switches <<<"$(use_of "${consumers[index]}")"
        write_row idle "scheme=${names[index]%%:*} consumer=${names[index]#*:} seconds=$IDLE_SECONDS" \
            "busy=$((now_busy - busy[index])) switches=$((now_switches - switches[index]))" \
            "$(memory_of "${consumers[index]}")"
    done
    for index in "${!names[@]}"; do
        kill "${consumers[index]}" 2>/dev/null || true
        wait "${consumers[index]}" 2>/dev/null || true
        end_server "${agents[index]}"
    done
    servers=()
    show_progress ''
    report idle
}
