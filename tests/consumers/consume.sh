#!/usr/bin/env bash
# consume.sh TREE DRIVERS EMULATOR WAY: a program outside of the project is built with the library as docs/c-and-cpp.md
# says, and runs against the emulator.

set -euo pipefail
tree=$1 drivers=$2 emulator=$3 way=$4
sources=$(realpath "$(dirname "$0")/../..")
page=$sources/docs/c-and-cpp.md
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cp "$sources/examples/c/minimal.c" bot.c
export PKG_CONFIG_PATH=$tree/lib/pkgconfig LD_LIBRARY_PATH=$tree/lib

# block SECTION LANGUAGE NUMBER: a block of code of the page.
block() {
    awk -v section="## $1" -v fence='```'"$2" -v number="$3" '
        /^## / { within = $0 == section }
        within && $0 == "```" { shown = 0 }
        shown
        within && $0 == fence { shown = ++count == number }' "$page" | grep . ||
        { echo "error: $page has no block $3 of $2 in '$1'" >&2 && exit 1; }
}

# runs BOT shared|static: it takes and acknowledges events, and needs the shared library or does not.
runs() {
    local needed
    needed=$(readelf -d "$1" | grep -c 'NEEDED.*libdatafeed' || true)
    [[ $needed == $([[ $2 == shared ]] && echo 1 || echo 0) ]] || {
        echo "error: the bot needs the shared library $needed times, but should be $2" >&2
        exit 1
    }
    "$drivers/printing_bot" "$emulator" takes "$PWD/$1"
}

# built OPTION...: the project in this folder, by CMake.
built() {
    cmake -B build "$@" && cmake --build build
}

case $way in
    find_package_shared)
        block "With CMake" cmake 1 >CMakeLists.txt
        built -DCMAKE_PREFIX_PATH="$tree"
        # CMake tells the program where the library is.
        unset LD_LIBRARY_PATH
        runs build/bot shared
        ;;
    find_package_static)
        block "With CMake" cmake 1 | sed 's/datafeed::datafeed/datafeed::static/' >CMakeLists.txt
        built -DCMAKE_PREFIX_PATH="$tree"
        runs build/bot static
        ;;
    find_package_of_another_version)
        for version in 0.0 0.2 1.0; do
            block "With CMake" cmake 1 | sed "s/datafeed 0.1/datafeed $version/" >CMakeLists.txt
            ! cmake -B "build-$version" -DCMAKE_PREFIX_PATH="$tree" 2>said
            grep -q 'compatible with requested version' said || { cat said && exit 1; }
        done
        ;;
    pkg_config_shared)
        bash -ec "$(block "With pkg-config" sh 1)"
        runs bot shared
        ;;
    pkg_config_static)
        bash -ec "$(block "With pkg-config" sh 2)"
        runs bot static
        ;;
    pkg_config_in_cpp)
        mkdir c cpp
        cp "$sources/examples/c/post_message.h" c
        cp "$sources/examples/cpp/echo.cpp" cpp
        # shellcheck disable=SC2046
        "${CXX:-c++}" -std=c++17 cpp/echo.cpp -o bot $(pkg-config --cflags --libs datafeed libcurl nlohmann_json)
        "$drivers/echo_bot" "$emulator" "$PWD/bot"
        ;;
    installed_by_cmake)
        # In the project's folder, with the folder where Cargo has built already.
        bash -exc "cd '$sources'; $(block Installing sh 1 |
            sed "s|-B build|-B '$work/build' -DDATAFEED_CARGO_TARGET_DIR=target|; s|--build build|--build '$work/build'|
                 s|--install build --prefix /usr/local|--install '$work/build' --prefix '$work/prefix'|")"
        diff -r prefix "$tree"
        ;;
    part_of_a_project | part_of_a_project_static)
        ln -s "$sources" symphony-datafeed
        block "With CMake" cmake 2 >CMakeLists.txt
        kind=shared
        [[ $way == part_of_a_project ]] || { kind=static && sed -i 's/datafeed::datafeed/datafeed::static/' CMakeLists.txt; }
        built -DDATAFEED_CARGO_TARGET_DIR="$sources/target"
        unset LD_LIBRARY_PATH
        runs build/bot $kind
        ;;
    fetched)
        block "With CMake" cmake 2 | sed 's/^add_subdirectory.*/include(FetchContent)\nFetchContent_Declare(datafeed URL '`
            `'none)\nFetchContent_MakeAvailable(datafeed)/' >CMakeLists.txt
        built -DFETCHCONTENT_SOURCE_DIR_DATAFEED="$sources" -DDATAFEED_CARGO_TARGET_DIR="$sources/target"
        cmake --install build --prefix prefix
        [[ -e prefix/lib/libdatafeed.so ]]
        runs build/bot shared
        ;;
    snippets)
        count=$(grep -c '^```cpp$' "$page")
        ((count > 0))
        {
            for header in csignal iostream vector nlohmann/json.hpp datafeed.hpp; do echo "#include <$header>"; done
            echo 'void handle(std::string_view);'
            awk '/^```$/ && shown { print "}"; shown = 0 }
                 shown
                 /^```cpp$/ { shown = 1; print "void snippet_" ++n "(symphony::Datafeed &feed, const std::string &config) {" }' \
                "$page" | sed 's/(symphony::Datafeed &feed, const std::string &config) {$/&\n(void)feed, (void)config;/'
        } >snippets.cpp
        # The first opens the feed that the others are given.
        sed -i '/^symphony::Datafeed feed(config)/s/feed(config)/own(config)/' snippets.cpp
        # shellcheck disable=SC2046
        "${CXX:-c++}" -std=c++17 -Wall -Wextra -Werror -c snippets.cpp -o snippets.o $(pkg-config --cflags datafeed)
        [[ $(nm -C snippets.o | grep -c ' T snippet_') == "$count" ]]
        {
            echo '#include <datafeed.h>'
            echo 'void handle(const char *event); void stop(int32_t status); void snippet(datafeed *feed);'
            echo 'void snippet(datafeed *feed) { int32_t status; uint64_t delivery; const char *event;'
            block "In an event loop" c 1
            echo '}'
        } >snippet.c
        # shellcheck disable=SC2046
        "${CC:-cc}" -std=c99 -Wall -Wextra -Werror -c snippet.c $(pkg-config --cflags datafeed)
        ;;
    *) echo "error: no such way: $way" >&2 && exit 1 ;;
esac
