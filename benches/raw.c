/* The least that can be done: one socket, one thread, one system call to send and one or more to receive.
 *
 *   raw PORT WARM_UP EVENTS
 *
 * It sends what the library sends, in one piece, and reads each answer to a page boundary of one buffer.
 */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "requests.h"
#include "measure.h"
#include "scan.h"

struct connection {
    int socket;
    char host[32];
    char *buffer;
    size_t capacity;
    /* Of the answer received last. */
    char *body;
    size_t body_length;
};

static struct connection connect_to(int port)
{
    struct connection connection = {.capacity = 1 << 20};
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    connection.socket = socket(AF_INET, SOCK_STREAM, 0);
    if (connection.socket < 0 || connect(connection.socket, (struct sockaddr *)&address, sizeof address) != 0) {
        fail("there is no agent");
    }
    setsockopt(connection.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    snprintf(connection.host, sizeof connection.host, "127.0.0.1:%d", port);
    connection.buffer = aligned_alloc(4096, connection.capacity);
    if (connection.buffer == NULL) {
        fail("no memory");
    }
    return connection;
}

static size_t content_length(const char *head, const char *end)
{
    static const char NAME[] = "content-length:";
    for (const char *line = head; line != NULL && line < end; line = memchr(line, '\n', end - line)) {
        line += *line == '\n';
        if ((*line == 'c' || *line == 'C') && strncasecmp(line, NAME, sizeof NAME - 1) == 0) {
            return strtoul(line + sizeof NAME - 1, NULL, 10);
        }
    }
    fail("the answer has no Content-Length");
    return 0;
}

static void exchange(struct connection *connection, const char *request, size_t length)
{
    if (send(connection->socket, request, length, MSG_NOSIGNAL) != (ssize_t)length) {
        fail("the request could not be sent");
    }
    size_t filled = 0, needed = 0;
    while (needed == 0 || filled < needed) {
        ssize_t count = recv(connection->socket, connection->buffer + filled, connection->capacity - 1 - filled, 0);
        if (count <= 0) {
            fail("the connection broke");
        }
        filled += count;
        if (needed > 0) {
            continue;
        }
        char *end = memmem(connection->buffer, filled, "\r\n\r\n", 4);
        if (end == NULL) {
            continue;
        }
        connection->body = end + 4;
        connection->body_length = content_length(connection->buffer, end);
        needed = end + 4 - connection->buffer + connection->body_length;
        if (needed >= connection->capacity) {
            fail("the answer is too large");
        }
    }
    if (strncmp(connection->buffer, "HTTP/1.1 20", 11) != 0) {
        fail("the answer is an error");
    }
    connection->buffer[needed] = '\0';
}

static void ask(struct connection *connection, const char *method, const char *path, const char *headers,
                const char *body)
{
    char request[8192];
    int length = snprintf(request, sizeof request,
                          "%s %s HTTP/1.1\r\nHost: %s\r\n%sContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                          method, path, connection->host, headers, strlen(body), body);
    exchange(connection, request, length);
}

static bool read_once(struct connection *connection, char *request, size_t head_length, struct ack_id *ack_id,
                      struct measurement *measurement)
{
    char *at = request + head_length;
    size_t body_length = ack_id->length + strlen("{\"ackId\":\"\"}");
    at += sprintf(at, "Content-Length: %zu\r\n\r\n{\"ackId\":\"", body_length);
    memcpy(at, ack_id->text, ack_id->length);
    at += ack_id->length;
    memcpy(at, "\"}", 2);
    at += 2;
    exchange(connection, request, at - request);
    return receive_batch(connection->body, connection->body_length, measurement, ack_id);
}

int main(int count, char **arguments)
{
    if (count != 4) {
        fprintf(stderr, "usage: raw PORT WARM_UP EVENTS\n");
        return 2;
    }
    struct measurement measurement = begin_measurement(arguments[2], arguments[3]);
    struct connection connection = connect_to(atoi(arguments[1]));
    char session[2048], key_manager[2048], feed[256], headers[5120], request[8192];
    ask(&connection, "POST", SESSION_LOGIN, "", LOGIN_BODY);
    find_string(connection.body, "token", session, sizeof session);
    ask(&connection, "POST", KEY_MANAGER_LOGIN, "", LOGIN_BODY);
    find_string(connection.body, "token", key_manager, sizeof key_manager);
    snprintf(headers, sizeof headers,
             "User-Agent: " USER_AGENT "\r\nAccept: application/json\r\nX-Trace-Id: " TRACE_ID "\r\n"
             "sessionToken: %s\r\nkeyManagerToken: %s\r\n",
             session, key_manager);
    ask(&connection, "GET", FEEDS, headers, "");
    find_string(connection.body, "id", feed, sizeof feed);

    int head_length = snprintf(request, sizeof request,
                               "POST " FEEDS "/%s/read HTTP/1.1\r\nHost: %s\r\n%sContent-Type: application/json\r\n",
                               feed, connection.host, headers);
    struct ack_id ack_id = {.length = 0};
    while (read_once(&connection, request, head_length, &ack_id, &measurement)) {
    }
    close(connection.socket);
    print_measurement(&measurement);
    return 0;
}
