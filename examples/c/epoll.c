/* A bot in an event loop of its own: events, a timer and signals in one thread, by epoll.
 *
 *   epoll CONFIGURATION [SECONDS]   prints every event on stdout, and the statistics every so many seconds (60) on stderr
 *
 * SIGTERM and Ctrl-C end it well: what it has printed is acknowledged before it ends.
 */
#define _GNU_SOURCE
#include <datafeed.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* Prints an error object, and frees it. */
static int fail(char *error) {
    fprintf(stderr, "%s\n", error ? error : "the feed has stopped");
    datafeed_string_free(error);
    return EXIT_FAILURE;
}

static int descriptor_of(datafeed *feed) {
    int descriptor;
    datafeed_fd(feed, &descriptor); /* stays the library's own */
    return descriptor;
}

static int timer_of(time_t seconds) {
    struct itimerspec every = {{seconds, 0}, {seconds, 0}};
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    timerfd_settime(timer, 0, &every, NULL);
    return timer;
}

/* The signals come by this descriptor from now on, and no other way. */
static int signals_of(void) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    return signalfd(-1, &signals, SFD_CLOEXEC);
}

/* Takes every event that is there. Returns DATAFEED_TIMEOUT when there is none left. */
static int32_t take_events(datafeed *feed) {
    const char *event;
    uint64_t delivery;
    int32_t status;
    while ((status = datafeed_next_event(feed, 0, &delivery, &event, NULL)) == DATAFEED_OK) {
        printf("%s\n", event);
        fflush(stdout);
        datafeed_ack(feed, delivery);
    }
    return status;
}

static void print_statistics(datafeed *feed, int timer) {
    char *statistics;
    uint64_t expirations;
    if (read(timer, &expirations, sizeof expirations) < 0) return;
    if (datafeed_stats(feed, &statistics) != DATAFEED_OK) return;
    fprintf(stderr, "%s\n", statistics);
    datafeed_string_free(statistics);
}

int main(int argc, char **argv) {
    datafeed *feed;
    char *error = NULL;
    int32_t status = DATAFEED_TIMEOUT;
    if (datafeed_create(argc > 1 ? argv[1] : NULL, &feed, &error) != DATAFEED_OK) return fail(error);

    int loop = epoll_create1(EPOLL_CLOEXEC), events = descriptor_of(feed), signals = signals_of();
    int timer = timer_of(argc > 2 ? atol(argv[2]) : 60);
    const int watched[] = {events, timer, signals};
    for (size_t i = 0; i < sizeof watched / sizeof *watched; i++) {
        struct epoll_event interest = {.events = EPOLLIN, .data.fd = watched[i]};
        if (epoll_ctl(loop, EPOLL_CTL_ADD, watched[i], &interest) < 0) return perror("epoll_ctl"), EXIT_FAILURE;
    }

    for (int running = 1; running && status == DATAFEED_TIMEOUT;) {
        struct epoll_event ready;
        if (epoll_wait(loop, &ready, 1, -1) < 1) continue;
        if (ready.data.fd == events) status = take_events(feed);
        if (ready.data.fd == timer) print_statistics(feed, timer);
        if (ready.data.fd == signals) running = 0;
    }

    /* It holds no event here, so there is nothing to wait for. One that hands events to others would give them time. */
    if (status == DATAFEED_FAILED) datafeed_error(feed, &error);
    datafeed_drain(feed, 0);
    close(timer);
    close(signals);
    close(loop);
    return status == DATAFEED_FAILED ? fail(error) : EXIT_SUCCESS;
}
