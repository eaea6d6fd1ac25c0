/* What every consumer does with an event, and how its cost is measured.
 *
 * The measurement spans `events` events exactly: it begins when the first event after the warm-up is received and ends
 * when the event `events` later is received. With a warm-up and a count that are multiples of the batch size, it holds
 * `events / batch` requests, wherever within a batch the work is done.
 */

#ifndef MEASURE_H
#define MEASURE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

struct snapshot {
    double wall;
    double user;
    double system;
    long switches;
};

struct measurement {
    long warm_up;
    long events;
    long received;
    size_t bytes;
    double started;
    double first;
    struct snapshot begin;
    struct snapshot end;
};

/* Microseconds on a clock that only goes forward. */
static inline double microseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

/* Of the whole process: all its threads. */
static inline struct snapshot take_snapshot(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (struct snapshot){
        .wall = microseconds(),
        .user = usage.ru_utime.tv_sec * 1e6 + usage.ru_utime.tv_usec,
        .system = usage.ru_stime.tv_sec * 1e6 + usage.ru_stime.tv_usec,
        .switches = usage.ru_nvcsw + usage.ru_nivcsw,
    };
}

static inline struct measurement begin_measurement(const char *warm_up, const char *events)
{
    return (struct measurement){
        .warm_up = atol(warm_up),
        .events = atol(events),
        .started = microseconds(),
    };
}

/* Receives one event, NUL-terminated; answers whether more are wanted. */
static inline bool receive_event(struct measurement *measurement, const char *event, size_t length)
{
    if (length < 2 || event[0] != '{' || event[length - 1] != '}' || event[length] != '\0') {
        fprintf(stderr, "what was received is no event: %.80s\n", event);
        exit(1);
    }
    long number = measurement->received++;
    if (number == 0) {
        measurement->first = microseconds();
    }
    if (number == measurement->warm_up) {
        measurement->begin = take_snapshot();
        measurement->bytes = 0;
    }
    measurement->bytes += length;
    if (number == measurement->warm_up + measurement->events) {
        measurement->bytes -= length;
        measurement->end = take_snapshot();
        return false;
    }
    return true;
}

/* Events, bytes per event, seconds, microseconds of user and system time per event, context switches per event,
 * milliseconds from the start to the first event. */
static inline void print_measurement(const struct measurement *measurement)
{
    const struct snapshot *begin = &measurement->begin, *end = &measurement->end;
    double events = measurement->events;
    printf("%ld %.1f %.6f %.4f %.4f %.4f %.3f\n", measurement->events, measurement->bytes / events,
           (end->wall - begin->wall) / 1e6, (end->user - begin->user) / events, (end->system - begin->system) / events,
           (end->switches - begin->switches) / events, (measurement->first - measurement->started) / 1e3);
}

#endif
