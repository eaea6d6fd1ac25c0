#include "serve.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "channel.h"
#include "feeds.h"
#include "settings.h"

/* The number of the login follows in a session token, and after it what is no digit. */
#define TOKEN_START "eyJhbGciOiJSUzUxMiJ9."

static atomic_ulong logins;
static atomic_int shown;

static bool answer_small(struct channel *channel, const char *status, const char *body)
{
    char text[4096];
    int length = snprintf(text, sizeof text,
                          "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", status,
                          strlen(body), body);
    return send_all(channel, text, length);
}

/* About as long as the tokens of a real pod. */
static bool answer_login(struct channel *channel, const char *name, int token_length, unsigned long login)
{
    char token[2048], body[2304];
    int start = snprintf(token, sizeof token, TOKEN_START "%08lx", login);
    memset(token + start, 'k', sizeof token - start);
    token[token_length] = '\0';
    snprintf(body, sizeof body, "{\"name\":\"%s\",\"token\":\"%s\"}", name, token);
    return answer_small(channel, "200 OK", body);
}

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* The value of a header, or NULL. */
static const char *header(const char *head, const char *name)
{
    size_t length = strlen(name);
    for (const char *line = strchr(head, '\n'); line != NULL; line = strchr(line, '\n')) {
        line++;
        if (strncasecmp(line, name, length) == 0 && line[length] == ':') {
            return line + length + 1 + strspn(line + length + 1, " ");
        }
    }
    return NULL;
}

static bool answer_feed(struct channel *channel, const char *head, bool created)
{
    const char *token = header(head, "sessionToken");
    unsigned long login = 0;
    if (token != NULL && starts_with(token, TOKEN_START)) {
        login = strtoul(token + strlen(TOKEN_START), NULL, 16);
    }
    char feed[256], list[264];
    snprintf(feed, sizeof feed,
             "{\"id\":\"" FEED_ID_START "%08lx" FEED_ID_END "\",\"type\":\"fanout\",\"createdAt\":1763780000000}", login);
    if (created) {
        return answer_small(channel, "201 Created", feed);
    }
    snprintf(list, sizeof list, "[%s]", feed);
    return answer_small(channel, "200 OK", list);
}

/* One request; its head is followed by a NUL. */
static bool answer_request(struct channel *channel, const char *head, const char *body, size_t body_length)
{
    static const char READ[] = "POST /agent/v5/datafeeds/" FEED_ID_START;
    if (starts_with(head, READ)) {
        char *end;
        struct feed *feed = feed_of(strtoul(head + strlen(READ), &end, 16));
        if (feed != NULL && starts_with(end, FEED_ID_END "/read ")) {
            return answer_read(feed, channel, body, body_length);
        }
    }
    if (starts_with(head, "POST /login/pubkey/authenticate ")) {
        return answer_login(channel, "sessionToken", 1100, atomic_fetch_add(&logins, 1));
    }
    if (starts_with(head, "POST /relay/pubkey/authenticate ")) {
        return answer_login(channel, "keyManagerToken", 128, 0);
    }
    if (starts_with(head, "GET /pod/v2/sessioninfo ")) {
        /* The SDK for Python asks anew with each message as long as it is told no displayName. */
        return answer_small(channel, "200 OK",
                            "{\"id\":349026222344902,\"username\":\"bench-bot\",\"displayName\":\"Bench bot\","
                            "\"emailAddress\":\"bench-bot@example.com\",\"company\":\"Example\"}");
    }
    if (starts_with(head, "POST /agent/v5/datafeeds ") || starts_with(head, "GET /agent/v5/datafeeds ")) {
        return answer_feed(channel, head, starts_with(head, "POST"));
    }
    fprintf(stderr, "the agent does not know: %.80s\n", head);
    return answer_small(channel, "404 Not Found", "{\"code\":404,\"message\":\"not found\"}");
}

/* How long the request is that the buffer begins with, or 0 if the rest of it has yet to come; `body` is set to where its
 * body begins. A body in chunks is left as it is: the bodies are small, and come as one. */
static size_t request_length(char *buffer, size_t filled, char **body)
{
    static const char LAST_CHUNK[] = "0\r\n\r\n";
    char *end = memmem(buffer, filled, "\r\n\r\n", 4);
    if (end == NULL) {
        return 0;
    }
    end[3] = '\0';
    const char *length = header(buffer, "Content-Length"), *coding = header(buffer, "Transfer-Encoding");
    end[3] = '\n';
    *body = end + 4;
    size_t needed = *body - buffer;
    if (length != NULL) {
        needed += strtoul(length, NULL, 10);
    } else if (coding != NULL) {
        char *last = memmem(*body, filled - needed, LAST_CHUNK, sizeof LAST_CHUNK - 1);
        if (last == NULL) {
            return 0;
        }
        needed = last + sizeof LAST_CHUNK - 1 - buffer;
    }
    return needed <= filled ? needed : 0;
}

static void serve_requests(struct channel *channel)
{
    char buffer[16384];
    size_t filled = 0;
    for (;;) {
        char *body;
        size_t needed;
        while ((needed = request_length(buffer, filled, &body)) == 0) {
            ssize_t count = receive(channel, buffer + filled, sizeof buffer - filled);
            if (count <= 0) {
                return;
            }
            filled += count;
        }
        if (atomic_load(&shown) < settings.shown && atomic_fetch_add(&shown, 1) < settings.shown) {
            fprintf(stderr, "%.*s\n\n", (int)needed, buffer);
        }
        body[-1] = '\0';
        if (!answer_request(channel, buffer, body, buffer + needed - body)) {
            return;
        }
        memmove(buffer, buffer + needed, filled - needed);
        filled -= needed;
    }
}

void *serve(void *socket)
{
    struct channel channel;
    if (open_channel(&channel, (int)(long)socket)) {
        serve_requests(&channel);
    }
    close_channel(&channel);
    return NULL;
}
