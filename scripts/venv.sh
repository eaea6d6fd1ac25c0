#!/usr/bin/env bash
# Makes a virtual environment of Python with what a file of requirements lists, or brings it up to date.
# Usage: venv.sh FOLDER REQUIREMENTS...

set -euo pipefail
folder=$1
shift
python=${PYTHON:-python3}

# What it was made with: another Python, or other requirements, and it is made anew.
wanted=$("$python" -VV && cat "$@")
if [[ $(cat "$folder/made-with" 2>/dev/null) != "$wanted" ]]; then
    rm -rf "$folder"
    "$python" -m venv "$folder" || {
        echo "error: Python cannot make a virtual environment: install the package python3-venv" >&2
        exit 1
    }
    "$folder/bin/pip" install --quiet --disable-pip-version-check "${@/#/--requirement=}"
    echo "$wanted" >"$folder/made-with"
fi
