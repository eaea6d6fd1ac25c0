#!/usr/bin/env bash
# install.sh ROOT PREFIX DRIVERS: installs into a folder that stands for the root of a system, and builds the programs that
# drive the bots there.

set -euo pipefail
root=$1 prefix=$2 drivers=$3
cd "$(dirname "$0")/../.."

env -u MAKEFLAGS -u MAKELEVEL make --no-print-directory install DESTDIR="$root" PREFIX="$prefix"
mkdir -p "$drivers"
export PKG_CONFIG_PATH=$root$prefix/lib/pkgconfig
for driver in printing_bot echo_bot; do
    # shellcheck disable=SC2046
    "${CC:-cc}" -std=c11 -D_GNU_SOURCE "tests/c/$driver.c" -o "$drivers/$driver" $(pkg-config --cflags --libs datafeed) \
        -Wl,-rpath,"$root$prefix/lib" -lpthread
done
