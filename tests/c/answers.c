/* answers EMULATOR: NULL, garbage, closed feeds and numbers that are not held are answered with a status. */
#include "every_call.h"

/* A call that fails, its feed and its error object. */
static void check_create_fails(const char *config, const char *code) {
    datafeed *feed = (datafeed *)1;
    char *error = NULL;
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_create(config, &feed, &error));
    CHECK(feed == NULL && error != NULL);
    char *member = text_of("\"code\":\"%s\"", code);
    CHECK(error[0] == '{' && strstr(error, member) != NULL);
    CHECK(strstr(error, "\"message\":\"") != NULL && strstr(error, "\"retryable\":false") != NULL);
    free(member);
    datafeed_string_free(error);
    feed = (datafeed *)1;
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_create(config, &feed, NULL));
    CHECK(feed == NULL);
}

static void creation(const char *config) {
    check_create_fails(NULL, "CONFIG_INVALID");
    check_create_fails("", "CONFIG_INVALID");
    check_create_fails("{", "CONFIG_INVALID");
    check_create_fails("{}", "CONFIG_INVALID");
    check_create_fails("{\"bot\":\"\xff\"}", "CONFIG_INVALID");
    check_create_fails("/nowhere/config.json", "FILE_INVALID");
    char *error = NULL;
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_create(config, NULL, &error));
    CHECK(error != NULL);
    datafeed_string_free(error);
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_create(config, NULL, NULL));
}

static void what_is_no_feed(datafeed *feed) {
    int on_the_stack[64] = {0};
    void *on_the_heap = calloc(1, 4096);
    CHECK(on_the_heap != NULL);
    uintptr_t garbage[] = {0, 1, 4096, UINTPTR_MAX, UINTPTR_MAX / 2 + 1, (uintptr_t)feed - 1, (uintptr_t)feed + 1,
                           (uintptr_t)on_the_stack, (uintptr_t)on_the_heap, (uintptr_t)datafeed_version()};
    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
        check_every_call((datafeed *)garbage[i], DATAFEED_INVALID_ARGUMENT);
    }
    free(on_the_heap);
}

/* No other address near a feed is one. */
static void near_a_feed(datafeed *feed) {
    for (intptr_t distance = -20000; distance <= 20000; distance++) {
        int32_t expected = distance == 0 ? DATAFEED_OK : DATAFEED_INVALID_ARGUMENT;
        CHECK_IS(expected, datafeed_interrupt((datafeed *)((uintptr_t)feed + (uintptr_t)distance)));
    }
    CHECK_IS(DATAFEED_INTERRUPTED, no_event(feed, -1));
}

static void no_place_for_the_answer(datafeed *feed, uint64_t held) {
    uint64_t delivery = 7;
    const char *event = "not NULL";
    size_t length = 7;
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_next_event(feed, -1, NULL, &event, &length));
    CHECK(event == NULL && length == 0);
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_next_event(feed, -1, &delivery, NULL, &length));
    CHECK(delivery == 0);
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_next_event(feed, -1, NULL, NULL, NULL));
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_fd(feed, NULL));
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_attempt(feed, held, NULL));
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_dead_letters(feed, 0, NULL));
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_error(feed, NULL));
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_stats(feed, NULL));
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_session(feed, NULL));
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_renew_session(feed, "not in use", -1, NULL));
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_renew_session(feed, NULL, -1, NULL));
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_next_log(feed, -1, NULL));
}

/* NULL for everything at once. */
static void nothing_at_all(void) {
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_create(NULL, NULL, NULL));
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_close(NULL));
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_interrupt(NULL));
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_fd(NULL, NULL));
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_next_event(NULL, -1, NULL, NULL, NULL));
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_ack(NULL, 0));
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_nack(NULL, 0));
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_attempt(NULL, 0, NULL));
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_dead_letters(NULL, 0, NULL));
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_resubmit(NULL, 0));
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_discard(NULL, 0));
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_error(NULL, NULL));
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_stats(NULL, NULL));
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_session(NULL, NULL));
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_renew_session(NULL, NULL, -1, NULL));
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_next_log(NULL, -1, NULL));
    datafeed_string_free(NULL);
}

/* `expected`: what it is answered when it is acknowledged or refused. */
static void check_not_held(datafeed *feed, uint64_t delivery, int32_t expected) {
    uint32_t attempt = 7;
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_attempt(feed, delivery, &attempt));
    CHECK_IS(0, attempt);
    CHECK_IS(expected, datafeed_ack(feed, delivery));
    CHECK_IS(expected, datafeed_nack(feed, delivery));
    CHECK_IS(expected, datafeed_copied(feed, delivery));
}

static void check_attempt(datafeed *feed, uint64_t delivery, uint32_t expected) {
    uint32_t attempt = 0;
    CHECK_IS(DATAFEED_OK, datafeed_attempt(feed, delivery, &attempt));
    CHECK_IS(expected, attempt);
}

/* Leaves one event held, whose number is returned. */
static uint64_t delivery_numbers(const emulator *service, datafeed *feed, datafeed *other) {
    publish(service, "[{\"id\":\"1\"},{\"id\":\"2\"},{\"id\":\"3\"}]");
    uint64_t delivery, foreign;
    const char *event;
    /* The length may be left out. */
    CHECK_IS(DATAFEED_OK, datafeed_next_event(feed, PATIENCE, &delivery, &event, NULL));
    CHECK(strcmp(event, "{\"id\":\"1\"}") == 0);
    check_attempt(feed, delivery, 1);
    uint64_t never[] = {0, delivery + 1000, UINT64_MAX, (uint64_t)1 << 63, (uint64_t)1 << 32};
    for (size_t i = 0; i < sizeof never / sizeof *never; i++) check_not_held(feed, never[i], DATAFEED_INVALID_ARGUMENT);
    CHECK_IS(DATAFEED_OK, datafeed_ack(feed, delivery));
    check_not_held(feed, delivery, DATAFEED_INVALID_ARGUMENT);

    /* Of another feed: the one that has handed out more. */
    for (int i = 0; i < 3; i++) foreign = receive(other, &event);
    CHECK(foreign != delivery);
    check_not_held(feed, foreign, DATAFEED_INVALID_ARGUMENT);
    check_attempt(other, foreign, 1);
    CHECK_IS(DATAFEED_OK, datafeed_ack(other, foreign));

    uint64_t refused = receive(feed, &event);
    CHECK(strcmp(event, "{\"id\":\"2\"}") == 0);
    CHECK_IS(DATAFEED_OK, datafeed_nack(feed, refused));
    check_not_held(feed, refused, DATAFEED_INVALID_ARGUMENT);
    receive_and_ack(feed, "{\"id\":\"3\"}");
    delivery = receive(feed, &event);
    CHECK(strcmp(event, "{\"id\":\"2\"}") == 0);
    CHECK(delivery > refused);
    check_not_held(feed, refused, DATAFEED_INVALID_ARGUMENT);
    check_attempt(feed, delivery, 2);
    return delivery;
}

static void timeouts(datafeed *feed) {
    const int32_t never_over[] = {-1, INT32_MIN, INT32_MAX};
    for (int i = 0; i < 3; i++) {
        waiter thread;
        waiter_start(&thread, feed, never_over[i]);
        CHECK_IS(DATAFEED_OK, datafeed_interrupt(feed));
        CHECK_IS(DATAFEED_INTERRUPTED, waiter_end(&thread));
    }
    CHECK_IS(DATAFEED_TIMEOUT, no_event(feed, 0));
    CHECK_IS(DATAFEED_TIMEOUT, no_event(feed, 1));
    CHECK_IS(DATAFEED_TIMEOUT, no_line(feed, 0));
    CHECK_IS(DATAFEED_TIMEOUT, no_line(feed, 1));
}

static void after_close(datafeed *feed, uint64_t held) {
    char *owned = "not NULL";
    int descriptor = -1;
    CHECK_IS(DATAFEED_OK, datafeed_close(feed));
    CHECK_IS(DATAFEED_CLOSED, datafeed_close(feed));
    CHECK_IS(DATAFEED_CLOSED, no_event(feed, -1));
    CHECK_IS(DATAFEED_CLOSED, no_event(feed, 0));
    CHECK_IS(DATAFEED_OK, datafeed_interrupt(feed));
    CHECK_IS(DATAFEED_CLOSED, no_event(feed, -1));
    check_attempt(feed, held, 2);
    CHECK_IS(DATAFEED_CLOSED, datafeed_ack(feed, held));
    check_not_held(feed, held, DATAFEED_CLOSED);
    CHECK_IS(DATAFEED_CLOSED, datafeed_session(feed, &owned));
    CHECK(owned == NULL);
    owned = "not NULL";
    CHECK_IS(DATAFEED_CLOSED, datafeed_dead_letters(feed, 0, &owned));
    CHECK(owned == NULL);
    CHECK_IS(DATAFEED_CLOSED, datafeed_resubmit(feed, 1));
    CHECK_IS(DATAFEED_CLOSED, datafeed_discard(feed, 1));
    CHECK_IS(DATAFEED_OK, datafeed_error(feed, &owned));
    datafeed_string_free(owned);
    CHECK_IS(DATAFEED_OK, datafeed_stats(feed, &owned));
    CHECK(strstr(owned, "\"state\":\"CLOSED\"") != NULL);
    datafeed_string_free(owned);
    CHECK_IS(DATAFEED_OK, datafeed_fd(feed, &descriptor));
    CHECK(descriptor >= 0);
    CHECK_IS(DATAFEED_CLOSED, no_line(feed, -1));
    CHECK_IS(DATAFEED_CLOSED, no_line(feed, 0));
    no_place_for_the_answer(feed, held);
}

int main(int argc, char **argv) {
    CHECK_IS(2, argc);
    emulator service = emulator_start(argv[1]);
    nothing_at_all();
    creation(service.config);
    what_is_no_feed(NULL);
    control_only(&service, "feeds", "{\"tag\":\"other\"}");
    char *config = config_with(&service, "\"nackDelay\":10");
    datafeed *feed = open_with(config);
    free(config);
    what_is_no_feed(feed);
    near_a_feed(feed);
    config = config_with(&service, "\"datafeed\":{\"tag\":\"other\"}");
    datafeed *other = open_with(config);
    free(config);
    uint64_t held = delivery_numbers(&service, feed, other);
    no_place_for_the_answer(feed, held);
    timeouts(feed);
    after_close(feed, held);
    CHECK_IS(DATAFEED_OK, datafeed_close(other));
    emulator_stop(&service);
}
