# How long it takes until the first event is there. Sourced by run.sh.
#
# Settings, as environment variables:
#   START_SAMPLES     starts of each consumer (20; those that are slow a fifth of it)
#   START_KEY_BITS    the size of the RSA key that signs the login token (4096)
#   START_CONSUMERS   who is started

START_SAMPLES=${START_SAMPLES:-20}
START_KEY_BITS=${START_KEY_BITS:-4096}
START_CONSUMERS=${START_CONSUMERS:-raw raw-rsa libcurl-yyjson libcurl-rsa datafeed python python-requests python-sdk java-sdk}

prepare_start() {
    need_consumers
    need_numbers START_SAMPLES START_KEY_BITS
}

measure_start() {
    make_keys
    rm -f "$RESULTS/start"
    openssl genrsa -out "$work/start-key.pem" "$START_KEY_BITS" 2>/dev/null || stop_with "openssl genrsa failed"
    # Everybody is started in turns, so that no one has the quiet moments.
    local sample name program environment numbers
    pin_to 2
    for ((sample = 0; sample < START_SAMPLES; sample++)); do
        for name in $START_CONSUMERS; do
            if is_slow "$name" && ((sample % 5 > 0)); then
                continue
            fi
            show_progress "start: $((sample + 1)) of $START_SAMPLES: $name"
            start_agent http "$work/agent" --batch 1
            consumer_of "$name" http "$port"
            # The larger key takes the place of the other one.
            numbers=$(env "${environment[@]//$work\/key.pem/$work/start-key.pem}" BENCH_WARM_UP=0 BENCH_EVENTS=1 \
                BENCH_BATCH=1 build/launch "${program[@]}") || stop_with "the consumer $name failed"
            end_server
            write_row start "consumer=$name round=$sample" "$numbers"
        done
    done
    show_progress ''
    echo "RSA keys of $START_KEY_BITS bits, where a login token is signed."
    report start
}
