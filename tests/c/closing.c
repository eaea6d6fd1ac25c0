/* closing EMULATOR: close ends what waits, also from many threads, and what was lent stays readable. */
#include "harness.h"
#include <poll.h>

enum { THREADS = 8 };

/* The same, but for INT32_MAX, which is 24 days. */
static const int32_t never_over[] = {-1, INT32_MIN, INT32_MAX};

/* Waits on the descriptor first. */
static int32_t no_event_by_descriptor(datafeed *feed, int32_t timeout) {
    int descriptor;
    CHECK_IS(DATAFEED_OK, datafeed_fd(feed, &descriptor));
    int32_t status;
    do CHECK_IS(1, poll(&(struct pollfd){.fd = descriptor, .events = POLLIN}, 1, timeout));
    while ((status = no_event(feed, 0)) == DATAFEED_TIMEOUT);
    return status;
}

static void *close_it(void *feed) {
    int32_t status = datafeed_close(feed);
    CHECK(status == DATAFEED_OK || status == DATAFEED_CLOSED);
    return status == DATAFEED_OK ? feed : NULL;
}

static void while_threads_wait_in(const emulator *service, int32_t (*call)(datafeed *, int32_t)) {
    datafeed *feed = open_feed(service);
    waiter waiters[THREADS];
    UNTIL(is_reading(feed));
    for (int i = 0; i < THREADS; i++) waiter_start_in(&waiters[i], call, feed, never_over[i % 3]);
    CHECK_IS(DATAFEED_OK, datafeed_close(feed));
    for (int i = 0; i < THREADS; i++) CHECK_IS(DATAFEED_CLOSED, waiter_end(&waiters[i]));
}

static void while_threads_wait(const emulator *service) {
    while_threads_wait_in(service, no_event);
    while_threads_wait_in(service, no_line);
    while_threads_wait_in(service, no_event_by_descriptor);
}

static void from_many_threads(const emulator *service) {
    datafeed *feed = open_feed(service);
    pthread_t closers[THREADS];
    waiter waiting;
    int closed = 0;
    waiter_start(&waiting, feed, -1);
    for (int i = 0; i < THREADS; i++) CHECK_IS(0, pthread_create(&closers[i], NULL, close_it, feed));
    for (int i = 0; i < THREADS; i++) {
        void *first;
        CHECK_IS(0, pthread_join(closers[i], &first));
        closed += first != NULL;
    }
    CHECK_IS(1, closed);
    CHECK_IS(DATAFEED_CLOSED, waiter_end(&waiting));
}

static void with_events_in_hand(const emulator *service) {
    datafeed *feed = open_feed(service);
    const char *first, *second;
    publish(service, "[{\"id\":\"first\"},{\"id\":\"second\"}]");
    uint64_t delivery = receive(feed, &first), refused = receive(feed, &second);
    CHECK_IS(DATAFEED_OK, datafeed_close(feed));
    CHECK(strcmp(first, "{\"id\":\"first\"}") == 0 && strcmp(second, "{\"id\":\"second\"}") == 0);
    CHECK_IS(DATAFEED_CLOSED, datafeed_ack(feed, delivery));
    CHECK(strcmp(second, "{\"id\":\"second\"}") == 0);
    CHECK_IS(DATAFEED_CLOSED, datafeed_nack(feed, refused));
    CHECK_IS(DATAFEED_CLOSED, datafeed_ack(feed, delivery));
    CHECK_IS(DATAFEED_CLOSED, datafeed_nack(feed, refused));
}

/* Before the close or after it: what was copied is not kept, and the statistics say so. */
static void with_copied_events(const emulator *service) {
    datafeed *feed = open_feed(service);
    const char *first, *second;
    char *stats;
    publish(service, "[{\"id\":\"first\"},{\"id\":\"second\"}]");
    uint64_t before = receive(feed, &first), after = receive(feed, &second);
    uint32_t attempt;
    CHECK_IS(DATAFEED_OK, datafeed_copied(feed, before));
    CHECK_IS(DATAFEED_OK, datafeed_copied(feed, before));
    CHECK_IS(DATAFEED_OK, datafeed_attempt(feed, before, &attempt));
    CHECK_IS(1, attempt);
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_copied(feed, after + 1));
    CHECK_IS(DATAFEED_OK, datafeed_close(feed));
    CHECK_IS(DATAFEED_OK, datafeed_stats(feed, &stats));
    CHECK_IS(1, number_in(stats, "held"));
    datafeed_string_free(stats);
    CHECK(strcmp(second, "{\"id\":\"second\"}") == 0);
    CHECK_IS(DATAFEED_CLOSED, datafeed_copied(feed, after));
    CHECK_IS(DATAFEED_OK, datafeed_stats(feed, &stats));
    CHECK_IS(0, number_in(stats, "held"));
    datafeed_string_free(stats);
}

/* What was acknowledged is told to the service before close returns. */
static void with_acknowledgements(const emulator *service) {
    char *config = config_with(service, "\"closeTimeout\":45000");
    datafeed *feed = open_with(config);
    free(config);
    publish(service, "[{\"id\":\"first\"},{\"id\":\"second\"}]");
    receive_and_ack(feed, "{\"id\":\"first\"}");
    receive_and_ack(feed, "{\"id\":\"second\"}");
    CHECK_IS(DATAFEED_OK, datafeed_close(feed));
    check_all_acknowledged(service, 2);
}

int main(int argc, char **argv) {
    CHECK_IS(2, argc);
    void (*const scenes[])(const emulator *) = {
        while_threads_wait, from_many_threads, with_events_in_hand, with_copied_events, with_acknowledgements,
    };
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
        emulator service = emulator_start(argv[1]);
        /* Only close ends a read. */
        control_only(&service, "settings", "{\"pollMillis\":600000}");
        scenes[i](&service);
        emulator_stop(&service);
    }
}
