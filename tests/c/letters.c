/* letters EMULATOR: events that were refused too often are listed, handed out again and thrown away, and what could not be
 * stored is taken all the same. */
#include "folder.h"
#include "harness.h"
#include "limits.h"

/* More than one call lists. */
enum { PAGE = 100, MANY = 120 };

static datafeed *open_in(const emulator *service, const char *folder) {
    char *more = text_of("\"stateDir\":\"%s\",\"maxAttempts\":1", folder), *config = config_with(service, more);
    datafeed *feed = open_with(config);
    free(config);
    free(more);
    return feed;
}

static char *event_of(int number) { return text_of("{\"id\":\"event-%d\"}", number); }

static void publish_many(const emulator *service) {
    char *list;
    size_t length;
    FILE *stream = open_memstream(&list, &length);
    CHECK(stream != NULL);
    for (int i = 0; i < MANY; i++) fprintf(stream, "%c{\"id\":\"event-%d\"}", i == 0 ? '[' : ',', i);
    fputc(']', stream);
    fclose(stream);
    publish(service, list);
    free(list);
}

/* The id of the letter that begins behind this place, which is moved behind that; 0 when there is none. The ids of the
 * events are strings. */
static uint64_t next_id(const char **place) {
    for (const char *found = *place; (found = strstr(found, "\"id\":")) != NULL;) {
        found += strlen("\"id\":");
        if (*found < '0' || *found > '9') continue;
        *place = found;
        return strtoull(found, NULL, 10);
    }
    return 0;
}

/* The list after this letter: so many, from this event on, in the order in which they were refused. Answers the last id. */
static uint64_t check_letters(datafeed *feed, uint64_t after, int first, int count) {
    char *letters;
    CHECK_IS(DATAFEED_OK, datafeed_dead_letters(feed, after, &letters));
    const char *place = letters, *text = letters;
    for (int i = 0; i < count; i++) {
        char *json = event_of(first + i), *member = text_of("\"event\":%s", json);
        text = strstr(text, member);
        CHECK(text != NULL);
        free(member);
        free(json);
        uint64_t id = next_id(&place);
        CHECK(id > after);
        after = id;
    }
    CHECK_IS(0, next_id(&place));
    if (count > 0) {
        CHECK_IS(1, number_in(letters, "attempts"));
        CHECK(number_in(letters, "at") / 1000 <= time(NULL));
    }
    datafeed_string_free(letters);
    return after;
}

static void they_are_listed_in_pages(const emulator *service, const char *folder) {
    datafeed *feed = open_in(service, folder);
    const char *event;
    publish_many(service);
    for (int i = 0; i < MANY; i++) CHECK_IS(DATAFEED_OK, datafeed_nack(feed, receive(feed, &event)));
    uint64_t last = check_letters(feed, 0, 0, PAGE);
    last = check_letters(feed, last, PAGE, MANY - PAGE);
    CHECK_IS(MANY, (long long)check_letters(feed, last - 1, MANY - 1, 1));
    check_letters(feed, last, 0, 0);
    check_letters(feed, UINT64_MAX, 0, 0);
    check_all_acknowledged(service, MANY);
    CHECK_IS(DATAFEED_OK, datafeed_close(feed));
}

/* In the next process, as it were. */
static void they_are_taken_out(const emulator *service, const char *folder) {
    datafeed *feed = open_in(service, folder);
    check_letters(feed, MANY - 3, MANY - 3, 3);
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_resubmit(feed, 0));
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_discard(feed, MANY + 1));
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_resubmit(feed, UINT64_MAX));
    CHECK_IS(DATAFEED_OK, datafeed_discard(feed, MANY));
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_discard(feed, MANY));
    CHECK_IS(DATAFEED_OK, datafeed_resubmit(feed, MANY - 1));
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_resubmit(feed, MANY - 1));
    check_letters(feed, MANY - 3, MANY - 3, 1);
    char *json = event_of(MANY - 2);
    const char *event;
    uint64_t delivery = receive(feed, &event);
    uint32_t attempt;
    CHECK(strcmp(event, json) == 0);
    CHECK_IS(DATAFEED_OK, datafeed_attempt(feed, delivery, &attempt));
    CHECK_IS(1, attempt);
    CHECK_IS(DATAFEED_OK, datafeed_ack(feed, delivery));
    free(json);
    CHECK_IS(DATAFEED_OK, datafeed_close(feed));
}

static void what_is_not_stored_is_taken(const emulator *service, const char *folder) {
    datafeed *feed = open_in(service, folder);
    UNTIL(is_reading(feed));
    publish(service, "[{\"id\":\"acknowledged\"},{\"id\":\"refused\"}]");
    const char *event;
    uint64_t acknowledged = receive(feed, &event), refused = receive(feed, &event);
    let_files_grow(0);
    CHECK_IS(DATAFEED_NOT_STORED, datafeed_ack(feed, acknowledged));
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_ack(feed, acknowledged));
    CHECK_IS(DATAFEED_NOT_STORED, datafeed_nack(feed, refused));
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_nack(feed, refused));
    CHECK_IS(DATAFEED_NOT_STORED, datafeed_discard(feed, 1));
    CHECK_IS(DATAFEED_NOT_STORED, datafeed_discard(feed, 1));
    UNTIL(is_in_state(feed, "WAITING_FOR_STORE"));
    char *error;
    CHECK_IS(DATAFEED_OK, datafeed_error(feed, &error));
    CHECK(strstr(error, "\"code\":\"STATE_UNAVAILABLE\"") != NULL && strstr(error, "\"retryable\":true") != NULL);
    datafeed_string_free(error);
    let_files_grow(1);
    UNTIL(is_reading(feed));
    CHECK_IS(DATAFEED_OK, datafeed_discard(feed, 1));
    check_letters(feed, 0, 1, PAGE);
    char *letters;
    CHECK_IS(DATAFEED_OK, datafeed_dead_letters(feed, MANY, &letters));
    CHECK(strstr(letters, "\"event\":{\"id\":\"refused\"}") != NULL && strstr(letters, "acknowledged") == NULL);
    datafeed_string_free(letters);
    CHECK_IS(DATAFEED_OK, datafeed_close(feed));
}

int main(int argc, char **argv) {
    CHECK_IS(2, argc);
    char *folder = folder_make();
    emulator service = emulator_start(argv[1]);
    /* The read that a close has cut would take what is published to the next feed. */
    control_only(&service, "settings", "{\"abandonedReadsTake\":false}");
    they_are_listed_in_pages(&service, folder);
    they_are_taken_out(&service, folder);
    what_is_not_stored_is_taken(&service, folder);
    emulator_stop(&service);
    folder_remove(folder);
}
