#!/usr/bin/env bash
# what_is_installed.sh TREE: the files are those of docs/c-and-cpp.md, under their names, and each is what it should be.

set -euo pipefail
cd "$1"
sources=$(realpath "$(dirname "$0")/../..")

fail() {
    echo "error: $*" >&2
    exit 1
}

version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$sources/Cargo.toml" | head -1)
short=${version%.*}
expected="include/datafeed.h
include/datafeed.hpp
include/datafeed/error.hpp
include/datafeed/event.hpp
include/datafeed/timeout.hpp
lib/cmake/datafeed/datafeedConfig.cmake
lib/cmake/datafeed/datafeedConfigVersion.cmake
lib/cmake/datafeed/datafeedTargets.cmake
lib/libdatafeed.a
lib/libdatafeed.so -> libdatafeed.so.$short
lib/libdatafeed.so.$short -> libdatafeed.so.$version
lib/libdatafeed.so.$version
lib/pkgconfig/datafeed.pc"
found=$(find . \( -type l -printf '%P -> %l\n' \) -o \( -type f -printf '%P\n' \) | LC_ALL=C sort)
diff <(echo "$expected") <(echo "$found") || fail "other files are installed than should be"

for header in include/datafeed.h include/datafeed.hpp include/datafeed/*; do
    cmp "$header" "$sources/$header" || fail "$header is not that of the project"
done
readelf -d lib/libdatafeed.so | grep -qF "Library soname: [libdatafeed.so.$short]" || fail "the SONAME is another"
readelf -d lib/libdatafeed.so | grep -qE 'RPATH|RUNPATH' && fail "the library looks for others where it was built"
[[ -x lib/libdatafeed.so.$version ]] || fail "the shared library cannot be executed, which some systems ask of one"
grep -rqI -e "$sources" -e "$PWD" include lib/cmake lib/pkgconfig && fail "something names the folder where it was built"

# Of what the archive needs not have: the compiler's bitcode, and debug information.
sections=$(readelf -SW lib/libdatafeed.a)
grep -qE ' \.(llvmbc|llvmcmd|debug_info) ' <<<"$sections" && fail "the static library is not stripped"
(($(stat -c %s lib/libdatafeed.a) < 32000000)) || fail "the static library is larger than 32 MB"
nm --defined-only --extern-only lib/libdatafeed.a 2>/dev/null | grep -q ' sqlite3_' &&
    fail "the static library's SQLite would be mixed up with that of a program"

export PKG_CONFIG_PATH=$PWD/lib/pkgconfig
[[ $(pkg-config --modversion datafeed) == "$version" ]] || fail "pkg-config says another version than $version"
grep -qF "lib/libdatafeed.so.$version\`" "$sources/docs/c-and-cpp.md" || fail "docs/c-and-cpp.md is of another version"
