# Fetches what the library is compared with, by the usual clients of their packages, into target/bench. Sourced by run.sh.

FETCHED=../target/bench
VENV=$FETCHED/venv
YYJSON=$FETCHED/yyjson

# The C source of yyjson, which is compiled into the consumers in C.
fetch_yyjson() {
    if [[ -e $YYJSON/made-with ]] && cmp -s yyjson.txt "$YYJSON/made-with"; then
        return
    fi
    "$PYTHON" -m pip --version >/dev/null 2>&1 || stop_with "pip is missing for $PYTHON: install the package python3-pip"
    show_progress "fetching yyjson"
    rm -rf "$YYJSON"
    mkdir -p "$YYJSON/package"
    "$PYTHON" -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: --require-hashes \
        --requirement yyjson.txt --dest "$YYJSON/package" >&2 || stop_with "yyjson could not be fetched"
    tar -xzf "$YYJSON"/package/*.tar.gz -C "$YYJSON" --strip-components 2 --wildcards '*/yyjson/yyjson.[ch]' ||
        stop_with "the package of yyjson has no yyjson.c"
    cp yyjson.txt "$YYJSON/made-with"
    show_progress ''
}

# Python's requests and the vendor's Python SDK.
fetch_python_rivals() {
    show_progress "fetching requests and the Python SDK"
    mkdir -p "$FETCHED"
    PYTHON=$PYTHON ../scripts/venv.sh "$VENV" rivals.txt >&2 || stop_with "requests and the Python SDK could not be fetched"
    show_progress ''
}

JAVA=$FETCHED/java

# The vendor's Java SDK, with the bot that uses it.
fetch_java_sdk() {
    need java "default-jdk-headless, 17 or later"
    need javac "default-jdk-headless, 17 or later"
    need mvn maven
    if [[ -e $JAVA/classpath && -z $(find java -newer "$JAVA/classpath") ]]; then
        return
    fi
    show_progress "fetching the Java SDK"
    local told
    # It prints control characters even when it has nothing to say.
    told=$(cd java && mvn --quiet --batch-mode compile dependency:build-classpath \
        -Dmdep.outputFile="../$JAVA/classpath" 2>&1) || stop_with "the Java SDK could not be fetched: $told"
    # Maven does not write what is there already.
    touch "$JAVA/classpath"
    show_progress ''
}
