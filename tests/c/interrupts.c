/* interrupts EMULATOR: datafeed_interrupt works in a signal handler while the same thread waits. */
#include "harness.h"
#include <signal.h>

static datafeed *feed;
static long main_task;
static atomic_int handled;

static void interrupt_it(int signal_number) {
    (void)signal_number;
    atomic_fetch_add(&handled, 1);
    if (datafeed_interrupt(feed) != DATAFEED_OK) _exit(1);
}

static void *raise_when_asleep(void *main_thread) {
    UNTIL(is_asleep(main_task));
    CHECK_IS(0, pthread_kill(*(pthread_t *)main_thread, SIGALRM));
    return NULL;
}

int main(int argc, char **argv) {
    CHECK_IS(2, argc);
    emulator service = emulator_start(argv[1]);
    pthread_t main_thread = pthread_self(), raiser;
    main_task = this_task();
    feed = open_feed(&service);
    struct sigaction action = {.sa_handler = interrupt_it};
    CHECK_IS(0, sigaction(SIGALRM, &action, NULL));
    for (int round = 1; round <= 50; round++) {
        CHECK_IS(0, pthread_create(&raiser, NULL, raise_when_asleep, &main_thread));
        CHECK_IS(DATAFEED_INTERRUPTED, no_event(feed, -1));
        CHECK_IS(0, pthread_join(raiser, NULL));
        CHECK_IS(round, atomic_load(&handled));
    }

    /* When nobody waits it is kept for the next call. */
    CHECK_IS(0, raise(SIGALRM));
    CHECK_IS(DATAFEED_INTERRUPTED, no_event(feed, -1));
    CHECK_IS(DATAFEED_TIMEOUT, no_event(feed, 0));

    /* It wakes all who wait. */
    waiter waiters[8];
    for (int i = 0; i < 8; i++) waiter_start(&waiters[i], feed, -1);
    CHECK_IS(0, raise(SIGALRM));
    for (int i = 0; i < 8; i++) CHECK_IS(DATAFEED_INTERRUPTED, waiter_end(&waiters[i]));

    publish(&service, "[{\"id\":\"after\"}]");
    receive_and_ack(feed, "{\"id\":\"after\"}");
    check_all_acknowledged(&service, 1);
    CHECK_IS(DATAFEED_OK, datafeed_close(feed));
    CHECK_IS(0, raise(SIGALRM));
    emulator_stop(&service);
}
