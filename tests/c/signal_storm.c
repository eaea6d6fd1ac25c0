/* signal_storm EMULATOR: signals that cut system calls short change nothing. */
#include "harness.h"
#include <signal.h>
#include <sys/time.h>

enum { EVENTS = 2000 };

static atomic_int alarms;
static pthread_t main_thread;

static void count_alarm(int signal_number) {
    (void)signal_number;
    atomic_fetch_add(&alarms, 1);
    /* The library's threads take no signals. */
    if (!pthread_equal(pthread_self(), main_thread)) _exit(1);
}

static void alarm_every(int microseconds) {
    struct itimerval timer = {{0, microseconds}, {0, microseconds}};
    CHECK_IS(0, setitimer(ITIMER_REAL, &timer, NULL));
}

int main(int argc, char **argv) {
    CHECK_IS(2, argc);
    emulator service = emulator_start(argv[1]);
    /* Many small batches: many system calls. */
    control_only(&service, "settings", "{\"batchMax\":5}");
    char *events, expected[64];
    size_t length;
    FILE *stream = open_memstream(&events, &length);
    CHECK(stream != NULL);
    for (int i = 0; i < EVENTS; i++) fprintf(stream, "%s{\"id\":\"%d\"}", i == 0 ? "[" : ",", i);
    fprintf(stream, "]");
    fclose(stream);
    publish(&service, events);
    free(events);

    main_thread = pthread_self();
    struct sigaction action = {.sa_handler = count_alarm};
    CHECK_IS(0, sigaction(SIGALRM, &action, NULL));
    alarm_every(1000);
    datafeed *feed = open_feed(&service);
    for (int i = 0; i < EVENTS; i++) {
        snprintf(expected, sizeof expected, "{\"id\":\"%d\"}", i);
        receive_and_ack(feed, expected);
    }
    do CHECK_IS(DATAFEED_TIMEOUT, no_event(feed, 20));
    while (atomic_load(&alarms) < 200);
    alarm_every(0);
    check_all_acknowledged(&service, EVENTS);
    alarm_every(1000);
    CHECK_IS(DATAFEED_OK, datafeed_close(feed));
    alarm_every(0);
    emulator_stop(&service);
}
