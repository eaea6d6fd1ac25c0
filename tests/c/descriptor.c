/* descriptor EMULATOR: the descriptor is readable while an event or the end is waiting, and not otherwise. */
#include "harness.h"
#include <poll.h>

static int is_readable(int descriptor, int timeout) {
    struct pollfd polled = {.fd = descriptor, .events = POLLIN};
    CHECK(poll(&polled, 1, timeout) >= 0);
    CHECK((polled.revents & ~POLLIN) == 0);
    return polled.revents != 0;
}

/* It may be readable once too often, and no oftener. */
static void check_drained(datafeed *feed, int descriptor) {
    CHECK_IS(DATAFEED_TIMEOUT, no_event(feed, 0));
    if (is_readable(descriptor, 0)) CHECK_IS(DATAFEED_TIMEOUT, no_event(feed, 0));
    CHECK(!is_readable(descriptor, 0));
}

/* The next event, once the descriptor says that there is one. */
static uint64_t take(datafeed *feed, int descriptor, const char *expected) {
    uint64_t delivery;
    const char *event;
    for (int tries = 0;; tries++) {
        CHECK(is_readable(descriptor, PATIENCE));
        int32_t status = datafeed_next_event(feed, 0, &delivery, &event, NULL);
        if (status == DATAFEED_OK) break;
        CHECK_IS(DATAFEED_TIMEOUT, status);
        CHECK_IS(0, tries);
    }
    CHECK(strcmp(event, expected) == 0);
    return delivery;
}

int main(int argc, char **argv) {
    CHECK_IS(2, argc);
    emulator service = emulator_start(argv[1]);
    char *config = config_with(&service, "\"nackDelay\":50");
    datafeed *feed = open_with(config);
    free(config);
    int descriptor, again;
    CHECK_IS(DATAFEED_OK, datafeed_fd(feed, &descriptor));
    CHECK_IS(DATAFEED_OK, datafeed_fd(feed, &again));
    CHECK_IS(descriptor, again);
    check_drained(feed, descriptor);

    /* As long as any of several events is waiting. */
    publish(&service, "[{\"id\":\"1\"},{\"id\":\"2\"}]");
    uint64_t first = take(feed, descriptor, "{\"id\":\"1\"}");
    CHECK(is_readable(descriptor, 0));
    uint64_t second = take(feed, descriptor, "{\"id\":\"2\"}");
    check_drained(feed, descriptor);
    CHECK_IS(DATAFEED_OK, datafeed_ack(feed, first));
    CHECK_IS(DATAFEED_OK, datafeed_ack(feed, second));

    /* Each event anew. */
    for (int i = 0; i < 50; i++) {
        char *event = text_of("{\"id\":\"%d\"}", i + 3), *events = text_of("[%s]", event);
        publish(&service, events);
        CHECK_IS(DATAFEED_OK, datafeed_ack(feed, take(feed, descriptor, event)));
        check_drained(feed, descriptor);
        free(event);
        free(events);
    }

    /* A refused event, when its delay is over. */
    publish(&service, "[{\"id\":\"refused\"}]");
    uint64_t refused = take(feed, descriptor, "{\"id\":\"refused\"}");
    check_drained(feed, descriptor);
    for (uint32_t expected = 2; expected <= 4; expected++) {
        uint32_t attempt;
        CHECK_IS(DATAFEED_OK, datafeed_nack(feed, refused));
        refused = take(feed, descriptor, "{\"id\":\"refused\"}");
        CHECK_IS(DATAFEED_OK, datafeed_attempt(feed, refused, &attempt));
        CHECK_IS(expected, attempt);
        check_drained(feed, descriptor);
    }
    CHECK_IS(DATAFEED_OK, datafeed_ack(feed, refused));
    check_all_acknowledged(&service, 53);

    /* The end, for good. */
    CHECK_IS(DATAFEED_OK, datafeed_close(feed));
    for (int i = 0; i < 3; i++) {
        CHECK(is_readable(descriptor, 0));
        CHECK_IS(DATAFEED_CLOSED, no_event(feed, 0));
    }
    CHECK_IS(DATAFEED_OK, datafeed_fd(feed, &again));
    CHECK_IS(descriptor, again);
    emulator_stop(&service);
}
