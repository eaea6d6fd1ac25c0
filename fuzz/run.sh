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
host=$(rustc -vV | sed -n 's/^host: //p')
built=${CARGO_TARGET_DIR:-$PWD/target}
build=(cargo build --release --locked --target "$host")

# Only `calls` goes through code that is `unsafe`, so it alone pays for the address sanitizer. A stable compiler takes
# that flag for RUSTC_BOOTSTRAP. Built in one folder, each of the two would undo what the other has built.
folder() { if [[ $1 == calls ]]; then echo "$built/address"; else echo "$built"; fi; }
safe=()
for target in "${targets[@]}"; do
    if [[ $target == calls ]]; then
        RUSTC_BOOTSTRAP=1 RUSTFLAGS="${flags[*]} -Zsanitizer=address" "${build[@]}" --target-dir "$(folder calls)" \
            --features calls --bin calls
    else
        safe+=(--bin "$target")
    fi
done
((${#safe[@]} == 0)) || RUSTFLAGS="${flags[*]}" "${build[@]}" --target-dir "$built" "${safe[@]}"

for target in "${targets[@]}"; do
    # Leaks are not looked for: it stops every thread, and now and then takes for leaked what the threads of the feeds
    # that still run hold. But memory is bounded: of a closed feed some kilobytes remain, and the address sanitizer keeps
    # what was freed last. Racing threads take another way each time; to weigh inputs by how rare their ways are would
    # cost more than to run them.
    limits=()
    [[ $target != calls ]] || limits=(-rss_limit_mb=4096 -max_len=256 -entropic=0)
    mkdir -p "corpus/$target" "artifacts/$target"
    ASAN_OPTIONS=detect_leaks=0 "$(folder "$target")/$host/release/$target" "corpus/$target" "seeds/$target" \
        -dict=words.dict -artifact_prefix="artifacts/$target/" -max_total_time="$seconds" -timeout=10 \
        -verbosity=0 -print_funcs=0 -print_final_stats=1 "${limits[@]}"
done
