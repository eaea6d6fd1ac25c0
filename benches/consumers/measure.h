/* What a consumer is asked to do, and how what it costs is measured.
 *
 * It is asked by the environment:
 *   BENCH_WARM_UP, BENCH_EVENTS   how many events come before the measurement, and how many are in it
 *   BENCH_BATCH                   how many events each answer has, for checking that none is missing
 *   BENCH_SCHEME, BENCH_PORT      where the agent is, on 127.0.0.1; https comes with
 *   BENCH_CA                      the file of the authority to trust
 *   BENCH_KEY                     a login token is signed with this key; without it, the hand-written send a constant one
 *   BENCH_CONFIG                  the same for what is configured, in JSON
 *   BENCH_PARSE                   each event is parsed, if this is not empty
 *   BENCH_LATENCY                 how long each event took from the agent is told, if this is not empty
 *   BENCH_STARTED                 when the process was started, in microseconds of CLOCK_MONOTONIC
 *
 * The measurement spans BENCH_EVENTS events exactly: it begins when the first event after the warm-up is received and
 * ends when the event BENCH_EVENTS later is received. With a warm-up and a count that are multiples of the batch size, it
 * holds as many requests as these have batches, wherever within a batch the work is done.
 */

#ifndef MEASURE_H
#define MEASURE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

/* The digits in an event's id: the batch's number in hexadecimal, and the place within it. */
#define ID_BATCH 8
#define ID_PLACE 4
#define ID_DIGITS (ID_BATCH + ID_PLACE)

struct snapshot {
    double wall;
    double user;
    double system;
    long switches;
};

struct measurement {
    long warm_up;
    long events;
    long batch;
    bool parse;
    long received;
    size_t bytes;
    double process_started;
    double started;
    double first;
    /* Of the event before. */
    char last[ID_DIGITS + 1];
    /* Microseconds of each measured event, or NULL. */
    double *latencies;
    struct snapshot begin;
    struct snapshot end;
};

/* Microseconds on a clock that only goes forward, and that is the agent's, too. */
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
    struct snapshot snapshot = {
        .wall = microseconds(),
        .user = usage.ru_utime.tv_sec * 1e6 + usage.ru_utime.tv_usec,
        .system = usage.ru_stime.tv_sec * 1e6 + usage.ru_stime.tv_usec,
        .switches = usage.ru_nvcsw + usage.ru_nivcsw,
    };
    return snapshot;
}

/* Kilobytes, of a line in /proc/self/status. The peak is taken from there, since that of getrusage begins with what the
 * process had that started this one. */
static inline long status_kilobytes(const char *name)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    long value = -1;
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':') {
            value = atol(line + strlen(name) + 1);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return value;
}

/* Empty if it is not set. */
static inline const char *setting(const char *name)
{
    const char *value = getenv(name);
    return value != NULL ? value : "";
}

static inline void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static inline const char *needed_setting(const char *name)
{
    if (*setting(name) == '\0') {
        fprintf(stderr, "%s is not set\n", name);
        exit(2);
    }
    return setting(name);
}

static inline struct measurement begin_measurement(void)
{
    struct measurement measurement = {
        .warm_up = atol(needed_setting("BENCH_WARM_UP")),
        .events = atol(needed_setting("BENCH_EVENTS")),
        .batch = atol(needed_setting("BENCH_BATCH")),
        .parse = *setting("BENCH_PARSE") != '\0',
        .process_started = atof(setting("BENCH_STARTED")),
        .started = microseconds(),
    };
    if (*setting("BENCH_LATENCY") != '\0') {
        measurement.latencies = (double *)calloc(measurement.events, sizeof(double));
        if (measurement.latencies == NULL) {
            fail("no memory");
        }
    }
    return measurement;
}

/* Each event has to have a greater id than the one before. Where there is a mark, its id has to be that of an event
 * before which every other one came; so each came once. */
static inline void check_id(struct measurement *measurement, const char *id, bool marked)
{
    if (memcmp(id, measurement->last, ID_DIGITS) <= 0) {
        fprintf(stderr, "the event %.*s came after %s\n", ID_DIGITS, id, measurement->last);
        exit(1);
    }
    memcpy(measurement->last, id, ID_DIGITS);
    if (marked) {
        char expected[32];
        long number = measurement->received;
        snprintf(expected, sizeof expected, "%08lx%04ld", number / measurement->batch + 1, number % measurement->batch);
        if (memcmp(id, expected, ID_DIGITS) != 0) {
            fprintf(stderr, "the event %s came where %s was due\n", measurement->last, expected);
            exit(1);
        }
    }
}

/* Counts one event, with the digits of its id; answers whether more are wanted. */
static inline bool count_event(struct measurement *measurement, const char *id, size_t length)
{
    long number = measurement->received;
    bool begins = number == measurement->warm_up, ends = number == measurement->warm_up + measurement->events;
    if (number == 0) {
        measurement->first = microseconds();
    }
    check_id(measurement, id, begins || ends);
    measurement->received++;
    if (begins) {
        measurement->begin = take_snapshot();
        measurement->bytes = 0;
    }
    if (ends) {
        measurement->end = take_snapshot();
        return false;
    }
    measurement->bytes += length;
    return true;
}

/* For an event that was counted, with any part of it that holds when it was emitted. */
static inline void note_latency(struct measurement *measurement, const char *text, size_t length)
{
    static const char CLOCK[] = "desk.clock";
    double now = microseconds();
    const char *at = (const char *)memmem(text, length, CLOCK, sizeof CLOCK - 1);
    long index = measurement->received - 1 - measurement->warm_up;
    if (at == NULL) {
        fail("an event does not tell when it was emitted");
    }
    if (index >= 0 && index < measurement->events) {
        measurement->latencies[index] = now - strtoull(at + strcspn(at, "0123456789"), NULL, 10) / 1e3;
    }
}

static inline int compare_latencies(const void *one, const void *other)
{
    double difference = *(const double *)one - *(const double *)other;
    return difference < 0 ? -1 : difference > 0;
}

static inline void print_latencies(const struct measurement *measurement)
{
    long count = measurement->events;
    qsort(measurement->latencies, count, sizeof(double), compare_latencies);
    printf(" p50=%.1f p99=%.1f max=%.1f", measurement->latencies[(count * 50 + 99) / 100 - 1],
           measurement->latencies[(count * 99 + 99) / 100 - 1], measurement->latencies[count - 1]);
}

/* One line of names and numbers: user and system are microseconds for one event, first and process are milliseconds to
 * the first event from the start of the program's work and of its process, peak is in kilobytes. */
static inline void print_measurement(const struct measurement *measurement)
{
    const struct snapshot *begin = &measurement->begin, *end = &measurement->end;
    double events = measurement->events;
    printf("events=%ld bytes=%.1f seconds=%.6f user=%.4f system=%.4f switches=%.4f first=%.3f peak=%ld",
           measurement->events, measurement->bytes / events, (end->wall - begin->wall) / 1e6,
           (end->user - begin->user) / events, (end->system - begin->system) / events,
           (end->switches - begin->switches) / events, (measurement->first - measurement->started) / 1e3,
           status_kilobytes("VmHWM"));
    if (measurement->process_started > 0) {
        printf(" process=%.3f", (measurement->first - measurement->process_started) / 1e3);
    }
    if (measurement->latencies != NULL) {
        print_latencies(measurement);
    }
    printf("\n");
}

#endif
