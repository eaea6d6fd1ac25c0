#!/usr/bin/env bash
# Formatting and lints of every language.

set -euo pipefail

echo "== Rust"
"$CARGO" fmt --all --check
"$CARGO" clippy --workspace --all-targets --features symphony-datafeed/internals --locked -- -D warnings
RUSTDOCFLAGS="-D warnings" "$CARGO" doc --no-deps --locked --package symphony-datafeed --quiet

echo "== Go"
unformatted=$(gofmt -l bindings/go examples/go benches/go)
if [[ -n $unformatted ]]; then
    echo "error: gofmt would change: $unformatted" >&2
    exit 1
fi
for folder in bindings/go examples/go benches/go; do
    (cd "$folder" && "$GO" vet ./...)
done

echo "== Python"
scripts/venv.sh target/lint-venv scripts/lint-requirements.txt
ruff=$PWD/target/lint-venv/bin/ruff
(cd bindings/python && "$ruff" check && "$ruff" format --check && ../../target/lint-venv/bin/mypy)
# Examples and scripts explain themselves, or do not serve.
"$ruff" check --config bindings/python/pyproject.toml --ignore D benches examples/python scripts
"$ruff" format --check --config bindings/python/pyproject.toml benches examples/python scripts
