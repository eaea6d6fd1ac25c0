/* no_descriptors EMULATOR: without a descriptor left a feed is not created, and one that runs survives until there are
 * some again. */
#include "harness.h"
#include <sys/resource.h>

static struct rlimit limit_before;

/* Every number below 3 is taken, so that this leaves none. What is open stays so. */
static void take_all(void) {
    CHECK_IS(0, getrlimit(RLIMIT_NOFILE, &limit_before));
    struct rlimit none = limit_before;
    none.rlim_cur = 3;
    CHECK_IS(0, setrlimit(RLIMIT_NOFILE, &none));
    CHECK_IS(-1, dup(STDERR_FILENO));
    CHECK_IS(EMFILE, errno);
}

static void give_back(void) { CHECK_IS(0, setrlimit(RLIMIT_NOFILE, &limit_before)); }

static void check_create_fails(const char *config) {
    datafeed *feed = (datafeed *)1;
    char *error = NULL;
    CHECK_IS(DATAFEED_FAILED, datafeed_create(config, &feed, &error));
    CHECK(feed == NULL && error != NULL);
    CHECK(strstr(error, "\"code\":\"INTERNAL\"") != NULL && strstr(error, "descriptor") != NULL);
    datafeed_string_free(error);
    CHECK_IS(DATAFEED_FAILED, datafeed_create(config, &feed, NULL));
}

static long long retries(datafeed *feed) {
    char *stats;
    CHECK_IS(DATAFEED_OK, datafeed_stats(feed, &stats));
    long long count = number_in(stats, "retries");
    datafeed_string_free(stats);
    return count;
}

/* Its connection breaks while it cannot open another. */
static void reconnects(const emulator *service, const char *more) {
    /* So that the fault is for the read after this one. */
    control_only(service, "settings", "{\"pollMillis\":600000}");
    char *config = config_with(service, more);
    datafeed *feed = open_with(config);
    free(config);
    until_a_request_waits(service);
    control_only(service, "faults", "{\"endpoint\":\"read\",\"action\":{\"reset\":{\"afterBytes\":0}}}");
    int connection = control_connect(service);
    take_all();
    int descriptor = 7;
    CHECK_IS(DATAFEED_FAILED, datafeed_fd(feed, &descriptor));
    CHECK_IS(-1, descriptor);
    free(control_over(connection, "POST", "events", "[{\"id\":\"before\"}]"));
    receive_and_ack(feed, "{\"id\":\"before\"}");
    UNTIL(retries(feed) >= 10);
    CHECK_IS(DATAFEED_TIMEOUT, no_event(feed, 0));
    char *trouble;
    CHECK_IS(DATAFEED_OK, datafeed_error(feed, &trouble));
    CHECK(trouble != NULL && strstr(trouble, "\"retryable\":true") != NULL);
    datafeed_string_free(trouble);
    give_back();
    control_only(service, "settings", "{\"pollMillis\":200}");
    publish(service, "[{\"id\":\"after\"}]");
    receive_and_ack(feed, "{\"id\":\"after\"}");
    CHECK_IS(DATAFEED_OK, datafeed_fd(feed, &descriptor));
    check_all_acknowledged(service, 2);
    CHECK_IS(DATAFEED_OK, datafeed_close(feed));
}

/* Close needs none. */
static void closes(const emulator *service) {
    datafeed *feed = open_feed(service);
    UNTIL(is_reading(feed));
    take_all();
    CHECK_IS(DATAFEED_OK, datafeed_close(feed));
    CHECK_IS(DATAFEED_CLOSED, no_event(feed, -1));
    give_back();
}

static void is_not_created(const emulator *service) {
    take_all();
    check_create_fails(service->config);
    give_back();
    datafeed *feed = open_feed(service);
    UNTIL(is_reading(feed));
    take_all();
    check_create_fails(service->config);
    give_back();
    CHECK_IS(DATAFEED_OK, datafeed_close(feed));
}

#define RETRY "\"retry\":{\"initialIntervalMillis\":10,\"maxIntervalMillis\":20}"

static void reconnects_to_an_address(const emulator *service) { reconnects(service, RETRY); }

/* A name is looked up in a thread that wants a descriptor of its own. */
static void reconnects_to_a_name(const emulator *service) {
    emulator named = *service;
    named.config = text_of("%s", service->config);
    char *host = strstr(named.config, "127.0.0.1");
    CHECK(host != NULL);
    memcpy(host, "localhost", strlen("localhost"));
    reconnects(&named, RETRY);
    free(named.config);
}

int main(int argc, char **argv) {
    CHECK_IS(2, argc);
    /* A test driver may have started it without one of them. */
    while (open("/dev/null", O_RDWR) < 3) continue;
    void (*const scenes[])(const emulator *) = {is_not_created, reconnects_to_an_address, reconnects_to_a_name, closes};
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
        emulator service = emulator_start(argv[1]);
        scenes[i](&service);
        emulator_stop(&service);
    }
}
