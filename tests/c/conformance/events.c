/* Steps: events are taken, acknowledged and refused. */
#include "world.h"

known_event *find_event(world *self, const char *name) {
    for (size_t i = 0; i < self->count; i++) {
        if (strcmp(self->events[i].name, name) == 0) return &self->events[i];
    }
    return NULL;
}

known_event *add_event(world *self, const char *name, char *json) {
    CHECK(self->count < EVENTS && strlen(name) < NAME && find_event(self, name) == NULL);
    known_event *event = &self->events[self->count++];
    strcpy(event->name, name);
    event->json = json;
    return event;
}

known_event *known(world *self, const char *name) {
    known_event *event = find_event(self, name);
    if (event == NULL) fprintf(stderr, "there is no event '%s'\n", name);
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

/* What of it is a text without escapes. */
static void check_member(const char *json, const char *name, const char *expected) {
    char *found = text_in(json, name);
    CHECK(strcmp(found, expected) == 0);
    free(found);
}

static void step_gap(world *self, char *rest) {
    taken_event taken;
    CHECK_IS(DATAFEED_OK, self->by->next(self->feed, LONGEST, &taken));
    const char *gap = strstr(taken.json, "\"datafeedGap\":{");
    CHECK(gap != NULL);
    check_member(taken.json, "type", "DATAFEEDGAP");
    check_member(gap, "reason", rest);
    CHECK(number_in(gap, "from") > 0 && number_in(gap, "from") <= number_in(gap, "to"));
    CHECK_IS(number_in(taken.json, "timestamp"), number_in(gap, "to"));
    char *feed = text_in(gap, "feedId"), *stats = self->by->stats(self->feed);
    check_member(stats, "feedId", feed);
    free(feed);
    free(stats);
    expect_event(self, add_event(self, "gap", text_of("%s", taken.json)), taken, 1);
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
    {"gap", step_gap},
    {"nothing", step_nothing},
    {"ack", step_ack},
    {"nack", step_nack},
    {NULL, NULL},
};
