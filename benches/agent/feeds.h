/* The feeds: each login has one of its own, with its own count of answers. */

#ifndef FEEDS_H
#define FEEDS_H

#include <stdbool.h>
#include <stddef.h>

#include "channel.h"

#define FEED_ID_START "5c1de0a9b7f24e6f8d3a90b2"
#define FEED_ID_END "_f"

struct feed;

/* The feed of a login, by the login's number; NULL if there is none such. */
struct feed *feed_of(unsigned long login);

/* Answers one read, whose body says what is acknowledged. */
bool answer_read(struct feed *feed, struct channel *channel, const char *body, size_t body_length);

/* Of all feeds: reads answered, those that did not carry the ackId of the answer before, and events sent. */
struct totals {
    long reads;
    long unacknowledged;
    long events;
};
struct totals add_up(void);

/* Whether any read was answered, and what the agent had used until the first. */
struct rusage;
const struct rusage *usage_at_first_read(double *wall);

#endif
