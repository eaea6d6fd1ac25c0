#!/usr/bin/env bash
# The benchmarks. See README.md for what is measured, and what the figures mean.
#
#   run.sh [events] [latency] [stop] [start] [idle] [size] [backlog] [feeds] [plot]
#
# All run where none is named. It prints tables in Markdown. Settings, as environment variables, besides those in the head
# of each part's script:
#   STAGE      the installed tree with the library (target/stage, built if it is not there)
#   EMULATOR   the emulated Symphony (target/release/datafeed-emulator, likewise)
#   PYTHON     the interpreter that the wrapper for Python is measured with (python3)
#   RESULTS    the folder for the figures that the tables and the plot are made of (target/bench/results)
#   ROUNDS     rounds of all consumers, of which medians are shown (3)
#   CORES      where agent and consumer run: 1 is on one core, 2 on all ("1 2")
#   KEY_BITS   the size of the bot's RSA key (2048)

set -euo pipefail
for setting in STAGE EMULATOR RESULTS PLOT; do
    if [[ -n ${!setting:-} ]]; then
        declare "$setting=$(realpath -m "${!setting}")"
    fi
done
cd "$(dirname "$0")"

STAGE=${STAGE:-$(realpath -m ../target/stage)}
EMULATOR=${EMULATOR:-../target/release/datafeed-emulator}
PYTHON=${PYTHON:-python3}
RESULTS=${RESULTS:-../target/bench/results}
ROUNDS=${ROUNDS:-3}
CORES=${CORES:-1 2}
KEY_BITS=${KEY_BITS:-2048}
PARTS=(events latency stop start idle size backlog feeds plot)
read -ra compiler <<<"${CC:-cc}"

source ./common.sh
source ./fetch.sh
for part in "${PARTS[@]}"; do
    # shellcheck source=/dev/null
    source "./$part.sh"
done

parts=("$@")
if (($# == 0)); then
    parts=("${PARTS[@]}")
fi
need "${compiler[0]}" gcc
need make make
need_numbers ROUNDS KEY_BITS
for part in "${parts[@]}"; do
    [[ " ${PARTS[*]} " == *" $part "* ]] || stop_with "there is no part $part; there are: ${PARTS[*]}"
    "prepare_$part"
done
targets=()
for part in "${parts[@]}"; do
    case $part in
        plot) ;;
        size) targets+=(size) ;;
        stop) targets+=(stop) ;;
        *) targets+=(consumers) ;;
    esac
done
if ((${#targets[@]} > 0)); then
    build "${targets[@]}"
fi
trap clean_up EXIT
work=$(mktemp -d)

model=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
echo "$(uname -srm), $(nproc) cores, ${model:-unknown processor}"
for part in "${parts[@]}"; do
    printf '\n## %s\n\nLoad %s at the start.\n\n' "$part" "$(cut -d ' ' -f 1 /proc/loadavg)"
    "measure_$part"
done
