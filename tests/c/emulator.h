/* An emulator as a child process, and its control interface. For C and C++. */
#ifndef EMULATOR_H
#define EMULATOR_H

#include "checks.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

typedef struct {
    child program;
    char *config;
    unsigned port;
} emulator;

/* A connection to the control interface, for a time when no descriptor is left to open one. */
static inline int control_connect(const emulator *service) {
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)service->port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(connection >= 0);
    CHECK_IS(0, connect(connection, (struct sockaddr *)&address, sizeof address));
    return connection;
}

/* Answers the whole response, which the caller frees, and closes the connection. `head`: the request line, and
 * headers beside those that every request has. */
static inline char *exchange(int connection, const char *head, const char *body) {
    char *request = text_of("%s\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s", head,
                            strlen(body), body);
    for (size_t sent = 0, length = strlen(request); sent < length;) {
        ssize_t count = send(connection, request + sent, length - sent, MSG_NOSIGNAL);
        CHECK(count > 0);
        sent += (size_t)count;
    }
    free(request);
    size_t length = 0, room = 4096;
    char *answer = (char *)malloc(room);
    for (;;) {
        CHECK(answer != NULL);
        ssize_t count = read(connection, answer + length, room - length - 1);
        CHECK(count >= 0);
        if (count == 0) break;
        length += (size_t)count;
        if (length == room - 1) answer = (char *)realloc(answer, room *= 2);
    }
    answer[length] = '\0';
    close(connection);
    return answer;
}

/* Answers the body, which the caller frees, and closes the connection. Fails the test unless the emulator does it. */
static inline char *control_over(int connection, const char *method, const char *path, const char *body) {
    char *head = text_of("%s /emulator/%s HTTP/1.1\r\nContent-Type: application/json", method, path);
    char *answer = exchange(connection, head, body), *start = strstr(answer, "\r\n\r\n");
    free(head);
    if (start == NULL || strncmp(answer, "HTTP/1.1 2", 10) != 0) {
        fprintf(stderr, "%s %s: %s\n", method, path, answer);
        check_failed(__FILE__, __LINE__, "the emulator does it");
    }
    memmove(answer, start + 4, strlen(start + 4) + 1);
    return answer;
}

static inline char *control(const emulator *service, const char *method, const char *path, const char *body) {
    return control_over(control_connect(service), method, path, body);
}

static inline void control_only(const emulator *service, const char *path, const char *body) {
    free(control(service, "POST", path, body));
}

/* Events that are published before there is a feed reach nobody, so there is one from the start. It has no tag, and a
 * client without one adopts it. */
static inline emulator emulator_start(const char *program) {
    /* An acknowledgement travels with the next read, so reads without events are short. */
    const char *arguments[] = {program, "--port", "0", "--until-stdin-closes", "--poll-ms", "200", NULL};
    emulator service;
    service.program = child_start((char *const *)arguments);
    service.config = read_line(service.program.output);
    CHECK(service.config != NULL);
    const char *port = strstr(service.config, "\"port\":");
    CHECK(port != NULL);
    service.port = (unsigned)strtoul(port + strlen("\"port\":"), NULL, 10);
    control_only(&service, "feeds", "{}");
    return service;
}

static inline void emulator_stop(emulator *service) {
    free(service->config);
    CHECK_IS(0, child_end(service->program));
}

/* Publishes a JSON list of events. */
static inline void publish(const emulator *service, const char *events) { control_only(service, "events", events); }

static inline long long number_in(const char *json, const char *name) {
    char *member = text_of("\"%s\":", name);
    const char *found = strstr(json, member);
    CHECK(found != NULL);
    long long number = strtoll(found + strlen(member), NULL, 10);
    free(member);
    return number;
}

/* Waits until so many events are acknowledged in the books, and checks that these are all there were. */
static inline void check_all_acknowledged(const emulator *service, long long events) {
    char *path = text_of("wait?books=acknowledged&atLeast=%lld&timeoutMillis=%d", events, PATIENCE);
    char *books = control(service, "GET", path, "");
    CHECK_IS(events, number_in(books, "acknowledged"));
    CHECK_IS(events, number_in(books, "routed"));
    free(books);
    free(path);
}

/* Waits until it has a request that it does not answer yet, such as a read without events. */
static inline void until_a_request_waits(const emulator *service) {
    const char *found = NULL;
    while (found == NULL) {
        char *requests = control(service, "GET", "requests", "");
        found = strstr(requests, "\"waiting\"");
        free(requests);
    }
}

/* How many requests to an endpoint it has had, such as "sessionLogin". */
static inline int requests_to(const emulator *service, const char *endpoint) {
    char *requests = control(service, "GET", "requests", ""), *member = text_of("\"endpoint\":\"%s\"", endpoint);
    int count = 0;
    for (const char *found = requests; (found = strstr(found, member)) != NULL; found++) count++;
    free(member);
    free(requests);
    return count;
}

/* The emulator's configuration with further members, such as "\"nackDelay\":10"; the caller frees it. */
static inline char *config_with(const emulator *service, const char *more) {
    return text_of("{%s,%s", more, service->config + 1);
}

#endif
