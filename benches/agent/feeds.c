#include "feeds.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "answers.h"
#include "settings.h"

#define MOST_FEEDS 4096
#define SECOND 1000000000L

struct feed {
    struct answer *answers;
    int answer_count;
    struct answer empty;
    /* Of the answer before; its text is empty before the first. */
    char expected[sizeof ACK_ID_START ACK_ID_END + NUMBER_WIDTH];
    unsigned long number;
    long unacknowledged;
    long events;
    /* When the next event is due, where they come at a rate. */
    long due;
};

static struct feed *feeds[MOST_FEEDS];
static pthread_mutex_t creating = PTHREAD_MUTEX_INITIALIZER;

static pthread_once_t first_read = PTHREAD_ONCE_INIT;
static struct rusage first_usage;
static double first_wall;

static long nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SECOND + now.tv_nsec;
}

static void note_first_read(void)
{
    getrusage(RUSAGE_SELF, &first_usage);
    first_wall = nanoseconds() / 1e3;
}

const struct rusage *usage_at_first_read(double *wall)
{
    pthread_once(&first_read, note_first_read);
    *wall = first_wall;
    return &first_usage;
}

struct feed *feed_of(unsigned long login)
{
    if (login >= MOST_FEEDS) {
        return NULL;
    }
    pthread_mutex_lock(&creating);
    struct feed *feed = feeds[login];
    if (feed == NULL) {
        feed = calloc(1, sizeof *feed);
        if (feed == NULL) {
            die("calloc");
        }
        feed->answers = copy_answers(&feed->answer_count);
        feed->empty = copy_empty_answer();
        feeds[login] = feed;
    }
    pthread_mutex_unlock(&creating);
    return feed;
}

/* An event that was due while nobody waited counts from then on; one into an open read from when it is sent. */
static void wait_for_event(struct feed *feed, struct answer *answer)
{
    long now = nanoseconds(), emitted;
    if (feed->due == 0) {
        feed->due = now;
    }
    if (feed->due > now) {
        struct timespec due = {.tv_sec = feed->due / SECOND, .tv_nsec = feed->due % SECOND};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
        emitted = nanoseconds();
    } else {
        emitted = feed->due;
    }
    feed->due += SECOND / settings.rate;
    stamp_answer(answer, emitted);
}

static struct answer *next_answer(struct feed *feed, struct channel *channel)
{
    if (settings.events > 0 && feed->events >= settings.events) {
        return hold(channel, settings.hold) ? &feed->empty : NULL;
    }
    struct answer *answer = &feed->answers[feed->number % feed->answer_count];
    feed->events += settings.batch;
    return answer;
}

bool answer_read(struct feed *feed, struct channel *channel, const char *body, size_t body_length)
{
    pthread_once(&first_read, note_first_read);
    /* A feed's first read has nothing to acknowledge. */
    if (feed->expected[0] != '\0' && memmem(body, body_length, feed->expected, strlen(feed->expected)) == NULL) {
        feed->unacknowledged++;
    }
    struct answer *answer = next_answer(feed, channel);
    if (answer == NULL) {
        return false;
    }
    char digits[NUMBER_WIDTH + 1] = "";
    write_number(digits, ++feed->number);
    number_answer(answer, feed->number);
    snprintf(feed->expected, sizeof feed->expected, ACK_ID_START "%s" ACK_ID_END, digits);
    if (settings.rate > 0) {
        wait_for_event(feed, answer);
    }
    return send_all(channel, answer->text, answer->length);
}

struct totals add_up(void)
{
    struct totals totals = {0};
    for (int index = 0; index < MOST_FEEDS; index++) {
        const struct feed *feed = feeds[index];
        if (feed != NULL) {
            totals.reads += feed->number;
            totals.unacknowledged += feed->unacknowledged;
            totals.events += feed->events;
        }
    }
    return totals;
}
