/* Many feeds of this library in one process, whose events one thread takes in an epoll loop, acknowledging each.
 *
 *   feeds COUNT
 */

#include <datafeed.h>
#include <stdio.h>

#include "many.h"

struct receiver {
    datafeed *feed;
    struct measurement own;
};

static void watch(int epoll, struct receiver *receiver)
{
    char *error;
    int descriptor;
    struct epoll_event watched = {.events = EPOLLIN, .data.ptr = receiver};
    receiver->own = of_one_feed();
    if (datafeed_create(needed_setting("BENCH_CONFIG"), &receiver->feed, &error) != DATAFEED_OK) {
        fail(error);
    }
    if (datafeed_fd(receiver->feed, &descriptor) != DATAFEED_OK ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &watched) != 0) {
        fail("a feed cannot be watched");
    }
}

/* Takes what there is; answers whether more is wanted. */
static bool take_events(void *ready)
{
    struct receiver *receiver = ready;
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
        bool more = receive_of_many(&receiver->own, event, length);
        datafeed_ack(receiver->feed, delivery);
        if (!more) {
            return false;
        }
    }
}

int main(int count, char **arguments)
{
    int feeds = feed_count(count, arguments);
    all = begin_measurement();
    struct receiver *receivers = calloc(feeds, sizeof *receivers);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (receivers == NULL || epoll < 0) {
        fail("no memory, or no descriptor");
    }
    for (int index = 0; index < feeds; index++) {
        watch(epoll, &receivers[index]);
    }
    take_from_many(epoll, take_events);
    for (int index = 0; index < feeds; index++) {
        check_count(&receivers[index].own);
    }
    print_and_exit(feeds);
}
