/* receives EMULATOR THREADS: 10,000 events arrive once and byte for byte as published, with one thread in order, and
 * the service has every acknowledgement. */
#include "harness.h"

enum { EVENTS = 10000, BATCH = 100, LARGEST = 4096 };

static datafeed *feed;
static int in_order;
static atomic_int seen[EVENTS];

/* The event with this number: of many lengths, with white space, escapes and all kinds of characters. */
static size_t write_event(char text[LARGEST], int number) {
    static const char *const words[] = {
        "caf\xc3\xa9", "\\u0000", "\\\"}],[{", "\xf0\x9f\x98\x80", "\\ud83d\\ude00", "\\\\", " \\r\\n\\t", "<div>&lt;</div>", "x",
        "\xe6\xbc\xa2\xe5\xad\x97", "\x7f", "\\/",
    };
    const int count = sizeof words / sizeof *words;
    int length = snprintf(text, LARGEST,
                          "{ \"id\":\"event-%d\",\n\t\"type\" : \"MESSAGESENT\",\"large\":%d00000000000000000000,"
                          "\"numbers\":[-0.0, 1E+2,{ },[ ]],\"text\":\"",
                          number, number + 1);
    for (int left = number * 7919 % 250; left > 0; left--) {
        length += snprintf(text + length, LARGEST - (size_t)length, "%s", words[(number + left) % count]);
    }
    length += snprintf(text + length, LARGEST - (size_t)length, "\"%s}", number % 3 == 0 ? " " : "");
    CHECK(length < LARGEST);
    return (size_t)length;
}

static void *receive_all(void *unused) {
    uint64_t delivery, delivery_before = 0;
    const char *event;
    size_t length;
    int32_t status;
    char expected[LARGEST];
    for (int count = 0; (status = datafeed_next_event(feed, -1, &delivery, &event, &length)) == DATAFEED_OK; count++) {
        const char *id = strstr(event, "\"event-");
        CHECK(id != NULL);
        int number = atoi(id + strlen("\"event-"));
        CHECK(number >= 0 && number < EVENTS);
        CHECK_IS((long long)write_event(expected, number), (long long)length);
        CHECK(memcmp(event, expected, length + 1) == 0);
        CHECK_IS(0, atomic_fetch_add(&seen[number], 1));
        CHECK(delivery > delivery_before);
        delivery_before = delivery;
        if (in_order) CHECK_IS(count, number);
        CHECK_IS(DATAFEED_OK, datafeed_ack(feed, delivery));
    }
    CHECK_IS(DATAFEED_CLOSED, status);
    return unused;
}

int main(int argc, char **argv) {
    CHECK_IS(3, argc);
    int count = atoi(argv[2]);
    CHECK(count >= 1 && count <= 64);
    pthread_t threads[64];
    emulator service = emulator_start(argv[1]);
    in_order = count == 1;
    feed = open_feed(&service);
    for (int i = 0; i < count; i++) CHECK_IS(0, pthread_create(&threads[i], NULL, receive_all, NULL));
    char *events = malloc(BATCH * (LARGEST + 1) + 2);
    CHECK(events != NULL);
    for (int number = 0; number < EVENTS;) {
        char *end = events;
        for (int i = 0; i < BATCH; i++) {
            *end++ = i == 0 ? '[' : ',';
            end += write_event(end, number++);
        }
        strcpy(end, "]");
        publish(&service, events);
    }
    free(events);
    check_all_acknowledged(&service, EVENTS);
    CHECK_IS(DATAFEED_OK, datafeed_close(feed));
    for (int i = 0; i < count; i++) CHECK_IS(0, pthread_join(threads[i], NULL));
    for (int number = 0; number < EVENTS; number++) CHECK_IS(1, atomic_load(&seen[number]));
    emulator_stop(&service);
}
