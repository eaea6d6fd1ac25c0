/* small_stacks EMULATOR: every function works in a thread with a stack of 64 KiB, whatever size of configuration and
 * event it is given. */
#include "harness.h"

#ifdef INSTRUMENTED
/* They keep more on the stack than the program does. */
enum { STACK = 1 << 20 };
#else
enum { STACK = 64 << 10 };
#endif
/* Deeper events are refused. */
enum { BIG = 10 << 20, LEVELS = 500 };

typedef struct {
    const emulator *service;
    void (*body)(const emulator *);
} call;

static void *run(void *argument) {
    call *self = argument;
    self->body(self->service);
    return NULL;
}

static void on_a_small_stack(const emulator *service, void (*body)(const emulator *)) {
    pthread_attr_t small;
    pthread_t thread;
    CHECK_IS(0, pthread_attr_init(&small));
    CHECK_IS(0, pthread_attr_setstacksize(&small, STACK));
    call arguments = {service, body};
    CHECK_IS(0, pthread_create(&thread, &small, run, &arguments));
    CHECK_IS(0, pthread_join(thread, NULL));
    pthread_attr_destroy(&small);
}

/* So many times the same text; the caller frees it. */
static char *repeated(const char *text, int times) {
    char *whole;
    size_t length;
    FILE *stream = open_memstream(&whole, &length);
    CHECK(stream != NULL);
    while (times-- > 0) fputs(text, stream);
    fclose(stream);
    return whole;
}

static void check_create_fails(char *config) {
    datafeed *feed;
    char *error;
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_create(config, &feed, &error));
    CHECK(feed == NULL && error != NULL);
    datafeed_string_free(error);
    free(config);
}

/* The first call of the process, which sets up what is set up once. */
static void create_with_tls(const emulator *service) {
    char *config = config_with(service, "\"retry\":{\"initialIntervalMillis\":1,\"maxIntervalMillis\":1}");
    char *scheme = strstr(config, "\"http\"");
    CHECK(scheme != NULL);
    char *rest = text_of("%s", scheme + strlen("\"http\"")), *whole;
    *scheme = '\0';
    whole = text_of("%s\"https\"%s", config, rest);
    datafeed *feed = open_with(whole);
    char *trouble = NULL;
    do {
        datafeed_string_free(trouble);
        CHECK_IS(DATAFEED_OK, datafeed_error(feed, &trouble));
    } while (trouble == NULL);
    CHECK(strstr(trouble, "TLS") != NULL);
    datafeed_string_free(trouble);
    CHECK_IS(DATAFEED_OK, datafeed_close(feed));
    free(whole);
    free(rest);
    free(config);
}

static void create_from_what_is_wrong(const emulator *service) {
    (void)service;
    check_create_fails(repeated("[", 1 << 20));
    check_create_fails(repeated("{\"bot\":", 1 << 20));
    check_create_fails(repeated("/nowhere", 1 << 20));
}

static datafeed *feed;

static void create_from_much(const emulator *service) {
    char *many = repeated("\"unknown\":{\"deep\":[[[[[[[[{}]]]]]]]]},", 20000);
    char *more = text_of("%s\"nackDelay\":10", many), *config = config_with(service, more);
    feed = open_with(config);
    free(config);
    free(more);
    free(many);
}

static void make_every_call(const emulator *service) {
    char *text = repeated("0123456789", BIG / 10), *deep = repeated("[", LEVELS), *end = repeated("]", LEVELS);
    char *event = text_of("{\"text\":\"%s\"}", text), *nested = text_of("{\"deep\":%s%s}", deep, end);
    char *events = text_of("[%s,%s]", event, nested), *owned;
    const char *received;
    uint32_t attempt;
    int descriptor;
    publish(service, events);
    CHECK_IS(DATAFEED_OK, datafeed_interrupt(feed));
    CHECK_IS(DATAFEED_INTERRUPTED, no_event(feed, -1));
    CHECK_IS(DATAFEED_OK, datafeed_fd(feed, &descriptor));
    CHECK_IS(DATAFEED_OK, datafeed_nack(feed, receive(feed, &received)));
    receive_and_ack(feed, nested);
    uint64_t delivery = receive(feed, &received);
    CHECK(strcmp(event, received) == 0);
    CHECK_IS(DATAFEED_OK, datafeed_attempt(feed, delivery, &attempt));
    CHECK_IS(2, attempt);
    CHECK_IS(DATAFEED_OK, datafeed_ack(feed, delivery));
    check_all_acknowledged(service, 2);
    CHECK_IS(DATAFEED_OK, datafeed_stats(feed, &owned));
    datafeed_string_free(owned);
    CHECK_IS(DATAFEED_OK, datafeed_error(feed, &owned));
    datafeed_string_free(owned);
    CHECK_IS(DATAFEED_OK, datafeed_session(feed, &owned));
    datafeed_string_free(owned);
    CHECK(datafeed_version() != NULL);
    CHECK_IS(DATAFEED_TIMEOUT, no_line(feed, 0));
    CHECK_IS(DATAFEED_OK, datafeed_close(feed));
    CHECK_IS(DATAFEED_CLOSED, no_line(feed, -1));
    free(events);
    free(nested);
    free(event);
    free(end);
    free(deep);
    free(text);
}

int main(int argc, char **argv) {
    CHECK_IS(2, argc);
    void (*const scenes[])(const emulator *) = {
        create_with_tls, create_from_what_is_wrong, create_from_much, make_every_call,
    };
    emulator service = emulator_start(argv[1]);
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) on_a_small_stack(&service, scenes[i]);
    emulator_stop(&service);
}
