#!/usr/bin/env bash
# The benchmarks: what an event costs, how long it takes to stop, and how large the library is. See README.md for what the
# figures mean.
#
#   run.sh [events] [stop] [size]
#
# All run where none is named. Settings, as environment variables, besides those in events.sh and stop.sh:
#   STAGE      the installed tree with the library (target/stage, built if it is not there)
#   EMULATOR   the emulated Symphony (target/release/datafeed-emulator, likewise)
#   PYTHON     the interpreter that the wrapper for Python is measured with (python3)

set -euo pipefail
if [[ -n ${STAGE:-} ]]; then
    STAGE=$(realpath -m "$STAGE")
fi
if [[ -n ${EMULATOR:-} ]]; then
    EMULATOR=$(realpath -m "$EMULATOR")
fi
cd "$(dirname "$0")"

STAGE=${STAGE:-../target/stage}
EMULATOR=${EMULATOR:-../target/release/datafeed-emulator}
PYTHON=${PYTHON:-python3}
read -ra compiler <<<"${CC:-cc}"

stop_with() {
    echo "bench: $1" >&2
    exit 1
}

# need TOOL PACKAGE
need() {
    command -v "$1" >/dev/null || stop_with "$1 is missing: install the package $2"
}

# What runs the wrappers, all with the same shared library as the programs in C.
need_wrappers() {
    need "${CXX:-c++}" g++
    need "${GO:-go}" "golang, 1.24 or later"
    need "$PYTHON" "python3, 3.9 or later"
    need pkg-config pkgconf
    export PYTHONPATH=../bindings/python/src DATAFEED_LIBRARY=$STAGE/lib/libdatafeed.so
}

build() {
    if [[ ! -e $STAGE/lib/libdatafeed.so ]]; then
        [[ $STAGE == ../target/stage ]] || stop_with "there is no lib/libdatafeed.so in $STAGE"
        make --no-print-directory -C .. stage
    fi
    make --no-print-directory --silent STAGE="$STAGE" "$@"
}

# The agent or the emulator that runs, and a folder for what is needed on the way.
server=
work=
end_server() {
    if [[ -n $server ]]; then
        kill "$server" 2>/dev/null || true
        wait "$server" || true
    fi
    server=
}

clean_up() {
    end_server
    if [[ -n $work ]]; then
        rm -rf "$work"
    fi
}

show_progress() {
    if [[ -t 2 ]]; then
        printf '\r%s\033[K' "$1" >&2
    fi
}

source ./events.sh
source ./stop.sh
source ./size.sh

parts=("$@")
if (($# == 0)); then
    parts=(events stop size)
fi
need "${compiler[0]}" gcc
need make make
need awk mawk
for part in "${parts[@]}"; do
    [[ $part == events || $part == stop || $part == size ]] || stop_with "there is no part $part: events, stop and size"
    "prepare_$part"
done
build "${parts[@]}"
trap clean_up EXIT
work=$(mktemp -d)

model=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
for part in "${parts[@]}"; do
    load=$(cut -d ' ' -f 1 /proc/loadavg)
    echo "$(uname -srm), $(nproc) cores, ${model:-unknown processor}, load $load at the start"
    "measure_$part"
done
