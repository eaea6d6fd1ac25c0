/* Every function that takes a feed, called with one that all of them are to answer alike. */
#ifndef EVERY_CALL_H
#define EVERY_CALL_H

#include "harness.h"

static inline void check_every_call(datafeed *feed, int32_t expected) {
    int descriptor = 7;
    uint32_t attempt = 7;
    char *owned = "not NULL";
    CHECK_IS(expected, no_event(feed, -1));
    CHECK_IS(expected, datafeed_ack(feed, 1));
    CHECK_IS(expected, datafeed_nack(feed, 1));
    CHECK_IS(expected, datafeed_interrupt(feed));
    CHECK_IS(expected, datafeed_copied(feed, 1));
    CHECK_IS(expected, datafeed_drain(feed, -1));
    CHECK_IS(expected, datafeed_close(feed));
    CHECK_IS(expected, datafeed_fd(feed, &descriptor));
    CHECK_IS(-1, descriptor);
    CHECK_IS(expected, datafeed_attempt(feed, 1, &attempt));
    CHECK_IS(0, attempt);
    CHECK_IS(expected, datafeed_resubmit(feed, 1));
    CHECK_IS(expected, datafeed_discard(feed, 1));
    CHECK_IS(expected, datafeed_dead_letters(feed, 0, &owned));
    CHECK(owned == NULL);
    owned = "not NULL";
    CHECK_IS(expected, datafeed_error(feed, &owned));
    CHECK(owned == NULL);
    owned = "not NULL";
    CHECK_IS(expected, datafeed_stats(feed, &owned));
    CHECK(owned == NULL);
    owned = "not NULL";
    CHECK_IS(expected, datafeed_session(feed, &owned));
    CHECK(owned == NULL);
    owned = "not NULL";
    CHECK_IS(expected, datafeed_renew_session(feed, "not in use", -1, &owned));
    CHECK(owned == NULL);
    owned = "not NULL";
    CHECK_IS(expected, datafeed_next_log(feed, -1, &owned));
    CHECK(owned == NULL);
}

#endif
