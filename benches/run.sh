#!/usr/bin/env bash
# CPU time per event of this library beside a raw socket loop and libcurl. See README.md for what the columns mean.
#
# Settings, as environment variables:
#   ROUNDS           rounds of all consumers, of which medians are shown (5)
#   EVENTS_SINGLE    events measured in a run with batches of 1 (25000)
#   EVENTS_BATCHED   events measured in a run with batches of 100 (300000), a multiple of 100
#   STAGE            the installed tree with the library (target/stage, built if it is not there)

set -euo pipefail
if [[ -n ${STAGE:-} ]]; then
    STAGE=$(realpath -m "$STAGE")
fi
cd "$(dirname "$0")"

ROUNDS=${ROUNDS:-5}
EVENTS_SINGLE=${EVENTS_SINGLE:-25000}
EVENTS_BATCHED=${EVENTS_BATCHED:-300000}
STAGE=${STAGE:-../target/stage}
CONSUMERS=(raw libcurl datafeed)

stop_with() {
    echo "bench: $1" >&2
    exit 1
}

check_tools() {
    local tool compiler
    read -ra compiler <<<"${CC:-cc}"
    for tool in "${compiler[0]}:gcc" make:make openssl:openssl taskset:util-linux awk:mawk; do
        command -v "${tool%%:*}" >/dev/null || stop_with "${tool%%:*} is missing: install the package ${tool##*:}"
    done
    echo '#include <curl/curl.h>' | "${compiler[@]}" -E - >/dev/null 2>&1 ||
        stop_with "curl/curl.h is missing: install the package libcurl4-openssl-dev (Fedora: libcurl-devel)"
    local number
    for number in "$ROUNDS" "$EVENTS_SINGLE" "$EVENTS_BATCHED"; do
        [[ $number =~ ^[1-9][0-9]*$ ]] || stop_with "ROUNDS, EVENTS_SINGLE and EVENTS_BATCHED must be positive numbers"
    done
    ((EVENTS_BATCHED % 100 == 0)) || stop_with "EVENTS_BATCHED must be a multiple of 100"
}

build() {
    if [[ ! -e $STAGE/lib/libdatafeed.so ]]; then
        [[ $STAGE == ../target/stage ]] || stop_with "there is no lib/libdatafeed.so in $STAGE"
        make --no-print-directory -C .. stage
    fi
    make --no-print-directory --silent STAGE="$STAGE"
}

agent=
work=
clean_up() {
    if [[ -n $agent ]]; then
        kill "$agent" 2>/dev/null || true
    fi
    if [[ -n $work ]]; then
        rm -rf "$work"
    fi
}

# run CORES BATCH ROUND CONSUMER: one line of numbers in $work/results.
run() {
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
    agent=$!
    local port=
    until read -r port <"$work/agent" 2>/dev/null && [[ -n $port ]]; do
        kill -0 "$agent" 2>/dev/null || stop_with "the agent did not start"
        sleep 0.02
    done
    local key=()
    if [[ $consumer == datafeed ]]; then
        key=("$work/key.pem")
    fi
    local numbers
    numbers=$(${pin[@]+"${pin[@]}"} "build/$consumer" "$port" "$warm_up" "$events" ${key[@]+"${key[@]}"}) ||
        stop_with "the consumer $consumer failed"
    kill "$agent"
    wait "$agent" || true
    agent=
    echo "$cores $batch $round $consumer $numbers $(tail -n 1 "$work/agent")" >>"$work/results"
}

show_progress() {
    if [[ -t 2 ]]; then
        printf '\r%s\033[K' "$1" >&2
    fi
}

check_tools
build
trap clean_up EXIT
work=$(mktemp -d)
openssl genrsa -out "$work/key.pem" 2048 2>/dev/null || stop_with "openssl genrsa failed"

allowed=$(taskset -cp $$ | sed 's/.*: //')
first_core=${allowed%%[-,]*}
placements=(1)
if (($(nproc) > 1)); then
    placements+=(2)
fi

model=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
echo "$(uname -srm), $(nproc) cores, ${model:-unknown processor}, load $(cut -d ' ' -f 1 /proc/loadavg) at the start"
echo "Medians of $ROUNDS rounds; $EVENTS_SINGLE events a run in batches of 1, $EVENTS_BATCHED in batches of 100."

for cores in "${placements[@]}"; do
    for batch in 1 100; do
        for ((round = 0; round < ROUNDS; round++)); do
            # Each round begins with another one.
            for ((turn = 0; turn < ${#CONSUMERS[@]}; turn++)); do
                consumer=${CONSUMERS[(round + turn) % ${#CONSUMERS[@]}]}
                show_progress "cores $cores, batch $batch, round $((round + 1)) of $ROUNDS: $consumer"
                run "$cores" "$batch" "$round" "$consumer"
            done
        done
    done
done
show_progress ''
awk -f report.awk "$work/results"
