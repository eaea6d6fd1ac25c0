#!/usr/bin/env bash
# system_libraries.sh TREE: what a program that links the static library has to link besides is what the compiler said when
# it made the library, wherever it stands.

set -euo pipefail
tree=$1
cd "$(dirname "$0")/../.."
said=$(<target/native-static-libs)
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
