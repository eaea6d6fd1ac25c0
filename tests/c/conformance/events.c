/* Steps: events are taken, acknowledged and refused. */
#include "world.h"

known_event *find_event(world *self, const char *name) {
    for (size_t i = 0; i < self->count; i++) {
        if (strcmp(self->events[i].name, name) == 0) return &self->events[i];
    }
    return NULL;
}

static known_event *known(world *self, const char *name) {
    known_event *event = find_event(self, name);
    if (event == NULL) fprintf(stderr, "no event was published as '%s'\n", name);
    CHECK(event != NULL);
    return event;
}

void expect_event(const world *self, known_event *event, taken_event taken, uint32_t attempt) {
    CHECK_IS((long long)strlen(event->json), (long long)taken.length);
    CHECK(memcmp(event->json, taken.json, taken.length + 1) == 0);
    CHECK_IS(attempt, taken.attempt);
    if (event->taken.event != NULL) self->by->forget(&event->taken);
    event->taken = taken;
}

static void step_next(world *self, char *rest) {
    known_event *event = known(self, take_word(&rest));
    uint32_t attempt = *rest == '\0' ? 1 : (uint32_t)take_number(&rest);
    taken_event taken;
    CHECK_IS(DATAFEED_OK, self->by->next(self->feed, LONGEST, &taken));
    expect_event(self, event, taken, attempt);
}

static int64_t milliseconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void step_nothing(world *self, char *rest) {
    taken_event taken;
    int32_t timeout = (int32_t)take_number(&rest);
    int64_t begun = milliseconds_now();
    CHECK_IS(status_of(rest), self->by->next(self->feed, timeout, &taken));
    if (status_of(rest) == DATAFEED_TIMEOUT) CHECK(milliseconds_now() - begun >= timeout - 1);
}

static void settle(world *self, char *rest, int32_t (*call)(taken_event *)) {
    known_event *event = known(self, take_word(&rest));
    CHECK(event->taken.event != NULL);
    CHECK_IS(*rest == '\0' ? DATAFEED_OK : status_of(rest), call(&event->taken));
}

static void step_ack(world *self, char *rest) { settle(self, rest, self->by->ack); }

static void step_nack(world *self, char *rest) { settle(self, rest, self->by->nack); }

const step event_steps[] = {
    {"next", step_next},
    {"nothing", step_nothing},
    {"ack", step_ack},
    {"nack", step_nack},
    {NULL, NULL},
};
