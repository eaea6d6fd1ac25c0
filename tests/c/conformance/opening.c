/* Steps: a feed is opened, and reads. */
#include "world.h"

/* The object with the case's folder in its place. */
static char *with_folder(const world *self, const char *object) {
    const char *place = strstr(object, "@FOLDER@");
    if (place == NULL) return text_of("%s", object);
    return text_of("%.*s%s%s", (int)(place - object), object, self->folder, place + strlen("@FOLDER@"));
}

/* The emulator's configuration with the members of an object, and the steps' own where it does not have them. */
static char *config_of(const world *self, const char *members) {
    char *object = with_folder(self, members);
    const char *own = strstr(object, "\"nackDelay\"") ? "" : "\"nackDelay\":10,";
    char *more = text_of("%s%.*s", own, (int)(strlen(object) - 2), object + 1);
    if (more[0] != '\0' && more[strlen(more) - 1] == ',') more[strlen(more) - 1] = '\0';
    char *config = config_with(&self->service, more);
    free(object);
    free(more);
    return config;
}

static void step_open(world *self, char *rest) {
    told_trouble trouble;
    if (self->feed != NULL) self->by->destroy(self->feed);
    char *config = config_of(self, *rest == '\0' ? "{}" : rest);
    CHECK_IS(DATAFEED_OK, self->by->open(config, &self->feed, &trouble));
    free(config);
}

static void step_refused(world *self, char *rest) {
    told_trouble trouble = {"", "", 0};
    void *feed = NULL;
    char *code = take_word(&rest), *field = take_word(&rest), *config = config_of(self, rest);
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, self->by->open(config, &feed, &trouble));
    CHECK(strcmp(trouble.code, code) == 0);
    CHECK(strcmp(trouble.field, field) == 0);
    free(config);
}

static int says_it_reads(world *self) {
    char *stats = self->by->stats(self->feed), *state = text_in(stats, "state");
    int reads = strcmp(state, "READING") == 0;
    free(state);
    free(stats);
    return reads;
}

static void step_reading(world *self, char *rest) {
    (void)rest;
    UNTIL(says_it_reads(self));
}

const step opening_steps[] = {
    {"open", step_open},
    {"refused", step_refused},
    {"reading", step_reading},
    {NULL, NULL},
};
