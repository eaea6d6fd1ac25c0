/* forks_among_threads EMULATOR: a process may fork while eight threads use its feed; children and grandchildren are
 * told whose it is and may open their own. */
#include "every_call.h"
#include "quiet.h"

enum { THREADS = 8, FORKS = 10 };

static datafeed *feed;
static atomic_llong acknowledged;

static void *receive_until_closed(void *unused) {
    uint64_t delivery;
    const char *event;
    int32_t status;
    while ((status = datafeed_next_event(feed, -1, &delivery, &event, NULL)) == DATAFEED_OK) {
        CHECK_IS(DATAFEED_OK, datafeed_ack(feed, delivery));
        atomic_fetch_add(&acknowledged, 1);
    }
    CHECK_IS(DATAFEED_CLOSED, status);
    return unused;
}

/* It has what it needs and is at work: events may have come by then. */
static int has_found_its_feed(datafeed *own) { return is_reading(own) || is_in_state(own, "WAITING_FOR_BOT"); }

/* Each generation opens a feed of its own, and knows that it has nothing to do with those before. */
static void descendants(const emulator *service, datafeed *parents, int generations) {
    check_every_call(feed, DATAFEED_FORKED);
    check_every_call(parents, DATAFEED_FORKED);
    char *config = config_with(service, "\"datafeed\":{\"tag\":\"descendants\"}");
    datafeed *own = open_with(config);
    free(config);
    UNTIL(has_found_its_feed(own));
    if (generations > 1) {
        pid_t child = fork_in_quiet();
        if (child == 0) {
            descendants(service, own, generations - 1);
            exit(0);
        }
        CHECK_IS(0, wait_for_process(child));
    }
    CHECK(has_found_its_feed(own));
    CHECK_IS(DATAFEED_OK, datafeed_close(own));
}

static void publish_some(const emulator *service, int round) {
    char *events;
    size_t length;
    FILE *stream = open_memstream(&events, &length);
    CHECK(stream != NULL);
    for (int i = 0; i < 100; i++) fprintf(stream, "%s{\"id\":\"%d-%d\"}", i == 0 ? "[" : ",", round, i);
    fputc(']', stream);
    fclose(stream);
    publish(service, events);
    free(events);
}

int main(int argc, char **argv) {
    CHECK_IS(2, argc);
    pthread_t threads[THREADS];
    emulator service = emulator_start(argv[1]);
    control_only(&service, "feeds", "{\"tag\":\"descendants\"}");
    feed = open_feed(&service);
    for (int i = 0; i < THREADS; i++) CHECK_IS(0, pthread_create(&threads[i], NULL, receive_until_closed, NULL));
    for (int round = 0; round < FORKS; round++) {
        publish_some(&service, round);
#ifdef INSTRUMENTED
        pid_t child = fork_in_quiet();
#else
        /* In the middle of it. */
        pid_t child = fork();
        CHECK(child >= 0);
#endif
        if (child == 0) {
            descendants(&service, feed, 1);
            exit(0);
        }
        CHECK_IS(0, wait_for_process(child));
    }
    UNTIL(atomic_load(&acknowledged) == 100 * FORKS);

    /* So that the feed is quiet while it reads. */
    control_only(&service, "settings", "{\"pollMillis\":600000}");
    pid_t child = fork_in_quiet();
    if (child == 0) {
        descendants(&service, feed, 3);
        exit(0);
    }
    CHECK_IS(0, wait_for_process(child));
    CHECK_IS(DATAFEED_OK, datafeed_close(feed));
    for (int i = 0; i < THREADS; i++) CHECK_IS(0, pthread_join(threads[i], NULL));
    emulator_stop(&service);
}
