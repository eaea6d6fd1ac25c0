/* exits EMULATOR: a program may end without closing its feed, in every way there is and whatever the feed is doing. */
#include "harness.h"

/* Static, since threads outlive main. */
static emulator service;
static datafeed *feed;
static waiter waiters[8];
static uint64_t held;
static atomic_int rounds;

static void in_a_read(void) {
    until_a_request_waits(&service);
    CHECK(is_reading(feed));
}

static void in_a_back_off(void) { UNTIL(is_in_state(feed, "BACKING_OFF")); }

static void in_a_login(void) {
    until_a_request_waits(&service);
    CHECK(is_in_state(feed, "LOGGING_IN"));
}

static void threads_wait_in_every_call_that_waits(void) {
    in_a_read();
    for (int i = 0; i < 8; i++) waiter_start_in(&waiters[i], i % 2 ? no_line : no_event, feed, -1);
}

/* What a number that is not held is answered, before and after the feed is closed. */
static void check_not_held(int32_t status) {
    CHECK(status == DATAFEED_INVALID_ARGUMENT || status == DATAFEED_CLOSED);
}

/* Until the feed is closed. */
static void *make_every_call(void *unused) {
    uint64_t delivery;
    const char *event;
    while (datafeed_next_event(feed, 0, &delivery, &event, NULL) == DATAFEED_TIMEOUT) {
        char *owned;
        uint32_t attempt;
        int descriptor;
        check_not_held(datafeed_ack(feed, 0));
        check_not_held(datafeed_nack(feed, 0));
        CHECK_IS(DATAFEED_OK, datafeed_attempt(feed, held, &attempt));
        CHECK_IS(DATAFEED_OK, datafeed_fd(feed, &descriptor));
        CHECK_IS(DATAFEED_OK, datafeed_error(feed, &owned));
        datafeed_string_free(owned);
        CHECK_IS(DATAFEED_OK, datafeed_stats(feed, &owned));
        datafeed_string_free(owned);
        (void)datafeed_session(feed, &owned);
        datafeed_string_free(owned);
        (void)no_line(feed, 0);
        atomic_fetch_add(&rounds, 1);
    }
    return unused;
}

static void threads_are_in_every_call(void) {
    const char *event;
    publish(&service, "[{\"id\":\"held\"}]");
    held = receive(feed, &event);
    for (int i = 0; i < 8; i++) {
        pthread_t thread;
        CHECK_IS(0, pthread_create(&thread, NULL, make_every_call, NULL));
    }
    UNTIL(atomic_load(&rounds) >= 16);
}

static int by_return(void) { return 0; }

static int by_exit(void) { exit(0); }

static int by_exit_at_once(void) { _exit(0); }

static int by_quick_exit(void) { quick_exit(0); }

static void *close_it(void *unused) {
    CHECK_IS(DATAFEED_OK, datafeed_close(feed));
    return unused;
}

/* The process ends with its last thread. */
static int by_the_end_of_main_while_another_thread_closes(void) {
    pthread_t closer;
    CHECK_IS(0, pthread_create(&closer, NULL, close_it, NULL));
    pthread_exit(NULL);
}

int main(int argc, char **argv) {
    CHECK_IS(2, argc);
    const struct {
        const char *name, *fault;
        void (*get_there)(void);
    } scenes[] = {
        {"in a read", "[]", in_a_read},
        {"in a back-off", "{\"endpoint\":\"read\",\"action\":{\"status\":{\"status\":503,\"retryAfter\":\"200\"}}}",
         in_a_back_off},
        {"in a login", "{\"endpoint\":\"sessionLogin\",\"action\":\"hang\"}", in_a_login},
        {"while threads wait", "[]", threads_wait_in_every_call_that_waits},
        {"while threads are in every call", "[]", threads_are_in_every_call},
    };
    const struct {
        const char *name;
        int (*end)(void);
    } ways[] = {
        {"return", by_return},         {"exit", by_exit},
        {"_exit", by_exit_at_once},    {"quick_exit", by_quick_exit},
        {"pthread_exit", by_the_end_of_main_while_another_thread_closes},
    };
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
        for (size_t j = 0; j < sizeof ways / sizeof *ways; j++) {
            service = emulator_start(argv[1]);
            control_only(&service, "settings", "{\"pollMillis\":600000}");
            control_only(&service, "faults", scenes[i].fault);
            /* The process has one thread yet, and the child is a program of its own. */
            pid_t program = fork();
            CHECK(program >= 0);
            if (program == 0) {
                feed = open_feed(&service);
                scenes[i].get_there();
                return ways[j].end();
            }
            int status = wait_for_process(program);
            if (status != 0) fprintf(stderr, "%s, by %s:\n", scenes[i].name, ways[j].name);
            CHECK_IS(0, status);
            emulator_stop(&service);
        }
    }
}
