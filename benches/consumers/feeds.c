/* Many feeds of this library in one process, whose events one thread takes in an epoll loop, acknowledging each.
 *
 *   feeds COUNT
 *
 * BENCH_WARM_UP and BENCH_EVENTS are of all feeds together.
 */

#include <datafeed.h>
#include <stdio.h>
#include <sys/epoll.h>

#include "bot.h"

static struct measurement all;

/* What each feed has received, for the order of its events. */
struct receiver {
    datafeed *feed;
    struct measurement own;
};

static void watch(int epoll, struct receiver *receiver)
{
    char *error;
    int descriptor;
    struct epoll_event watched = {.events = EPOLLIN, .data.ptr = receiver};
    receiver->own = all;
    receiver->own.warm_up = receiver->own.events = 1L << 60;
    if (datafeed_create(needed_setting("BENCH_CONFIG"), &receiver->feed, &error) != DATAFEED_OK) {
        fail(error);
    }
    if (datafeed_fd(receiver->feed, &descriptor) != DATAFEED_OK ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &watched) != 0) {
        fail("a feed cannot be watched");
    }
}

/* Takes what there is; answers whether more is wanted. */
static bool take_events(struct receiver *receiver)
{
    for (;;) {
        uint64_t delivery;
        const char *event;
        size_t length;
        int status = datafeed_next_event(receiver->feed, 0, &delivery, &event, &length);
        if (status == DATAFEED_TIMEOUT) {
            return true;
        }
        if (status != DATAFEED_OK) {
            fail("a feed has ended");
        }
        receive_event(&receiver->own, event, length);
        datafeed_ack(receiver->feed, delivery);
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
    }
}

/* Each event's id is greater than the one before; so many as the latest says have come. */
static void check_counts(const struct receiver *receivers, int count)
{
    for (int index = 0; index < count; index++) {
        const struct measurement *own = &receivers[index].own;
        char digits[ID_BATCH + 1] = "";
        memcpy(digits, own->last, ID_BATCH);
        long due = own->received == 0 ? 0
                                      : (strtol(digits, NULL, 16) - 1) * own->batch + atol(own->last + ID_BATCH) + 1;
        if (own->received != due) {
            fprintf(stderr, "a feed has received %ld events of %ld\n", own->received, due);
            exit(1);
        }
    }
}

int main(int count, char **arguments)
{
    int feeds = count == 2 ? atoi(arguments[1]) : 0;
    if (feeds < 1) {
        fprintf(stderr, "usage: feeds COUNT\n");
        return 2;
    }
    all = begin_measurement();
    struct receiver *receivers = calloc(feeds, sizeof *receivers);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (receivers == NULL || epoll < 0) {
        fail("no memory, or no descriptor");
    }
    for (int index = 0; index < feeds; index++) {
        watch(epoll, &receivers[index]);
    }
    for (bool more = true; more;) {
        struct epoll_event ready[64];
        int woken = epoll_wait(epoll, ready, 64, -1);
        for (int index = 0; more && index < woken; index++) {
            more = take_events(ready[index].data.ptr);
        }
    }
    check_counts(receivers, feeds);
    printf("feeds=%d threads=%ld resident=%ld ", feeds, status_kilobytes("Threads"), status_kilobytes("VmRSS"));
    print_measurement(&all);
    /* The end of the process closes them; one after the other would take its time. */
    fflush(stdout);
    _Exit(0);
}
