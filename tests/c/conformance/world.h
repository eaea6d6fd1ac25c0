/* What the steps of a case share. */
#ifndef CONFORMANCE_WORLD_H
#define CONFORMANCE_WORLD_H

#include "language.h"

#include "../harness.h"

/* How long a step waits for what must happen; how long a name is, and how many events a case publishes at most. */
enum { LONGEST = 20000, NAME = 32, EVENTS = 8 };

/* An event that was published, or that the library tells of, and the latest delivery of it. */
typedef struct {
    char name[NAME];
    char *json;
    taken_event taken;
    /* The dead letter that it is, or 0. */
    uint64_t letter;
} known_event;

/* Another thread, within one call. */
typedef struct {
    const language *by;
    void *feed;
    int32_t timeout, status;
    taken_event taken;
    atomic_long task;
    atomic_int done;
    pthread_t thread;
} other_thread;

typedef struct {
    const language *by;
    emulator service;
    char *template;
    /* A folder of the case's own. */
    char *folder;
    void *feed;
    known_event events[EVENTS];
    size_t count;
    other_thread waiter, drainer;
    /* The messages of the log so far. */
    char *log;
} world;

/* What a step is called and does; `rest` is what stands behind the name, and may be changed. */
typedef struct {
    const char *name;
    void (*run)(world *self, char *rest);
} step;

/* Each ends with a step without a name. */
extern const step opening_steps[], publishing_steps[], event_steps[], letter_steps[], thread_steps[],
    telling_steps[];

/* NULL if there is none of this name. */
known_event *find_event(world *self, const char *name);

/* Fails if there is none of this name. */
known_event *known(world *self, const char *name);

/* Notes an event of which the text is `json`, which it keeps. */
known_event *add_event(world *self, const char *name, char *json);

/* The delivery is that of this event; it takes the place of the one before. */
void expect_event(const world *self, known_event *event, taken_event taken, uint32_t attempt);

/* What a step calls a status: `done` is DATAFEED_OK. */
int32_t status_of(const char *outcome);

/* Cuts the first word off. */
char *take_word(char **rest);
long take_number(char **rest);

/* The value of a string member, which the caller frees; none of those that are looked for has escapes. */
char *text_in(const char *json, const char *name);

#endif
