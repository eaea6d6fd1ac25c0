# How long close and interrupt take, whatever the poller is doing. Sourced by run.sh.
#
# Settings, as environment variables:
#   SAMPLES   feeds that are stopped in each phase by each call (100)

SAMPLES=${SAMPLES:-100}
PHASES=(lookup connect handshake proxy read acknowledged body back-off full acknowledgement)
ROW='| %s, %s | %s | %s | %s | %s | %s | %s |\n'

prepare_stop() {
    need_wrappers
    [[ $SAMPLES =~ ^[1-9][0-9]*$ ]] || stop_with "SAMPLES must be a positive number"
    if [[ ! -e $EMULATOR ]]; then
        [[ $EMULATOR == ../target/* ]] || stop_with "there is no $EMULATOR"
        make --no-print-directory -C .. emulator
    fi
}

# The port that the emulator tells on stderr.
control_port() {
    sed -n 's|.* controlled at http://127.0.0.1:\([0-9]*\)/.*|\1|p' "$work/emulator"
}

# stop_row NAME SCHEME PROGRAM...: a line of the table. Each has an emulator of its own, whose log of requests stays short.
stop_row() {
    local name=$1 scheme=$2
    local program=("${@:3}")
    show_progress "stopping: $name, $scheme"
    local tls=()
    if [[ $scheme == https ]]; then
        tls=(--tls)
    fi
    : >"$work/emulator"
    "$EMULATOR" --port 0 ${tls[@]+"${tls[@]}"} >"$work/config" 2>"$work/emulator" &
    server=$!
    until [[ -n $(control_port) ]]; do
        kill -0 "$server" 2>/dev/null || stop_with "the emulator did not start: $(<"$work/emulator")"
        sleep 0.02
    done
    local numbers
    numbers=$("${program[@]}" "$SAMPLES" "$(<"$work/config")" "$(control_port)") ||
        stop_with "the feeds could not be stopped: $name, $scheme"
    end_server
    show_progress ''
    # Six words of it.
    # shellcheck disable=SC2086
    printf "$ROW" "$name" "$scheme" $numbers
}

# stop_head FIRST SECOND: the head of a table, with what the two calls are.
stop_head() {
    printf '\n| | %s p50 | p99 | max | %s p50 | p99 | max |\n|---|---|---|---|---|---|---|\n' "$1" "$2"
}

measure_stop() {
    echo "Microseconds until the call has ended, for $SAMPLES feeds in each phase and for each call."
    stop_head close interrupt
    local phase scheme
    for phase in "${PHASES[@]}"; do
        for scheme in http https; do
            # Without TLS there is no handshake.
            if [[ $phase != handshake || $scheme == https ]]; then
                stop_row "$phase" "$scheme" build/stop "$phase"
            fi
        done
    done
    stop_head Close "end of the context"
    for scheme in http https; do
        stop_row "Go, read" "$scheme" build/go-stop
    done
    printf '\nCtrl-C in Python, until the exception: '
    DATAFEED_EMULATOR=$EMULATOR "$PYTHON" python_stop.py "$SAMPLES" || stop_with "Python could not be stopped"
}
