#include "wire.h"

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
#include "sign.h"

static void start_tls(struct wire *wire)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL || SSL_CTX_load_verify_file(context, needed_setting("BENCH_CA")) != 1) {
        fail("BENCH_CA cannot be used");
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    wire->tls = SSL_new(context);
    if (wire->tls == NULL || X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(wire->tls), "127.0.0.1") != 1 ||
        SSL_set_fd(wire->tls, wire->socket) != 1 || SSL_connect(wire->tls) != 1) {
        fail("there is no TLS with the agent");
    }
}

static void connect_wire(struct wire *wire)
{
    int port = atoi(needed_setting("BENCH_PORT"));
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    *wire = (struct wire){.capacity = 1 << 20};
    wire->socket = socket(AF_INET, SOCK_STREAM, 0);
    if (wire->socket < 0 || connect(wire->socket, (struct sockaddr *)&address, sizeof address) != 0) {
        fail("there is no agent");
    }
    setsockopt(wire->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    snprintf(wire->host, sizeof wire->host, "127.0.0.1:%d", port);
    wire->buffer = aligned_alloc(4096, wire->capacity);
    if (wire->buffer == NULL) {
        fail("no memory");
    }
    if (strcmp(setting("BENCH_SCHEME"), "https") == 0) {
        start_tls(wire);
    }
}

static void send_request(struct wire *wire, const char *request, size_t length)
{
    ssize_t sent = wire->tls != NULL ? SSL_write(wire->tls, request, (int)length)
                                     : send(wire->socket, request, length, MSG_NOSIGNAL);
    if (sent != (ssize_t)length) {
        fail("the request could not be sent");
    }
}

static size_t receive_some(struct wire *wire, size_t filled)
{
    size_t room = wire->capacity - 1 - filled;
    ssize_t count = wire->tls != NULL ? SSL_read(wire->tls, wire->buffer + filled, (int)room)
                                      : recv(wire->socket, wire->buffer + filled, room, 0);
    if (count <= 0) {
        fail("the connection broke");
    }
    return count;
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

static void receive_answer(struct wire *wire)
{
    size_t filled = 0, needed = 0;
    while (needed == 0 || filled < needed) {
        filled += receive_some(wire, filled);
        if (needed > 0) {
            continue;
        }
        char *end = memmem(wire->buffer, filled, "\r\n\r\n", 4);
        if (end == NULL) {
            continue;
        }
        wire->body = end + 4;
        wire->body_length = content_length(wire->buffer, end);
        needed = end + 4 - wire->buffer + wire->body_length;
        if (needed + BOUNDARIES_BEYOND >= wire->capacity) {
            fail("the answer is too large");
        }
    }
    if (strncmp(wire->buffer, "HTTP/1.1 20", 11) != 0) {
        fail("the answer is an error");
    }
    wire->buffer[needed] = '\0';
}

static void ask(struct wire *wire, const char *method, const char *path, const char *headers, const char *body)
{
    char request[8192];
    int length = snprintf(request, sizeof request,
                          "%s %s HTTP/1.1\r\nHost: %s\r\n%sContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                          method, path, wire->host, headers, strlen(body), body);
    send_request(wire, request, length);
    receive_answer(wire);
}

void open_wire(struct wire *wire)
{
    char login[2048], session[2048], key_manager[2048], feed[256], headers[5120];
    login_body(login, sizeof login);
    connect_wire(wire);
    ask(wire, "POST", SESSION_LOGIN, "", login);
    find_string(wire->body, "token", session, sizeof session);
    ask(wire, "POST", KEY_MANAGER_LOGIN, "", login);
    find_string(wire->body, "token", key_manager, sizeof key_manager);
    snprintf(headers, sizeof headers,
             "User-Agent: " USER_AGENT "\r\nAccept: application/json\r\nX-Trace-Id: " TRACE_ID "\r\n"
             "sessionToken: %s\r\nkeyManagerToken: %s\r\n",
             session, key_manager);
    ask(wire, "GET", FEEDS, headers, "");
    find_string(wire->body, "id", feed, sizeof feed);
    wire->head_length = snprintf(wire->request, sizeof wire->request,
                                 "POST " FEEDS "/%s/read HTTP/1.1\r\nHost: %s\r\n%sContent-Type: application/json\r\n",
                                 feed, wire->host, headers);
}

void ask_for_batch(struct wire *wire, const struct ack_id *ack_id)
{
    char *at = wire->request + wire->head_length;
    size_t body_length = ack_id->length + strlen("{\"ackId\":\"\"}");
    at += sprintf(at, "Content-Length: %zu\r\n\r\n{\"ackId\":\"", body_length);
    memcpy(at, ack_id->text, ack_id->length);
    at += ack_id->length;
    memcpy(at, "\"}", 2);
    at += 2;
    send_request(wire, wire->request, at - wire->request);
}

void take_batch(struct wire *wire, struct batch *batch)
{
    receive_answer(wire);
    find_batch(wire->body, wire->body_length, batch);
}

void read_batch(struct wire *wire, struct batch *batch)
{
    ask_for_batch(wire, &batch->ack_id);
    take_batch(wire, batch);
}
