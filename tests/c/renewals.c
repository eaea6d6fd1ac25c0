/* renewals EMULATOR: datafeed_renew_session waits as long as it is told, is ended by close and by nothing else, and many
 * threads whose token was refused log in once. */
#include "harness.h"

enum { THREADS = 8 };

/* The session token, which the caller frees. */
static char *token_in(const char *session) {
    const char *start = strstr(session, "\"sessionToken\":\"");
    CHECK(start != NULL);
    start += strlen("\"sessionToken\":\"");
    return text_of("%.*s", (int)strcspn(start, "\""), start);
}

static char *token_of(datafeed *feed) {
    char *session;
    CHECK_IS(DATAFEED_OK, datafeed_session(feed, &session));
    char *token = token_in(session);
    datafeed_string_free(session);
    return token;
}

/* The token that was refused to the bot. */
static const char *refused;

/* The status of a call that is to bring no session. */
static int32_t no_renewal(datafeed *feed, int32_t timeout) {
    char *session = "not NULL";
    int32_t status = datafeed_renew_session(feed, refused, timeout, &session);
    CHECK(status != DATAFEED_OK && session == NULL);
    return status;
}

static int32_t a_renewal(datafeed *feed, int32_t timeout) {
    char *session = NULL;
    int32_t status = datafeed_renew_session(feed, refused, timeout, &session);
    CHECK_IS(DATAFEED_OK, status);
    char *token = token_in(session);
    CHECK(strcmp(token, refused) != 0);
    free(token);
    datafeed_string_free(session);
    return status;
}

static void bad_arguments(datafeed *feed) {
    char *session = "not NULL";
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_renew_session(NULL, "token", -1, &session));
    CHECK(session == NULL);
    session = "not NULL";
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_renew_session(feed, NULL, -1, &session));
    CHECK(session == NULL);
    session = "not NULL";
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_renew_session(feed, "\xff", -1, &session));
    CHECK(session == NULL);
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_renew_session(feed, "token", -1, NULL));
}

/* What is not in use needs no renewal. */
static void not_in_use(const emulator *service, datafeed *feed) {
    const int32_t timeouts[] = {-1, INT32_MIN, 0, 1, INT32_MAX};
    char *token = token_of(feed);
    for (size_t i = 0; i < sizeof timeouts / sizeof *timeouts; i++) {
        refused = "";
        CHECK_IS(DATAFEED_OK, a_renewal(feed, timeouts[i]));
        refused = "not in use";
        CHECK_IS(DATAFEED_OK, a_renewal(feed, timeouts[i]));
    }
    char *same = token_of(feed);
    CHECK(strcmp(token, same) == 0);
    CHECK_IS(1, requests_to(service, "sessionLogin"));
    free(same);
    free(token);
}

static void *renew_it(void *feed) {
    CHECK_IS(DATAFEED_OK, a_renewal(feed, PATIENCE));
    return NULL;
}

static void threads_log_in_once(const emulator *service, datafeed *feed) {
    pthread_t threads[THREADS];
    char *token = token_of(feed);
    refused = token;
    CHECK_IS(DATAFEED_TIMEOUT, no_renewal(feed, 0));
    control_only(service, "sessions/expire", "");
    control_only(service, "faults", "{\"endpoint\":\"sessionLogin\",\"action\":{\"delayMillis\":500}}");
    for (int i = 0; i < THREADS; i++) CHECK_IS(0, pthread_create(&threads[i], NULL, renew_it, feed));
    for (int i = 0; i < THREADS; i++) CHECK_IS(0, pthread_join(threads[i], NULL));
    CHECK_IS(2, requests_to(service, "sessionLogin"));
    free(token);
}

static void closed_while_threads_wait(const emulator *service, datafeed *feed) {
    const int32_t never_over[] = {-1, INT32_MIN, INT32_MAX};
    waiter waiters[THREADS];
    char *token = token_of(feed);
    refused = token;
    control_only(service, "faults", "{\"endpoint\":\"sessionLogin\",\"times\":1000,\"action\":\"hang\"}");
    CHECK_IS(DATAFEED_TIMEOUT, no_renewal(feed, 100));
    int before = requests_to(service, "sessionLogin");
    for (int i = 0; i < THREADS; i++) waiter_start_in(&waiters[i], no_renewal, feed, never_over[i % 3]);
    UNTIL(requests_to(service, "sessionLogin") > before);
    CHECK_IS(DATAFEED_TIMEOUT, no_renewal(feed, 1));
    CHECK_IS(DATAFEED_OK, datafeed_interrupt(feed));
    CHECK_IS(DATAFEED_INTERRUPTED, no_event(feed, -1));
    CHECK_IS(DATAFEED_OK, datafeed_close(feed));
    for (int i = 0; i < THREADS; i++) CHECK_IS(DATAFEED_CLOSED, waiter_end(&waiters[i]));
    CHECK_IS(DATAFEED_CLOSED, no_renewal(feed, -1));
    CHECK_IS(DATAFEED_CLOSED, no_renewal(feed, 0));
    refused = "not in use";
    CHECK_IS(DATAFEED_CLOSED, no_renewal(feed, -1));
    free(token);
}

int main(int argc, char **argv) {
    CHECK_IS(2, argc);
    emulator service = emulator_start(argv[1]);
    /* The feed's own read finds out nothing meanwhile. */
    control_only(&service, "settings", "{\"pollMillis\":600000}");
    datafeed *feed = open_feed(&service);
    until_a_request_waits(&service);
    UNTIL(requests_to(&service, "read") == 1);
    bad_arguments(feed);
    not_in_use(&service, feed);
    threads_log_in_once(&service, feed);
    closed_while_threads_wait(&service, feed);
    emulator_stop(&service);
}
