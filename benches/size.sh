# How large the library is. Sourced by run.sh.

prepare_size() {
    need strip binutils
    "$PYTHON" -m pip --version >/dev/null 2>&1 || stop_with "pip is missing for $PYTHON: install the package python3-pip"
}

# size_row NAME FILE
size_row() {
    awk -v name="$1" -v bytes="$(stat -L -c %s "$2")" 'BEGIN { printf "| %s | %.2f |\n", name, bytes / 1e6 }'
}

measure_size() {
    strip -o "$work/stripped" "$STAGE/lib/libdatafeed.so"
    show_progress "building the wheel"
    "$PYTHON" -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir "$work/wheels" ../bindings/python \
        >&2 || stop_with "the wheel could not be built"
    show_progress ''
    printf '| | MB |\n|---|---|\n'
    size_row "libdatafeed.so, as installed" "$STAGE/lib/libdatafeed.so"
    size_row "libdatafeed.so, stripped" "$work/stripped"
    size_row "libdatafeed.a, as installed" "$STAGE/lib/libdatafeed.a"
    size_row "the wheel for Python" "$(echo "$work"/wheels/*.whl)"
}
