/* signal_storm EMULATOR: signals that cut system calls short change nothing, also when each interrupts the feed. */
#include "harness.h"
#include <signal.h>

/* Under memcheck a handler takes longer than the storm leaves between two signals. */
#ifdef INSTRUMENTED
enum { EVENTS = 300, INTERVAL = 3000 };
#else
enum { EVENTS = 2000, INTERVAL = 200 };
#endif

static atomic_int handled;
static pthread_t main_thread;
static _Atomic(datafeed *) interrupted;

static void handle(int signal_number) {
    (void)signal_number;
    int error = errno;
    atomic_fetch_add(&handled, 1);
    /* The library's threads take no signals. */
    if (!pthread_equal(pthread_self(), main_thread)) _exit(1);
    datafeed *feed = atomic_load(&interrupted);
    if (feed != NULL && datafeed_interrupt(feed) != DATAFEED_OK) _exit(1);
    errno = error;
}

static timer_t timers[2];

static void make_timers(void) {
    const int signals[] = {SIGALRM, SIGINT};
    /* Without SA_RESTART. */
    struct sigaction action = {.sa_handler = handle};
    for (int i = 0; i < 2; i++) {
        CHECK_IS(0, sigaction(signals[i], &action, NULL));
        struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = signals[i]};
        CHECK_IS(0, timer_create(CLOCK_MONOTONIC, &event, &timers[i]));
    }
}

/* The harness is not made for a storm, so it blows during the library's calls only. */
static void storm(int microseconds) {
    struct timespec interval = {0, microseconds * 1000};
    struct itimerspec setting = {interval, interval};
    for (int i = 0; i < 2; i++) CHECK_IS(0, timer_settime(timers[i], 0, &setting, NULL));
}

static void publish_all(const emulator *service) {
    char *events;
    size_t length;
    FILE *stream = open_memstream(&events, &length);
    CHECK(stream != NULL);
    for (int i = 0; i < EVENTS; i++) fprintf(stream, "%s{\"id\":\"%d\"}", i == 0 ? "[" : ",", i);
    fputc(']', stream);
    fclose(stream);
    publish(service, events);
    free(events);
}

/* Whether each signal interrupts the feed or not, every event comes once and in order. */
static void receive_all(const emulator *service, int interrupting) {
    publish_all(service);
    int before = atomic_load(&handled), interruptions = 0;
    storm(INTERVAL);
    datafeed *feed = open_feed(service);
    if (interrupting) atomic_store(&interrupted, feed);
    for (int i = 0; i < EVENTS;) {
        uint64_t delivery;
        const char *event;
        int32_t status = datafeed_next_event(feed, -1, &delivery, &event, NULL);
        if (status == DATAFEED_INTERRUPTED) {
            interruptions++;
            continue;
        }
        char expected[64];
        snprintf(expected, sizeof expected, "{\"id\":\"%d\"}", i++);
        CHECK_IS(DATAFEED_OK, status);
        CHECK(strcmp(event, expected) == 0);
        CHECK_IS(DATAFEED_OK, datafeed_ack(feed, delivery));
    }
    /* Nothing else comes, however often the call is cut short. */
    while (atomic_load(&handled) < before + 200) {
        int32_t status = no_event(feed, 20);
        if (status == DATAFEED_INTERRUPTED) interruptions++;
        else CHECK_IS(DATAFEED_TIMEOUT, status);
    }
    CHECK(interrupting ? interruptions > 0 : interruptions == 0);
    storm(0);
    check_all_acknowledged(service, EVENTS);
    storm(INTERVAL);
    CHECK_IS(DATAFEED_OK, datafeed_close(feed));
    storm(0);
    atomic_store(&interrupted, NULL);
}

static void open_and_close(const emulator *service) {
    storm(INTERVAL);
    for (int i = 0; i < 20; i++) {
        datafeed *feed = open_feed(service);
        atomic_store(&interrupted, feed);
        CHECK_IS(DATAFEED_INTERRUPTED, no_event(feed, -1));
        CHECK_IS(DATAFEED_OK, datafeed_close(feed));
    }
    storm(0);
    atomic_store(&interrupted, NULL);
}

static void receive_without(const emulator *service) { receive_all(service, 0); }

static void receive_with_interruptions(const emulator *service) { receive_all(service, 1); }

int main(int argc, char **argv) {
    CHECK_IS(2, argc);
    main_thread = pthread_self();
    make_timers();
    void (*const scenes[])(const emulator *) = {receive_without, receive_with_interruptions, open_and_close};
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
        emulator service = emulator_start(argv[1]);
        /* Many small batches: many system calls. */
        control_only(&service, "settings", "{\"batchMax\":5}");
        scenes[i](&service);
        emulator_stop(&service);
    }
}
