/* broken_pipes EMULATOR: no SIGPIPE reaches the process, however the other side breaks its connections. It is left at
 * its default here, where it ends the process. */
#include "harness.h"
#include <poll.h>
#include <signal.h>

enum { CONNECTIONS = 200 };

static int listener;

/* The two steps after which writing raises it: the end in good order, and a reset. */
static void break_it(int connection) {
    struct linger at_once = {1, 0};
    CHECK_IS(0, shutdown(connection, SHUT_WR));
    CHECK_IS(0, setsockopt(connection, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
    CHECK_IS(0, close(connection));
}

/* Breaks one after the other: at once, and after some bytes of a request that is larger than the sockets hold. */
static void *break_all(void *unused) {
    for (int i = 0; i < CONNECTIONS; i++) {
        char some[64 << 10];
        int connection = accept(listener, NULL, NULL);
        CHECK(connection >= 0);
        if (i % 2 == 0) CHECK(read(connection, some, sizeof some) >= 0 || errno == ECONNRESET);
        break_it(connection);
    }
    return unused;
}

static int connect_to(const struct sockaddr_in *address) {
    int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(connection >= 0);
    CHECK_IS(0, connect(connection, (const struct sockaddr *)address, sizeof *address));
    return connection;
}

static struct sockaddr_in listen_anywhere(void) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(listener >= 0);
    CHECK_IS(0, bind(listener, (struct sockaddr *)&address, sizeof address));
    CHECK_IS(0, listen(listener, 16));
    CHECK_IS(0, getsockname(listener, (struct sockaddr *)&address, &size));
    return address;
}

/* A connection that is broken so does raise it. */
static void check_the_breaking(const struct sockaddr_in *address) {
    int client = connect_to(address), served = accept(listener, NULL, NULL);
    CHECK(served >= 0);
    break_it(served);
    struct pollfd polled = {.fd = client};
    CHECK_IS(1, poll(&polled, 1, PATIENCE));
    CHECK_IS(-1, send(client, "x", 1, MSG_NOSIGNAL));
    CHECK_IS(EPIPE, errno);
    close(client);
}

/* Headers make the request large. */
static char *config_for(const emulator *service, unsigned port) {
    char *headers, *bytes = malloc(4001);
    size_t length, all_but_the_end = strlen(service->config) - 1;
    CHECK(bytes != NULL && service->config[all_but_the_end] == '}');
    memset(bytes, 'x', 4000);
    bytes[4000] = '\0';
    FILE *stream = open_memstream(&headers, &length);
    CHECK(stream != NULL);
    for (int i = 0; i < 100; i++) fprintf(stream, "%s\"X-Header-%d\":\"%s\"", i == 0 ? "" : ",", i, bytes);
    fclose(stream);
    /* The last port counts. */
    char *config = text_of("%.*s,\"port\":%u,\"defaultHeaders\":{%s},"
                           "\"retry\":{\"initialIntervalMillis\":1,\"maxIntervalMillis\":1}}",
                           (int)all_but_the_end, service->config, port, headers);
    free(headers);
    free(bytes);
    return config;
}

static void while_requests_are_written(const emulator *service) {
    struct sockaddr_in address = listen_anywhere();
    pthread_t breaker;
    check_the_breaking(&address);
    CHECK_IS(0, pthread_create(&breaker, NULL, break_all, NULL));
    char *config = config_for(service, ntohs(address.sin_port));
    datafeed *feed = open_with(config);
    free(config);
    CHECK_IS(0, pthread_join(breaker, NULL));
    CHECK_IS(DATAFEED_OK, datafeed_close(feed));
    close(listener);
}

static int damaged(const emulator *service) {
    char *requests = control(service, "GET", "requests", "");
    int count = 0;
    for (char *found = requests; (found = strstr(found, "\"damaged\"")) != NULL; found++) count++;
    free(requests);
    return count;
}

static void while_reading(const emulator *service) {
    char *config = config_with(service, "\"retry\":{\"initialIntervalMillis\":1,\"maxIntervalMillis\":1}");
    datafeed *feed = open_with(config);
    free(config);
    control_only(service, "faults",
                 "[{\"endpoint\":\"read\",\"times\":50,\"action\":{\"reset\":{\"afterBytes\":0}}},"
                 "{\"endpoint\":\"read\",\"times\":50,\"action\":{\"reset\":{\"afterBytes\":30}}},"
                 "{\"endpoint\":\"read\",\"times\":50,\"action\":{\"truncate\":{\"afterBytes\":30}}}]");
    UNTIL(damaged(service) == 150);
    publish(service, "[{\"id\":\"1\"}]");
    receive_and_ack(feed, "{\"id\":\"1\"}");
    check_all_acknowledged(service, 1);
    CHECK_IS(DATAFEED_OK, datafeed_close(feed));
}

/* The service ends while the feed has an acknowledgement to send, and stays away. */
static void while_the_service_ends(const emulator *service) {
    char *config = config_with(service, "\"retry\":{\"initialIntervalMillis\":1,\"maxIntervalMillis\":1}");
    datafeed *feed = open_with(config);
    free(config);
    publish(service, "[{\"id\":\"1\"}]");
    const char *event;
    uint64_t delivery = receive(feed, &event);
    CHECK_IS(0, kill(service->program.process, SIGKILL));
    CHECK_IS(DATAFEED_OK, datafeed_ack(feed, delivery));
    char *trouble = NULL;
    UNTIL(datafeed_error(feed, &trouble) == DATAFEED_OK && trouble != NULL);
    datafeed_string_free(trouble);
    CHECK_IS(DATAFEED_OK, datafeed_close(feed));
}

int main(int argc, char **argv) {
    CHECK_IS(2, argc);
    CHECK(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    emulator service = emulator_start(argv[1]);
    while_requests_are_written(&service);
    while_reading(&service);
    emulator_stop(&service);
    service = emulator_start(argv[1]);
    while_the_service_ends(&service);
    CHECK_IS(128 + SIGKILL, child_end(service.program));
    free(service.config);
    CHECK(signal(SIGPIPE, SIG_IGN) == SIG_DFL);
}
