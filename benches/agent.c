/* An agent that answers as fast as it can: login, session info, list, create and read of a Datafeed 2, over plain HTTP.
 *
 *   agent BATCH [REQUESTS_SHOWN]
 *
 * It listens on a free port of 127.0.0.1, prints the port, and serves until SIGTERM. Then it prints the number of reads
 * that it answered, how many of them did not carry the ackId of the answer before, and its own user and system time in
 * microseconds since the first read. REQUESTS_SHOWN requests are copied to stderr.
 *
 * The answers to a read are rendered once. What differs from answer to answer is a number of fixed width in the ids
 * and in the ackId, which is written over in place before the whole answer goes out with one call.
 */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define NUMBER_WIDTH 8
#define NUMBERS_PER_EVENT 3
#define FEED_ID "5c1de0a9b7f24e6f8d3a90b2c4e6f801_f"
#define ACK_ID_START "eyJiYXRjaCI6Im"
#define ACK_ID_END "NDY2Yi1hN2Q5LTBjMWU4ZjNiNWE3OSJ9"

/* Rendered answers, so that not every answer has the same texts. */
#define ANSWERS 16
#define LARGE_BATCH 16
#define ANSWERS_OF_LARGE_BATCHES 2

static const char *const TEXTS[] = {
    "Good morning, the settlement report for yesterday is ready. Could you have a look at the three breaks on page 2 "
    "before ten?",
    "Can you quote 25 mm of the 4.25% Feb 2034, two-way please? The client is comparing with one other desk and will "
    "deal in the next few minutes; bid side is the one that matters to him.",
    "Thanks!",
    "The overnight batch finished at 05:42 with <b>no errors</b>, 18,204 records were loaded and 12 were held back for "
    "review. Details are in the usual place, and the dashboard shows the counts for each book. Next run: 22:00 UTC.",
    "/status prod-gateway-eu",
    "I have moved our call to 15:30 because of the committee meeting, the invitation is updated. Please bring the "
    "figures for Q3 and what you have on the new limits.",
    "Done at 101.375, 10 mm, value tomorrow. Confirmation follows.",
};

struct answer {
    char *text;
    size_t length;
    size_t capacity;
    /* Where the number goes. */
    size_t *places;
    size_t place_count;
};

static int batch_size;
static struct answer answers[ANSWERS];
static int answer_count;
static atomic_long reads;
static atomic_long unacknowledged;
static atomic_int requests_shown;
static struct rusage usage_at_first_read;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

__attribute__((format(printf, 2, 3))) static void append(struct answer *answer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(answer->text + answer->length, answer->capacity - answer->length, format, arguments);
    va_end(arguments);
    if (length < 0 || answer->length + length >= answer->capacity) {
        fprintf(stderr, "the buffer for an answer is too small\n");
        exit(1);
    }
    answer->length += length;
}

static void append_number(struct answer *answer)
{
    answer->places[answer->place_count++] = answer->length;
    append(answer, "%0*d", NUMBER_WIDTH, 0);
}

static void append_user(struct answer *answer, int user)
{
    append(answer,
           "{\"userId\":%lld,\"firstName\":\"Alexandra\",\"lastName\":\"Lindqvist\",\"displayName\":\"Alexandra "
           "Lindqvist (EMEA %02d)\",\"email\":\"alexandra.lindqvist%02d@example.com\",\"username\":\"alindqvist%02d\"}",
           351775001412640LL + user, user, user, user);
}

static void append_event(struct answer *answer, int index, int text)
{
    int user = text % 40;
    append(answer, "{\"id\":\"q");
    append_number(answer);
    append(answer, "%04d\",\"messageId\":\"Lk7tRw2_%04d", index, index);
    append_number(answer);
    append(answer, "X___oyH2sPvbQ\",\"timestamp\":1763784000%03d,\"type\":\"MESSAGESENT\",\"initiator\":{\"user\":",
           index % 1000);
    append_user(answer, user);
    append(answer, "},\"payload\":{\"messageSent\":{\"message\":{\"messageId\":\"Lk7tRw2_%04d", index);
    append_number(answer);
    append(answer,
           "X___oyH2sPvbQ\",\"timestamp\":1763784000%03d,\"message\":\"<div data-format=\\\"PresentationML\\\" "
           "data-version=\\\"2.0\\\" class=\\\"wysiwyg\\\"><p>%s</p></div>\","
           "\"data\":\"{\\\"0\\\":{\\\"type\\\":\\\"org.example.desk\\\",\\\"version\\\":\\\"1.0\\\","
           "\\\"id\\\":[{\\\"type\\\":\\\"org.example.desk.book\\\",\\\"value\\\":\\\"EMEA-RATES-02\\\"}]}}\",\"user\":",
           index % 1000, TEXTS[text % (sizeof TEXTS / sizeof *TEXTS)]);
    append_user(answer, user);
    append(answer,
           ",\"stream\":{\"streamId\":\"Vd4aOq8ZkXb1WmC5uJtYn3___pQe7ThRdA\",\"streamType\":\"ROOM\"},"
           "\"externalRecipients\":false,\"userAgent\":\"DESKTOP-64.1.0-21744-Windows-10.0.22631-Chrome-126.0.6478."
           "185\",\"originalFormat\":\"com.symphony.messageml.v2\",\"disclaimer\":\"\",\"sid\":"
           "\"3f0b7c52-96de-4e1a-8c47-d25f61a90b%02x\"}}}}",
           user);
}

static void render_body(struct answer *answer, int first_text)
{
    answer->length = 0;
    answer->place_count = 0;
    append(answer, "{\"events\":[");
    for (int index = 0; index < batch_size; index++) {
        if (index > 0) {
            append(answer, ",");
        }
        append_event(answer, index, first_text + index);
    }
    append(answer, "],\"ackId\":\"" ACK_ID_START);
    append_number(answer);
    append(answer, ACK_ID_END "\"}");
}

static void render(struct answer *answer, int first_text)
{
    answer->capacity = 4096 + 2048 * (size_t)batch_size;
    answer->text = malloc(answer->capacity);
    answer->places = malloc(sizeof(size_t) * (NUMBERS_PER_EVENT * (size_t)batch_size + 1));
    if (answer->text == NULL || answer->places == NULL) {
        die("malloc");
    }
    render_body(answer, first_text);
    size_t body_length = answer->length;
    answer->length = 0;
    append(answer,
           "HTTP/1.1 200 OK\r\nDate: Sat, 22 Nov 2025 04:00:00 GMT\r\nContent-Type: application/json\r\n"
           "Content-Length: %zu\r\nConnection: keep-alive\r\nX-Trace-Id: bEnCh1\r\nCache-Control: no-cache, no-store\r\n"
           "X-Content-Type-Options: nosniff\r\nStrict-Transport-Security: max-age=31536000; includeSubDomains\r\n\r\n",
           body_length);
    size_t head_length = answer->length;
    char *head = strdup(answer->text);
    render_body(answer, first_text);
    if (head_length + body_length >= answer->capacity) {
        fprintf(stderr, "the buffer for an answer is too small\n");
        exit(1);
    }
    memmove(answer->text + head_length, answer->text, body_length);
    memcpy(answer->text, head, head_length);
    free(head);
    answer->length += head_length;
    for (size_t index = 0; index < answer->place_count; index++) {
        answer->places[index] += head_length;
    }
}

static void write_number(char *text, unsigned long number)
{
    for (int at = NUMBER_WIDTH - 1; at >= 0; at--) {
        text[at] = "0123456789abcdef"[number & 15];
        number >>= 4;
    }
}

static bool send_all(int socket, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(socket, text, length, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        text += sent;
        length -= sent;
    }
    return true;
}

static bool answer_read(int socket, const char *body, size_t body_length)
{
    /* Any consumer's first read may acknowledge nothing. */
    static __thread char expected[sizeof ACK_ID_START ACK_ID_END + NUMBER_WIDTH];
    unsigned long number = atomic_fetch_add(&reads, 1);
    if (number == 0) {
        getrusage(RUSAGE_SELF, &usage_at_first_read);
    }
    if (expected[0] == '\0' || memmem(body, body_length, expected, strlen(expected)) == NULL) {
        atomic_fetch_add(&unacknowledged, 1);
    }
    struct answer *answer = &answers[number % answer_count];
    char digits[NUMBER_WIDTH];
    write_number(digits, number + 1);
    for (size_t index = 0; index < answer->place_count; index++) {
        memcpy(answer->text + answer->places[index], digits, NUMBER_WIDTH);
    }
    snprintf(expected, sizeof expected, ACK_ID_START "%.*s" ACK_ID_END, NUMBER_WIDTH, digits);
    return send_all(socket, answer->text, answer->length);
}

static bool answer_small(int socket, const char *status, const char *body)
{
    char text[4096];
    int length = snprintf(text, sizeof text,
                          "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", status,
                          strlen(body), body);
    return send_all(socket, text, length);
}

/* About as long as the tokens of a real pod. */
static bool answer_login(int socket, const char *name, int token_length)
{
    char token[2048], body[2304];
    memset(token, 'a', sizeof token);
    memcpy(token, "eyJhbGciOiJSUzUxMiJ9.", 21);
    token[token_length] = '\0';
    snprintf(body, sizeof body, "{\"name\":\"%s\",\"token\":\"%s\"}", name, token);
    return answer_small(socket, "200 OK", body);
}

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* One request; its head is followed by a NUL. */
static bool answer_request(int socket, const char *head, const char *body, size_t body_length)
{
    if (starts_with(head, "POST /agent/v5/datafeeds/" FEED_ID "/read ")) {
        return answer_read(socket, body, body_length);
    }
    if (starts_with(head, "POST /login/pubkey/authenticate ")) {
        return answer_login(socket, "sessionToken", 1100);
    }
    if (starts_with(head, "POST /relay/pubkey/authenticate ")) {
        return answer_login(socket, "keyManagerToken", 128);
    }
    const char *feed = "{\"id\":\"" FEED_ID "\",\"type\":\"fanout\",\"createdAt\":1763780000000}";
    if (starts_with(head, "GET /pod/v2/sessioninfo ")) {
        return answer_small(socket, "200 OK", "{\"id\":349026222344902,\"username\":\"bench-bot\"}");
    }
    if (starts_with(head, "POST /agent/v5/datafeeds ")) {
        return answer_small(socket, "201 Created", feed);
    }
    if (starts_with(head, "GET /agent/v5/datafeeds ")) {
        char list[256];
        snprintf(list, sizeof list, "[%s]", feed);
        return answer_small(socket, "200 OK", list);
    }
    fprintf(stderr, "the agent does not know: %.80s\n", head);
    return answer_small(socket, "404 Not Found", "{\"code\":404,\"message\":\"not found\"}");
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
    return 0;
}

static void *serve(void *argument)
{
    int socket = (int)(long)argument;
    char buffer[16384];
    size_t filled = 0;
    for (;;) {
        char *head_end;
        size_t needed;
        for (;;) {
            head_end = memmem(buffer, filled, "\r\n\r\n", 4);
            if (head_end != NULL) {
                needed = head_end + 4 - buffer + content_length(buffer, head_end);
                if (filled >= needed) {
                    break;
                }
            }
            ssize_t count = recv(socket, buffer + filled, sizeof buffer - filled, 0);
            if (count <= 0) {
                close(socket);
                return NULL;
            }
            filled += count;
        }
        if (atomic_load(&requests_shown) > 0 && atomic_fetch_sub(&requests_shown, 1) > 0) {
            fprintf(stderr, "%.*s\n\n", (int)needed, buffer);
        }
        *head_end = '\0';
        if (!answer_request(socket, buffer, head_end + 4, buffer + needed - head_end - 4)) {
            close(socket);
            return NULL;
        }
        memmove(buffer, buffer + needed, filled - needed);
        filled -= needed;
    }
}

static void *accept_connections(void *argument)
{
    int listener = (int)(long)argument;
    for (;;) {
        int socket = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (socket < 0) {
            continue;
        }
        int on = 1, size = 1 << 20;
        setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
        pthread_t thread;
        if (pthread_create(&thread, NULL, serve, (void *)(long)socket) == 0) {
            pthread_detach(thread);
        } else {
            close(socket);
        }
    }
    return NULL;
}

static int listen_somewhere(void)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 64) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0) {
        die("listen");
    }
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

static double microseconds(struct timeval end, struct timeval begin)
{
    return (end.tv_sec - begin.tv_sec) * 1e6 + (end.tv_usec - begin.tv_usec);
}

int main(int count, char **arguments)
{
    if (count < 2 || (batch_size = atoi(arguments[1])) < 1 || batch_size > 9999) {
        fprintf(stderr, "usage: agent BATCH [REQUESTS_SHOWN]\n");
        return 2;
    }
    atomic_store(&requests_shown, count > 2 ? atoi(arguments[2]) : 0);
    answer_count = batch_size < LARGE_BATCH ? ANSWERS : ANSWERS_OF_LARGE_BATCHES;
    for (int index = 0; index < answer_count; index++) {
        render(&answers[index], index * batch_size);
    }
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ending, NULL);
    pthread_t acceptor;
    if (pthread_create(&acceptor, NULL, accept_connections, (void *)(long)listen_somewhere()) != 0) {
        die("pthread_create");
    }
    int received;
    sigwait(&ending, &received);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%ld %ld %.0f %.0f\n", atomic_load(&reads), atomic_load(&unacknowledged),
           microseconds(usage.ru_utime, usage_at_first_read.ru_utime),
           microseconds(usage.ru_stime, usage_at_first_read.ru_stime));
    return 0;
}
