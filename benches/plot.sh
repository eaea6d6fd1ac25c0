# Draws what the last run of `events` has found. Sourced by run.sh.
#
# Settings, as environment variables:
#   PLOT   the file (target/bench/performance.svg); for the documentation it is docs/performance.svg

PLOT=${PLOT:-$(realpath -m ../target/bench/performance.svg)}

prepare_plot() {
    need "$PYTHON" "python3, 3.9 or later"
}

measure_plot() {
    [[ -s $RESULTS/events ]] || stop_with "there is nothing to draw: run the part events first"
    "$PYTHON" plot.py "$RESULTS/events" "$PLOT"
    echo "Drawn: $PLOT"
}
