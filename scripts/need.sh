#!/usr/bin/env bash
# Ends with an error that names the first tool that is missing or too old. Usage: need.sh TOOL...

set -euo pipefail

missing() {
    echo "error: $1 is missing: $2" >&2
    exit 1
}

# need NAME COMMAND LEAST-VERSION VERSION-OF-IT WHAT-TO-DO
at_least() {
    local name=$1 least=$2 found=$3 advice=$4
    if [[ $(printf '%s\n%s\n' "$least" "$found" | sort -V | head -1) != "$least" ]]; then
        echo "error: $name $found is too old, $least or later is needed: $advice" >&2
        exit 1
    fi
}

for tool in "$@"; do
    case $tool in
        cargo)
            command -v "${CARGO:-cargo}" >/dev/null || missing cargo "install Rust 1.89 or later (https://rustup.rs)"
            at_least Rust 1.89 "$(rustc --version | cut -d' ' -f2)" "update with rustup"
            ;;
        cc) command -v "${CC:-cc}" >/dev/null || missing "a C compiler (${CC:-cc})" "install gcc or clang" ;;
        c++) command -v "${CXX:-c++}" >/dev/null || missing "a C++ compiler (${CXX:-c++})" "install g++ or clang++" ;;
        asan)
            echo 'int main(void) { return 0; }' |
                "${CC:-cc}" -fsanitize=address,undefined -x c -o /dev/null - 2>/dev/null ||
                missing "AddressSanitizer for ${CC:-cc}" \
                    "install libasan and libubsan (Debian: with gcc), or clang's compiler-rt (Debian: libclang-rt-dev)"
            ;;
        valgrind) command -v valgrind >/dev/null || missing valgrind "install the package valgrind" ;;
        cmake)
            command -v "${CMAKE:-cmake}" >/dev/null || missing cmake "install the package cmake"
            at_least CMake 3.16 "$("${CMAKE:-cmake}" --version | sed -n '1s/[^0-9]*//p')" "update it"
            ;;
        pkg-config) command -v pkg-config >/dev/null || missing pkg-config "install the package pkgconf or pkg-config" ;;
        libcurl | jansson | nlohmann_json)
            pkg-config --exists "$tool" || missing "the library $tool, which examples use," \
                "install its development package (Debian: libcurl4-openssl-dev, libjansson-dev, nlohmann-json3-dev)"
            ;;
        python3)
            command -v "${PYTHON:-python3}" >/dev/null || missing python3 "install Python 3.9 or later"
            at_least Python 3.9 "$("${PYTHON:-python3}" -c 'import platform; print(platform.python_version())')" "update it"
            ;;
        go)
            command -v "${GO:-go}" >/dev/null || missing go "install Go 1.24 or later"
            at_least Go 1.24 "$("${GO:-go}" env GOVERSION | sed 's/^go//')" "update it"
            ;;
        *) missing "a rule for $tool" "add it to scripts/need.sh" ;;
    esac
done
