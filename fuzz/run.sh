#!/usr/bin/env bash
# Fuzzes each target for some seconds (20 unless told): fuzz/run.sh [seconds] [target...]
# Needs Rust and a C++ compiler, nothing else. Fails when a target crashes, and leaves the input in fuzz/artifacts/.
set -euo pipefail
cd "$(dirname "$0")"

seconds=${1:-20}
shift || true
targets=("$@")
((${#targets[@]})) || targets=(split_body config http_response calls)

for tool in cargo c++; do
    command -v "$tool" >/dev/null || { echo "$tool is missing" >&2; exit 1; }
done

# What tells libFuzzer which code an input reached. Naming the target keeps the flags away from build scripts.
flags=(-Cpasses=sancov-module)
for argument in level=4 inline-8bit-counters pc-table trace-compares; do
    flags+=("-Cllvm-args=-sanitizer-coverage-$argument")
done
# The address sanitizer is for what goes through code that is `unsafe`; a stable compiler takes its flag for
# RUSTC_BOOTSTRAP. One build with it for all targets takes less time than two.
flags+=(-Zsanitizer=address)
host=$(rustc -vV | sed -n 's/^host: //p')
built=${CARGO_TARGET_DIR:-$PWD/target}
RUSTC_BOOTSTRAP=1 RUSTFLAGS="${flags[*]}" cargo build --release --locked --target "$host" --target-dir "$built" \
    "${targets[@]/#/--bin=}"

for target in "${targets[@]}"; do
    # Leaks are not looked for: it stops every thread, and now and then takes for leaked what the threads of the feeds
    # that still run hold. But memory is bounded: of a closed feed some kilobytes remain, and the address sanitizer keeps
    # what was freed last. Racing threads take another way each time; to weigh inputs by how rare their ways are would
    # cost more than to run them.
    limits=()
    [[ $target != calls ]] || limits=(-rss_limit_mb=4096 -max_len=256 -entropic=0)
    mkdir -p "corpus/$target" "artifacts/$target"
    ASAN_OPTIONS=detect_leaks=0 "$built/$host/release/$target" "corpus/$target" "seeds/$target" \
        -dict=words.dict -artifact_prefix="artifacts/$target/" -max_total_time="$seconds" -timeout=10 \
        -verbosity=0 -print_funcs=0 -print_final_stats=1 "${limits[@]}"
done
