# What the parts share: checks, the agent, and how a consumer is run. Sourced by run.sh.

stop_with() {
    echo "bench: $1" >&2
    exit 1
}

# need TOOL PACKAGE
need() {
    command -v "$1" >/dev/null || stop_with "$1 is missing: install the package $2"
}

# need_header HEADER PACKAGE
need_header() {
    echo "#include <$1>" | "${compiler[@]}" -E - >/dev/null 2>&1 || stop_with "$1 is missing: install the package $2"
}

need_numbers() {
    local name
    for name in "$@"; do
        [[ ${!name} =~ ^[1-9][0-9]*$ ]] || stop_with "$name must be a positive number"
    done
}

# What runs the wrappers, all with the same shared library as the programs in C.
need_wrappers() {
    need "${CXX:-c++}" g++
    need "${GO:-go}" "golang, 1.24 or later"
    need "$PYTHON" "python3, 3.9 or later"
    need pkg-config pkgconf
    export PYTHONPATH=$PWD/../bindings/python/src:$PWD/consumers DATAFEED_LIBRARY=$STAGE/lib/libdatafeed.so
}

# What every part needs that runs the agent and the consumers.
need_consumers() {
    need openssl openssl
    need taskset util-linux
    need_wrappers
    need_header curl/curl.h "libcurl4-openssl-dev (Fedora: libcurl-devel)"
    need_header openssl/ssl.h "libssl-dev (Fedora: openssl-devel)"
    fetch_yyjson
    fetch_python_rivals
    fetch_java_sdk
}

build() {
    if [[ ! -e $STAGE/lib/libdatafeed.so ]]; then
        [[ $STAGE == ../target/stage ]] || stop_with "there is no lib/libdatafeed.so in $STAGE"
        make --no-print-directory -C .. stage
    fi
    make --no-print-directory --silent STAGE="$STAGE" YYJSON="$YYJSON" "$@"
}

show_progress() {
    if [[ -t 2 ]]; then
        printf '\r%s\033[K' "$1" >&2
    fi
}

# The bot's key, and a certificate for the agent with the authority that signed it; made once.
make_keys() {
    if [[ -e $work/key.pem ]]; then
        return
    fi
    {
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=Bench authority" \
            -keyout "$work/ca-key.pem" -out "$work/ca.pem" &&
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=127.0.0.1 \
                -keyout "$work/agent-key.pem" -out "$work/agent.csr" &&
            openssl x509 -req -in "$work/agent.csr" -CA "$work/ca.pem" -CAkey "$work/ca-key.pem" -CAcreateserial -days 2 \
                -extfile <(echo "subjectAltName=IP:127.0.0.1") -out "$work/agent.pem" &&
            openssl genrsa -out "$work/key.pem" "$KEY_BITS"
    } 2>"$work/openssl" || stop_with "openssl failed: $(tail -n 3 "$work/openssl")"
}

# What a part has started and not ended, and a folder for what is needed on the way.
server=
servers=()
work=

# end_server [WHICH]: ends the server that was started last, or this one.
end_server() {
    local pid=${1:-$server}
    if [[ -n $pid ]]; then
        kill "$pid" 2>/dev/null || true
        wait "$pid" || true
    fi
    server=
}

clean_up() {
    local pid
    for pid in ${server:+"$server"} ${servers[@]+"${servers[@]}"}; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    if [[ -n $work ]]; then
        rm -rf "$work"
    fi
}

# start_agent SCHEME OUTPUT OPTION...: sets `server` and `port`. `pin` is what it is run by.
pin=()
start_agent() {
    local output=$2 scheme=$1
    shift 2
    if [[ $scheme == https ]]; then
        set -- "$@" --tls "$work/agent.pem" "$work/agent-key.pem"
    fi
    : >"$output"
    ${pin[@]+"${pin[@]}"} build/agent "$@" >"$output" &
    server=$!
    port=
    until read -r port <"$output" 2>/dev/null && [[ -n $port ]]; do
        kill -0 "$server" 2>/dev/null || stop_with "the agent did not start"
        sleep 0.02
    done
}

# pin_to CORES: 1 is one for all, anything else is no restriction.
pin_to() {
    pin=()
    if [[ $1 == 1 ]]; then
        local allowed
        allowed=$(taskset -cp $$ | sed 's/.*: //')
        pin=(taskset -c "${allowed%%[-,]*}")
    fi
}

placement() {
    if [[ $1 == 1 ]]; then
        echo "agent and consumer on one core"
    else
        echo "agent and consumer on all cores"
    fi
}

# The numbers of cores that are asked for and that there are.
placements() {
    local cores
    for cores in $CORES; do
        if [[ $cores == 1 ]] || (($(nproc) > 1)); then
            echo "$cores"
        fi
    done
}

# configuration SCHEME PORT [MEMBER]: what the library and the SDKs are configured with.
configuration() {
    local trust=
    if [[ $1 == https ]]; then
        trust=",\"ssl\":{\"trustStore\":{\"path\":\"$work/ca.pem\"}}"
    fi
    local bot="{\"username\":\"bench\",\"privateKey\":{\"path\":\"$work/key.pem\"}}"
    printf '{"scheme":"%s","host":"127.0.0.1","port":%s,"bot":%s,"datafeed":{"version":"v2"}%s%s}' \
        "$1" "$2" "$bot" "$trust" "${3:+,$3}"
}

# consumer_of NAME SCHEME PORT: sets `program` to what runs it, and `environment` to what it is to know besides the
# numbers of events. What follows a hyphen is how it is used: yyjson and data parse each event, rsa signs a login token.
consumer_of() {
    local name=$1 scheme=$2 port=$3 member=${4:-}
    environment=("BENCH_SCHEME=$scheme" "BENCH_PORT=$port")
    if [[ $scheme == https ]]; then
        environment+=("BENCH_CA=$work/ca.pem")
    fi
    case $name in
        *-yyjson | *-data) environment+=(BENCH_PARSE=1) ;;
        *-rsa) environment+=("BENCH_KEY=$work/key.pem") ;;
    esac
    program=("build/${name%%-*}")
    case $name in
        stored)
            program=(build/datafeed)
            rm -rf "$work/state"
            member="\"stateDir\":\"$work/state\""
            ;;
        python-requests) program=("$VENV/bin/python" consumers/python_requests.py) ;;
        python-sdk) program=("$VENV/bin/python" consumers/python_sdk.py) ;;
        java-sdk) program=(java -cp "$JAVA/classes:$(<"$JAVA/classpath")" Sdk) ;;
        python | python-data) program=("$PYTHON" consumers/library.py) ;;
    esac
    environment+=("BENCH_CONFIG=$(configuration "$scheme" "$port" "$member")")
}

# write_row FILE NAME=VALUE...: one line of results.
write_row() {
    local file=$1
    shift
    mkdir -p "$RESULTS"
    echo "$*" >>"$RESULTS/$file"
}

# report PART: the tables of what was measured, as Markdown.
report() {
    "$PYTHON" report.py "$1" "$RESULTS/$1"
}
