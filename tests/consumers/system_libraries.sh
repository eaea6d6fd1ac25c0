#!/usr/bin/env bash
# system_libraries.sh TREE: what a program that links the static library has to link besides is what the compiler says,
# wherever it stands.

set -euo pipefail
tree=$1
cd "$(dirname "$0")/../.."

# The compiler says it when it makes the archive, and Cargo says it again when it has nothing to make.
said=$("${CARGO:-cargo}" rustc --locked --package symphony-datafeed --lib --crate-type staticlib --message-format short \
    -- --print native-static-libs 2>&1 | sed -n 's/^note: native-static-libs: //p')
[[ -n $said ]] || {
    echo "error: the compiler has not said what has to be linked" >&2
    exit 1
}

compare() {
    local place=$1 found=$2
    [[ $found == "$said" ]] || {
        echo "error: $place has '$found', but the compiler says '$said'" >&2
        exit 1
    }
}
compare lib/pkgconfig/datafeed.pc "$(sed -n 's/^Libs.private: //p' "$tree/lib/pkgconfig/datafeed.pc")"
compare lib/cmake/datafeed "$(sed -n 's/.*INTERFACE_LINK_LIBRARIES "\(.*\)").*/\1/p' \
    "$tree/lib/cmake/datafeed/datafeedTargets.cmake" | tr ';' ' ')"
compare bindings/go/link_static.go "$(sed -n 's/^\/\/ #cgo linux LDFLAGS: //p' bindings/go/link_static.go)"
