#!/usr/bin/env bash
# Formatting and lints of every language.

set -euo pipefail

echo "== Rust"
"$CARGO" fmt --all --check
"$CARGO" clippy --workspace --all-targets --features symphony-datafeed/internals --locked -- -D warnings
RUSTDOCFLAGS="-D warnings" "$CARGO" doc --no-deps --locked --package symphony-datafeed --quiet

echo "== Go"
unformatted=$(gofmt -l bindings/go examples/go)
if [[ -n $unformatted ]]; then
    echo "error: gofmt would change: $unformatted" >&2
    exit 1
fi
(cd bindings/go && "$GO" vet ./...)
(cd examples/go && "$GO" vet ./...)

echo "== Python"
if [[ ! -x target/lint-venv/bin/mypy ]]; then
    "$PYTHON" -m venv target/lint-venv || {
        echo "error: Python cannot make a virtual environment: install the package python3-venv" >&2
        exit 1
    }
    target/lint-venv/bin/pip install --quiet --disable-pip-version-check --requirement scripts/lint-requirements.txt
fi
ruff=$PWD/target/lint-venv/bin/ruff
(cd bindings/python && "$ruff" check src tests && "$ruff" format --check src tests && ../../target/lint-venv/bin/mypy)
# Examples and scripts explain themselves, or do not serve.
"$ruff" check --config bindings/python/pyproject.toml --ignore D examples/python scripts
"$ruff" format --check --config bindings/python/pyproject.toml examples/python scripts
