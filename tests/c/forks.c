/* forks EMULATOR: a child is told that the feed is its parent's, and may open its own; the parent goes on. */
#include "every_call.h"
#include "quiet.h"

static void child_of(const emulator *service, datafeed *parents) {
    check_every_call(parents, DATAFEED_FORKED);
    char *config = config_with(service, "\"closeTimeout\":45000,\"datafeed\":{\"tag\":\"child\"}");
    datafeed *feed = open_with(config);
    free(config);
    CHECK(feed != parents);
    receive_and_ack(feed, "{\"id\":\"for both\"}");
    CHECK_IS(DATAFEED_OK, datafeed_close(feed));
    check_every_call(parents, DATAFEED_FORKED);
}

int main(int argc, char **argv) {
    CHECK_IS(2, argc);
    emulator service = emulator_start(argv[1]);
    /* So that the feed is quiet while it reads. */
    control_only(&service, "settings", "{\"pollMillis\":600000}");
    control_only(&service, "feeds", "{\"tag\":\"child\"}");
    datafeed *feed = open_feed(&service);
    const char *event;
    waiter waiting;
    waiter_start(&waiting, feed, -1);
    UNTIL(is_reading(feed));
    pid_t child = fork_in_quiet();
    if (child == 0) {
        child_of(&service, feed);
        /* Runs what the program and the library have to run at the end. */
        exit(0);
    }
    CHECK_IS(DATAFEED_OK, datafeed_interrupt(feed));
    CHECK_IS(DATAFEED_INTERRUPTED, waiter_end(&waiting));
    publish(&service, "[{\"id\":\"for both\"}]");
    uint64_t delivery = receive(feed, &event);
    CHECK_IS(0, wait_for_process(child));
    CHECK(strcmp(event, "{\"id\":\"for both\"}") == 0);
    CHECK_IS(DATAFEED_OK, datafeed_ack(feed, delivery));
    /* Once for the child and once for the parent. */
    check_all_acknowledged(&service, 2);

    /* A child that has nothing to do with the feed, while an event is held. */
    publish(&service, "[{\"id\":\"held\"}]");
    delivery = receive(feed, &event);
    child = fork_in_quiet();
    if (child == 0) exit(strcmp(event, "{\"id\":\"held\"}") == 0 ? 0 : 1);
    CHECK_IS(0, wait_for_process(child));
    CHECK_IS(DATAFEED_OK, datafeed_ack(feed, delivery));
    CHECK_IS(DATAFEED_OK, datafeed_close(feed));
    emulator_stop(&service);
}
