#!/usr/bin/env bash
# Runs every test and ends by saying how many ran in each suite. Usage: test.sh STAGE STAGE-WITH-ASAN EMULATOR

set -uo pipefail
stage=$(realpath "$1")
stage_asan=$(realpath "$2")
emulator=$(realpath "$3")
logs=target/test-logs
mkdir -p "$logs"

names=()
passes=()
failures=()

# suite NAME COUNT-FUNCTION COMMAND...: runs it, shows its output, and counts. COUNT-FUNCTION reads the output and prints
# the numbers of passed and failed tests.
suite() {
    local name=$1 count=$2 log status passed failed
    shift 2
    log="$logs/${name// /-}.log"
    echo
    echo "== $name"
    "$@" 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
    read -r passed failed < <("$count" "$log")
    if ((status != 0 && failed == 0)); then
        echo "error: $name ended with status $status" >&2
        failed=1
    elif ((status == 0 && passed == 0)); then
        echo "error: $name ran no test" >&2
        failed=1
    fi
    names+=("$name")
    passes+=("$passed")
    failures+=("$failed")
}

count_rust() { awk '/^test result:/ { p += $4; f += $6 } END { print p + 0, f + 0 }' "$1"; }
count_ctest() {
    awk '/tests passed, .* tests failed out of/ { f = $4; t = $NF } END { print t - f, f + 0 }' "$1"
}
# The last line: `1 failed, 20 passed, 2 skipped, 1 error in 3.00s`. What was skipped was not tested.
count_pytest() {
    awk '/^=* *[0-9]+ [a-z]+.* in [0-9.]+s/ { line = $0 }
         END {
             words = split(line, word, /[ ,=]+/)
             for (i = 2; i <= words; i++) {
                 if (word[i] == "passed") p += word[i - 1]
                 else if (word[i] ~ /^(failed|skipped|xfailed|xpassed|errors?)$/) f += word[i - 1]
             }
             print p + 0, f + 0
         }' "$1"
}
count_go() { awk '/^ *--- PASS/ { p++ } /^ *--- (FAIL|SKIP)/ { f++ } END { print p + 0, f + 0 }' "$1"; }
# Every target ends with its statistics; one that found something has written the input before.
count_fuzz() {
    awk '/^stat::number_of_executed_units/ { t++ } /Test unit written to/ { f++ } END { print t - f, f + 0 }' "$1"
}

# c_tests FOLDER STAGE CMAKE-OPTION...: two at a time, since they wait more than they compute.
c_tests() {
    local folder=$1 tree=$2
    shift 2
    "$CMAKE" -S tests/c -B "$folder" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DSTAGE="$tree" -DEMULATOR="$emulator" "$@" \
        >/dev/null &&
        "$CMAKE" --build "$folder" --parallel 2 >/dev/null &&
        ctest --test-dir "$folder" --output-on-failure --parallel 2
}
# Outside of the project, as those who use it are.
consumer_tests() {
    local outside status
    outside=$(mktemp -d)
    "$CMAKE" -S tests/consumers -B "$outside" -DEMULATOR="$emulator" >/dev/null &&
        ctest --test-dir "$outside" --output-on-failure --parallel 2
    status=$?
    rm -rf "$outside"
    return $status
}
python_tests() {
    scripts/venv.sh target/python-venv bindings/python/tests/requirements.txt &&
        PYTHONPATH=bindings/python/src DATAFEED_LIBRARY=$stage/lib/libdatafeed.so DATAFEED_EMULATOR=$emulator \
            target/python-venv/bin/python -m pytest --quiet --durations 5 bindings/python
}
go_tests() {
    local folder status=0
    for folder in bindings/go examples/go; do
        # `-count=1`: Go does not notice that the library changed, and would answer from its cache.
        (cd "$folder" && DATAFEED_EMULATOR=$emulator "$GO" test -race -count=1 -v ./...) || status=1
    done
    return $status
}

# More cases than a property test runs by itself.
export PROPTEST_CASES=${PROPTEST_CASES:-2000}

suite "Rust" count_rust "$CARGO" test --workspace --features symphony-datafeed/internals --locked
suite "C and C++" count_ctest c_tests target/c-tests "$stage"
suite "C and C++ under ASan" count_ctest c_tests target/c-asan "$stage_asan" -DSANITIZE=ON
suite "C under valgrind" count_ctest c_tests target/c-valgrind "$stage" -DVALGRIND=ON
suite "Installation" count_ctest consumer_tests
suite "Python" count_pytest python_tests
suite "Go" count_go go_tests
suite "Fuzz" count_fuzz fuzz/run.sh 10

echo
total_passed=0
total_failed=0
for index in "${!names[@]}"; do
    printf '%-20s %4d passed, %d failed\n' "${names[$index]}" "${passes[$index]}" "${failures[$index]}"
    total_passed=$((total_passed + passes[index]))
    total_failed=$((total_failed + failures[index]))
done
echo "$total_passed passed, $total_failed failed"
((total_failed == 0))
