/* conformance EMULATOR CASES NAME: a case of tests/conformance/cases.txt by datafeed.h. */
#include "conformance/language.h"

#include "harness.h"

typedef struct {
    datafeed *feed;
    uint64_t delivery;
} delivery;

static char *copied(char *owned) {
    char *copy = text_of("%s", owned);
    datafeed_string_free(owned);
    return copy;
}

/* A member of an error object, none of which has escapes here. */
static void take_text(const char *object, const char *name, char place[64]) {
    char *member = text_of("\"%s\":\"", name);
    const char *found = strstr(object, member);
    if (found != NULL) {
        found += strlen(member);
        snprintf(place, 64, "%.*s", (int)strcspn(found, "\""), found);
    }
    free(member);
}

static void take_trouble(char *object, told_trouble *trouble) {
    CHECK(object != NULL);
    take_text(object, "code", trouble->code);
    take_text(object, "field", trouble->field);
    if (strstr(object, "\"httpStatus\"") != NULL) trouble->http_status = (int)number_in(object, "httpStatus");
    datafeed_string_free(object);
}

static int32_t open_it(const char *config, void **feed, told_trouble *trouble) {
    datafeed *opened;
    char *object;
    int32_t status = datafeed_create(config, &opened, &object);
    if (status != DATAFEED_OK) take_trouble(object, trouble);
    *feed = opened;
    return status;
}

static int32_t next(void *feed, int32_t timeout, taken_event *taken) {
    uint64_t number;
    int32_t status = datafeed_next_event(feed, timeout, &number, &taken->json, &taken->length);
    if (status != DATAFEED_OK) return status;
    CHECK_IS(DATAFEED_OK, datafeed_attempt(feed, number, &taken->attempt));
    delivery *event = malloc(sizeof *event);
    CHECK(event != NULL);
    *event = (delivery){feed, number};
    taken->event = event;
    return status;
}

static int32_t ack(taken_event *taken) {
    const delivery *event = taken->event;
    return datafeed_ack(event->feed, event->delivery);
}

static int32_t nack(taken_event *taken) {
    const delivery *event = taken->event;
    return datafeed_nack(event->feed, event->delivery);
}

static void forget(taken_event *taken) { free(taken->event); }

static void interrupt(void *feed) { CHECK_IS(DATAFEED_OK, datafeed_interrupt(feed)); }

static int32_t drain(void *feed, int32_t timeout) { return datafeed_drain(feed, timeout); }

static void close_it(void *feed) {
    int32_t status = datafeed_close(feed);
    CHECK(status == DATAFEED_OK || status == DATAFEED_CLOSED);
}

static void error(void *feed, told_trouble *trouble) {
    char *object;
    CHECK_IS(DATAFEED_OK, datafeed_error(feed, &object));
    take_trouble(object, trouble);
}

static char *stats(void *feed) {
    char *object;
    CHECK_IS(DATAFEED_OK, datafeed_stats(feed, &object));
    return copied(object);
}

static char *session(void *feed) {
    char *object;
    CHECK_IS(DATAFEED_OK, datafeed_session(feed, &object));
    return copied(object);
}

static char *renew(void *feed, const char *refused_token) {
    char *object;
    CHECK_IS(DATAFEED_OK, datafeed_renew_session(feed, refused_token, PATIENCE, &object));
    return copied(object);
}

static int32_t next_log(void *feed, int32_t timeout, char **line) {
    char *object;
    int32_t status = datafeed_next_log(feed, timeout, &object);
    if (status == DATAFEED_OK) *line = copied(object);
    return status;
}

static char *dead_letters(void *feed, uint64_t after) {
    char *letters;
    CHECK_IS(DATAFEED_OK, datafeed_dead_letters(feed, after, &letters));
    return copied(letters);
}

static int32_t resubmit(void *feed, uint64_t letter) { return datafeed_resubmit(feed, letter); }

static int32_t discard(void *feed, uint64_t letter) { return datafeed_discard(feed, letter); }

int main(int argc, char **argv) {
    const language c = {open_it, next,  ack,     nack,  forget,   interrupt,    drain,    close_it, close_it, error,
                        stats,   session, renew, next_log, dead_letters, resubmit, discard};
    return run_case(&c, argc, argv);
}
