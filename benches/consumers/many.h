/* Many feeds in one process: what each has received, for the order of its events, and what all have together.
 *
 * BENCH_WARM_UP and BENCH_EVENTS are of all feeds together.
 */

#ifndef MANY_H
#define MANY_H

#include <sys/epoll.h>

#include "bot.h"

static struct measurement all;

/* What one feed has received: it counts for ever. */
static struct measurement of_one_feed(void)
{
    struct measurement own = all;
    own.warm_up = own.events = 1L << 60;
    return own;
}

/* Receives an event of the feed that has received `own`; answers whether more are wanted. */
static bool receive_of_many(struct measurement *own, const char *event, size_t length)
{
    receive_event(own, event, length);
    long number = all.received++;
    if (number == 0) {
        all.first = microseconds();
    }
    if (number == all.warm_up) {
        all.begin = take_snapshot();
        all.bytes = 0;
    }
    if (number == all.warm_up + all.events) {
        all.end = take_snapshot();
        return false;
    }
    all.bytes += length;
    return true;
}

/* Each event's id is greater than the one before; so many as the latest says have come. */
static void check_count(const struct measurement *own)
{
    char digits[ID_BATCH + 1] = "";
    memcpy(digits, own->last, ID_BATCH);
    long due =
        own->received == 0 ? 0 : (strtol(digits, NULL, 16) - 1) * own->batch + atol(own->last + ID_BATCH) + 1;
    if (own->received != due) {
        fprintf(stderr, "a feed has received %ld events of %ld\n", own->received, due);
        exit(1);
    }
}

static int feed_count(int count, char **arguments)
{
    int feeds = count == 2 ? atoi(arguments[1]) : 0;
    if (feeds < 1) {
        fprintf(stderr, "usage: %s COUNT\n", arguments[0]);
        exit(2);
    }
    return feeds;
}

/* Has `take` take what there is of each feed that is ready, until it answers that no more is wanted. */
static void take_from_many(int epoll, bool (*take)(void *feed))
{
    for (bool more = true; more;) {
        struct epoll_event ready[64];
        int woken = epoll_wait(epoll, ready, 64, -1);
        for (int index = 0; more && index < woken; index++) {
            more = take(ready[index].data.ptr);
        }
    }
}

/* Prints, and ends the process: what was opened is closed by its end, since one after the other would take its time. */
static void print_and_exit(int feeds)
{
    printf("feeds=%d threads=%ld resident=%ld ", feeds, status_kilobytes("Threads"), status_kilobytes("VmRSS"));
    print_measurement(&all);
    fflush(stdout);
    _Exit(0);
}

#endif
