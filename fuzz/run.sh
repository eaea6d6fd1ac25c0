#!/usr/bin/env bash
# Fuzzes each target for some seconds (20 unless told): fuzz/run.sh [seconds] [target...]
# Needs Rust and a C++ compiler, nothing else. Fails when a target crashes, and leaves the input in fuzz/artifacts/.
set -euo pipefail
cd "$(dirname "$0")"

seconds=${1:-20}
shift || true
targets=("$@")
((${#targets[@]})) || targets=(split_body config)

for tool in cargo c++; do
    command -v "$tool" >/dev/null || { echo "$tool is missing" >&2; exit 1; }
done

# What tells libFuzzer which code an input reached. Naming the target keeps the flags away from build scripts.
flags=(-Cpasses=sancov-module)
for argument in level=4 inline-8bit-counters pc-table trace-compares; do
    flags+=("-Cllvm-args=-sanitizer-coverage-$argument")
done
host=$(rustc -vV | sed -n 's/^host: //p')
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
RUSTFLAGS="${flags[*]}" cargo build --release --locked --target "$host"

for target in "${targets[@]}"; do
    mkdir -p "corpus/$target" "artifacts/$target"
    "$CARGO_TARGET_DIR/$host/release/$target" "corpus/$target" "seeds/$target" -dict=words.dict \
        -artifact_prefix="artifacts/$target/" -max_total_time="$seconds" -timeout=10 -verbosity=0 -print_final_stats=1
done
