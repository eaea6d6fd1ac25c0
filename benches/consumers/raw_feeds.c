/* The limit with many feeds: a socket for each, and one thread in an epoll loop, which receives into one buffer.
 *
 *   raw_feeds COUNT
 */

#include <stdio.h>

#include "many.h"
#include "wire.h"

struct receiver {
    struct wire wire;
    struct measurement own;
};

static void watch(int epoll, struct receiver *receiver, char **buffer)
{
    static const struct ack_id NOTHING;
    struct epoll_event watched = {.events = EPOLLIN, .data.ptr = receiver};
    receiver->own = of_one_feed();
    open_wire(&receiver->wire);
    if (*buffer == NULL) {
        *buffer = receiver->wire.buffer;
    } else {
        free(receiver->wire.buffer);
        receiver->wire.buffer = *buffer;
    }
    ask_for_batch(&receiver->wire, &NOTHING);
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, receiver->wire.socket, &watched) != 0) {
        fail("a socket cannot be watched");
    }
}

/* Takes the batch that has come and asks for the next; answers whether more is wanted. */
static bool take_events(void *ready)
{
    struct receiver *receiver = ready;
    static struct batch batch;
    take_batch(&receiver->wire, &batch);
    for (size_t index = 0; index < batch.count; index++) {
        if (!receive_of_many(&receiver->own, batch.events[index].text, batch.events[index].length)) {
            return false;
        }
    }
    ask_for_batch(&receiver->wire, &batch.ack_id);
    return true;
}

int main(int count, char **arguments)
{
    int feeds = feed_count(count, arguments);
    char *buffer = NULL;
    all = begin_measurement();
    struct receiver *receivers = calloc(feeds, sizeof *receivers);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (receivers == NULL || epoll < 0) {
        fail("no memory, or no descriptor");
    }
    for (int index = 0; index < feeds; index++) {
        watch(epoll, &receivers[index], &buffer);
    }
    take_from_many(epoll, take_events);
    for (int index = 0; index < feeds; index++) {
        check_count(&receivers[index].own);
    }
    print_and_exit(feeds);
}
