/* Steps: events that were refused too often. */
#include "world.h"

/* The number of the next letter, behind which `place` is then. The ids of events are texts. */
static uint64_t next_id(const char **place) {
    for (const char *found = *place; (found = strstr(found, "\"id\":")) != NULL;) {
        found += strlen("\"id\":");
        if (*found < '0' || *found > '9') continue;
        *place = found;
        return strtoull(found, NULL, 10);
    }
    return 0;
}

static void step_letters(world *self, char *rest) {
    char *letters = self->by->dead_letters(self->feed, 0);
    const char *id = letters, *text = letters;
    while (*rest != '\0') {
        known_event *event = known(self, take_word(&rest));
        char *member = text_of("\"id\":\"%s\"", event->name);
        text = strstr(text, member);
        CHECK(text != NULL);
        free(member);
        event->letter = next_id(&id);
        CHECK(event->letter != 0);
        CHECK_IS(event->taken.attempt, number_in(letters, "attempts"));
        char *after = self->by->dead_letters(self->feed, event->letter);
        CHECK_IS(*rest == '\0', strcmp(after, "[]") == 0);
        free(after);
    }
    CHECK_IS(0, (long long)next_id(&id));
    free(letters);
}

static void take_out(world *self, char *rest, int32_t (*call)(void *, uint64_t)) {
    const known_event *event = known(self, take_word(&rest));
    CHECK(event->letter != 0);
    CHECK_IS(*rest == '\0' ? DATAFEED_OK : status_of(rest), call(self->feed, event->letter));
}

static void step_resubmit(world *self, char *rest) { take_out(self, rest, self->by->resubmit); }

static void step_discard(world *self, char *rest) { take_out(self, rest, self->by->discard); }

const step letter_steps[] = {
    {"letters", step_letters},
    {"resubmit", step_resubmit},
    {"discard", step_discard},
    {NULL, NULL},
};
