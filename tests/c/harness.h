/* What the tests share beside checks and the emulator: a feed's usual calls, and threads that wait in one. */
#ifndef HARNESS_H
#define HARNESS_H

#include "emulator.h"
#include <datafeed.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>

static inline datafeed *open_with(const char *config) {
    datafeed *feed;
    char *error;
    int32_t status = datafeed_create(config, &feed, &error);
    if (status != DATAFEED_OK) fprintf(stderr, "datafeed_create: %s\n", error);
    CHECK_IS(DATAFEED_OK, status);
    CHECK(feed != NULL && error == NULL);
    return feed;
}

static inline datafeed *open_feed(const emulator *service) { return open_with(service->config); }

/* Waits for an event and answers its delivery number. */
static inline uint64_t receive(datafeed *feed, const char **event) {
    uint64_t delivery;
    size_t length;
    CHECK_IS(DATAFEED_OK, datafeed_next_event(feed, PATIENCE, &delivery, event, &length));
    CHECK_IS((long long)strlen(*event), (long long)length);
    return delivery;
}

/* Waits for an event that must be this one, and acknowledges it. */
static inline void receive_and_ack(datafeed *feed, const char *expected) {
    const char *event;
    uint64_t delivery = receive(feed, &event);
    CHECK(strcmp(event, expected) == 0);
    CHECK_IS(DATAFEED_OK, datafeed_ack(feed, delivery));
}

/* The status of a call for an event that is to bring none. */
static inline int32_t no_event(datafeed *feed, int32_t timeout) {
    uint64_t delivery = 1;
    const char *event = "";
    size_t length = 1;
    int32_t status = datafeed_next_event(feed, timeout, &delivery, &event, &length);
    CHECK(status != DATAFEED_OK);
    CHECK(delivery == 0 && event == NULL && length == 0);
    return status;
}

static inline int is_in_state(datafeed *feed, const char *state) {
    char *stats, *member = text_of("\"state\":\"%s\"", state);
    CHECK_IS(DATAFEED_OK, datafeed_stats(feed, &stats));
    int is = strstr(stats, member) != NULL;
    datafeed_string_free(stats);
    free(member);
    return is;
}

static inline int is_reading(datafeed *feed) { return is_in_state(feed, "READING"); }

static inline long this_task(void) { return syscall(SYS_gettid); }

/* Whether this thread of the process sleeps in the kernel. */
static inline int is_asleep(long task) {
    char path[64], state = 0;
    snprintf(path, sizeof path, "/proc/self/task/%ld/stat", task);
    FILE *file = fopen(path, "r");
    if (file == NULL) return 0;
    /* It may end between the two. */
    int is_there = fscanf(file, "%*d (%*[^)]) %c", &state) == 1;
    fclose(file);
    return is_there && state == 'S';
}

/* The status that ends the log, after the lines that are there. */
static inline int32_t no_line(datafeed *feed, int32_t timeout) {
    char *line;
    int32_t status;
    while ((status = datafeed_next_log(feed, timeout, &line)) == DATAFEED_OK) datafeed_string_free(line);
    CHECK(line == NULL);
    return status;
}

/* A thread that waits in a call, such as no_event, until something else ends it. */
typedef struct {
    int32_t (*call)(datafeed *, int32_t);
    datafeed *feed;
    int32_t timeout, status;
    atomic_long task;
    pthread_t thread;
} waiter;

static inline void *waiter_run(void *argument) {
    waiter *self = argument;
    atomic_store(&self->task, this_task());
    self->status = self->call(self->feed, self->timeout);
    return NULL;
}

/* Returns when the thread sleeps in its call. */
static inline void waiter_start_in(waiter *self, int32_t (*call)(datafeed *, int32_t), datafeed *feed,
                                   int32_t timeout) {
    self->call = call;
    self->feed = feed;
    self->timeout = timeout;
    atomic_init(&self->task, 0);
    CHECK_IS(0, pthread_create(&self->thread, NULL, waiter_run, self));
    UNTIL(atomic_load(&self->task) != 0 && is_asleep(atomic_load(&self->task)));
}

static inline void waiter_start(waiter *self, datafeed *feed, int32_t timeout) {
    waiter_start_in(self, no_event, feed, timeout);
}

/* Returns what the call returned. */
static inline int32_t waiter_end(waiter *self) {
    CHECK_IS(0, pthread_join(self->thread, NULL));
    return self->status;
}

#endif
