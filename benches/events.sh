# CPU time per event of this library, in C and by its wrappers, beside a raw socket loop and libcurl. Sourced by run.sh.
#
# Settings, as environment variables:
#   ROUNDS           rounds of all consumers, of which medians are shown (5)
#   EVENTS_SINGLE    events measured in a run with batches of 1 (25000)
#   EVENTS_BATCHED   events measured in a run with batches of 100 (300000), a multiple of 100

ROUNDS=${ROUNDS:-5}
EVENTS_SINGLE=${EVENTS_SINGLE:-25000}
EVENTS_BATCHED=${EVENTS_BATCHED:-300000}
CONSUMERS=(raw libcurl datafeed cpp go python python-data)

prepare_events() {
    need openssl openssl
    need taskset util-linux
    need_wrappers
    echo '#include <curl/curl.h>' | "${compiler[@]}" -E - >/dev/null 2>&1 ||
        stop_with "curl/curl.h is missing: install the package libcurl4-openssl-dev (Fedora: libcurl-devel)"
    local number
    for number in "$ROUNDS" "$EVENTS_SINGLE" "$EVENTS_BATCHED"; do
        [[ $number =~ ^[1-9][0-9]*$ ]] || stop_with "ROUNDS, EVENTS_SINGLE and EVENTS_BATCHED must be positive numbers"
    done
    ((EVENTS_BATCHED % 100 == 0)) || stop_with "EVENTS_BATCHED must be a multiple of 100"
}

# program_of CONSUMER: sets `program` to what runs it, and `key` to what it needs to log in.
program_of() {
    program=("build/$1")
    key=("$work/key.pem")
    case $1 in
        raw | libcurl) key=() ;;
        python) program=("$PYTHON" datafeed.py raw) ;;
        python-data) program=("$PYTHON" datafeed.py data) ;;
    esac
}

# consume CORES BATCH ROUND CONSUMER: one line of numbers in $work/results.
consume() {
    local cores=$1 batch=$2 round=$3 consumer=$4
    local events=$EVENTS_SINGLE
    if ((batch > 1)); then
        events=$EVENTS_BATCHED
    fi
    # A tenth, in whole batches.
    local warm_up=$((events / 10 / batch * batch + batch))
    local pin=()
    if ((cores == 1)); then
        pin=(taskset -c "$first_core")
    fi
    : >"$work/agent"
    ${pin[@]+"${pin[@]}"} build/agent "$batch" >"$work/agent" &
    server=$!
    local port=
    until read -r port <"$work/agent" 2>/dev/null && [[ -n $port ]]; do
        kill -0 "$server" 2>/dev/null || stop_with "the agent did not start"
        sleep 0.02
    done
    local program key numbers
    program_of "$consumer"
    numbers=$(${pin[@]+"${pin[@]}"} "${program[@]}" "$port" "$warm_up" "$events" ${key[@]+"${key[@]}"}) ||
        stop_with "the consumer $consumer failed"
    end_server
    echo "$cores $batch $round $consumer $numbers $(tail -n 1 "$work/agent")" >>"$work/results"
}

measure_events() {
    openssl genrsa -out "$work/key.pem" 2048 2>/dev/null || stop_with "openssl genrsa failed"

    local allowed
    allowed=$(taskset -cp $$ | sed 's/.*: //')
    first_core=${allowed%%[-,]*}
    local placements=(1)
    if (($(nproc) > 1)); then
        placements+=(2)
    fi
    echo "Medians of $ROUNDS rounds; $EVENTS_SINGLE events a run in batches of 1, $EVENTS_BATCHED in batches of 100."

    local cores batch round turn consumer
    for cores in "${placements[@]}"; do
        for batch in 1 100; do
            for ((round = 0; round < ROUNDS; round++)); do
                # Each round begins with another one.
                for ((turn = 0; turn < ${#CONSUMERS[@]}; turn++)); do
                    consumer=${CONSUMERS[(round + turn) % ${#CONSUMERS[@]}]}
                    show_progress "cores $cores, batch $batch, round $((round + 1)) of $ROUNDS: $consumer"
                    consume "$cores" "$batch" "$round" "$consumer"
                done
            done
        done
    done
    show_progress ''
    awk -f report.awk "$work/results"
}
