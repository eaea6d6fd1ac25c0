/* Steps: events are published. */
#include "world.h"

/* Notes the template with these in its places, so that it is published. */
static void make(world *self, const char *name, const char *text, const char *user) {
    char *json;
    size_t length;
    FILE *stream = open_memstream(&json, &length);
    CHECK(stream != NULL);
    for (const char *at = self->template; *at != '\0';) {
        const char *value = NULL, *place = at;
        if (strncmp(at, "@NAME@", 6) == 0) value = name, at += 6;
        else if (strncmp(at, "@TEXT@", 6) == 0) value = text, at += 6;
        else if (strncmp(at, "@USER@", 6) == 0) value = user, at += 6;
        if (value != NULL) fputs(value, stream);
        else fputc(*place, stream), at++;
    }
    fclose(stream);
    add_event(self, name, json);
}

/* Publishes what was made since there were so many. */
static void publish_from(world *self, size_t first) {
    char *list;
    size_t length;
    FILE *stream = open_memstream(&list, &length);
    CHECK(stream != NULL);
    for (size_t i = first; i < self->count; i++) fprintf(stream, "%c%s", i == first ? '[' : ',', self->events[i].json);
    fputc(']', stream);
    fclose(stream);
    publish(&self->service, list);
    free(list);
}

static void step_publish(world *self, char *rest) {
    size_t first = self->count;
    while (*rest != '\0') make(self, take_word(&rest), "hello", "1");
    publish_from(self, first);
}

static void step_publish_text(world *self, char *rest) {
    const char *name = take_word(&rest);
    make(self, name, rest, "1");
    publish_from(self, self->count - 1);
}

static void step_publish_user(world *self, char *rest) {
    const char *name = take_word(&rest);
    make(self, name, "hello", rest);
    publish_from(self, self->count - 1);
}

static void step_publish_large(world *self, char *rest) {
    const char *name = take_word(&rest);
    size_t length = (size_t)take_number(&rest);
    char *text = malloc(length + 1);
    CHECK(text != NULL);
    memset(text, 'x', length);
    text[length] = '\0';
    make(self, name, text, "1");
    publish_from(self, self->count - 1);
    free(text);
}

const step publishing_steps[] = {
    {"publish", step_publish},
    {"publish-text", step_publish_text},
    {"publish-user", step_publish_user},
    {"publish-large", step_publish_large},
    {NULL, NULL},
};
