#!/bin/sh
# exports.sh LIBRARY: it exports the functions in exports.txt and nothing else, has the SONAME that programs are linked
# with, and stays loaded.
set -eu
export LC_ALL=C
library=$1

nm -D --defined-only "$library" | awk '{ print $3 }' | sort | diff "$(dirname "$0")/exports.txt" -
readelf -d "$library" | grep -F 'Library soname: [libdatafeed.so.0.1]' ||
    { echo "$library: the SONAME is not libdatafeed.so.0.1"; exit 1; }
readelf -d "$library" | grep -w NODELETE || { echo "$library: the flag NODELETE is missing"; exit 1; }
