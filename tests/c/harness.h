/* What the tests share: checks, and an emulator as a child process with its control interface. */
#ifndef HARNESS_H
#define HARNESS_H

#include <datafeed.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* How long a test waits for what must happen, in milliseconds. Only what hangs reaches it. */
#define PATIENCE 45000

/* A failed check ends the test, in whatever thread or process it is. */
static inline void check_failed(const char *file, int line, const char *what) {
    fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
    _exit(1);
}

static inline void check_is(const char *file, int line, long long expected, long long found, const char *what) {
    if (found == expected) return;
    fprintf(stderr, "%s:%d: failed: %s is %lld, not %lld\n", file, line, what, found, expected);
    _exit(1);
}

#define CHECK(condition) ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, #condition))
#define CHECK_IS(expected, found) check_is(__FILE__, __LINE__, (expected), (found), #found)

/* Waits for a condition that nothing announces. */
#define UNTIL(condition)                                                                     \
    do {                                                                                     \
        for (int left_ = PATIENCE; !(condition); left_--) {                                  \
            if (left_ == 0) check_failed(__FILE__, __LINE__, #condition);                    \
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);                         \
        }                                                                                    \
    } while (0)

/* Text as by printf; the caller frees it. */
__attribute__((format(printf, 1, 2))) static inline char *text_of(const char *format, ...) {
    char *text;
    size_t length;
    FILE *stream = open_memstream(&text, &length);
    CHECK(stream != NULL);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stream, format, arguments);
    va_end(arguments);
    fclose(stream);
    return text;
}

/* A program that was started, with the ends of its stdin and stdout. */
typedef struct {
    pid_t process;
    int input, output;
} child;

static inline child child_start(char *const arguments[]) {
    int input[2], output[2];
    CHECK_IS(0, pipe2(input, O_CLOEXEC));
    CHECK_IS(0, pipe2(output, O_CLOEXEC));
    pid_t process = fork();
    CHECK(process >= 0);
    if (process == 0) {
        dup2(input[0], STDIN_FILENO);
        dup2(output[1], STDOUT_FILENO);
        execv(arguments[0], arguments);
        perror(arguments[0]);
        _exit(127);
    }
    close(input[0]);
    close(output[1]);
    return (child){process, input[1], output[0]};
}

/* Its exit code, or 128 and the number of the signal that ended it. */
static inline int wait_for_process(pid_t process) {
    int status;
    while (waitpid(process, &status, 0) < 0) CHECK_IS(EINTR, errno);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static inline int child_end(child started) {
    close(started.input);
    close(started.output);
    return wait_for_process(started.process);
}

/* The next line without its end, which the caller frees; NULL when there is none. */
static inline char *read_line(int descriptor) {
    char *line;
    size_t length;
    FILE *stream = open_memstream(&line, &length);
    CHECK(stream != NULL);
    char byte = 0;
    while (read(descriptor, &byte, 1) == 1 && byte != '\n') fputc(byte, stream);
    fclose(stream);
    if (byte == '\n') return line;
    free(line);
    return NULL;
}

typedef struct {
    child program;
    char *config;
    unsigned port;
} emulator;

/* Answers the body, which the caller frees. Fails the test unless the emulator does it. */
static inline char *control(const emulator *service, const char *method, const char *path, const char *body) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)service->port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(connection >= 0);
    CHECK_IS(0, connect(connection, (struct sockaddr *)&address, sizeof address));
    char *request = text_of("%s /emulator/%s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
                            "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                            method, path, strlen(body), body);
    for (size_t sent = 0, length = strlen(request); sent < length;) {
        ssize_t count = send(connection, request + sent, length - sent, MSG_NOSIGNAL);
        CHECK(count > 0);
        sent += (size_t)count;
    }
    free(request);
    char *answer, buffer[4096];
    size_t length;
    FILE *stream = open_memstream(&answer, &length);
    CHECK(stream != NULL);
    for (ssize_t count; (count = read(connection, buffer, sizeof buffer)) != 0;) {
        CHECK(count > 0);
        fwrite(buffer, 1, (size_t)count, stream);
    }
    fclose(stream);
    close(connection);
    char *start = strstr(answer, "\r\n\r\n");
    if (start == NULL || strncmp(answer, "HTTP/1.1 2", 10) != 0) {
        fprintf(stderr, "%s %s: %s\n", method, path, answer);
        check_failed(__FILE__, __LINE__, "the emulator does it");
    }
    memmove(answer, start + 4, strlen(start + 4) + 1);
    return answer;
}

static inline void control_only(const emulator *service, const char *path, const char *body) {
    free(control(service, "POST", path, body));
}

/* Events that are published before there is a feed reach nobody, so there is one from the start. It has no tag, and a
 * client without one adopts it. */
static inline emulator emulator_start(char *program) {
    /* An acknowledgement travels with the next read, so reads without events are short. */
    char *arguments[] = {program, "--port", "0", "--until-stdin-closes", "--poll-ms", "200", NULL};
    emulator service = {.program = child_start(arguments)};
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

/* The emulator's configuration with further members, such as "\"nackDelay\":10"; the caller frees it. */
static inline char *config_with(const emulator *service, const char *more) {
    return text_of("{%s,%s", more, service->config + 1);
}

static inline datafeed *open_with(const char *config) {
    datafeed *feed;
    char *error;
    int32_t status = datafeed_create(config, &feed, &error);
    if (status != DATAFEED_OK) fprintf(stderr, "datafeed_create: %s\n", error);
    CHECK_IS(DATAFEED_OK, status);
    CHECK(feed != NULL && error == NULL);
    return feed;
}

static inline datafeed *open_feed(const emulator *service) { return open_with(service->config); }

/* Waits for an event and answers its delivery number. */
static inline uint64_t receive(datafeed *feed, const char **event) {
    uint64_t delivery;
    size_t length;
    CHECK_IS(DATAFEED_OK, datafeed_next_event(feed, PATIENCE, &delivery, event, &length));
    CHECK_IS((long long)strlen(*event), (long long)length);
    return delivery;
}

/* Waits for an event that must be this one, and acknowledges it. */
static inline void receive_and_ack(datafeed *feed, const char *expected) {
    const char *event;
    uint64_t delivery = receive(feed, &event);
    CHECK(strcmp(event, expected) == 0);
    CHECK_IS(DATAFEED_OK, datafeed_ack(feed, delivery));
}

/* The status of a call for an event that is to bring none. */
static inline int32_t no_event(datafeed *feed, int32_t timeout) {
    uint64_t delivery = 1;
    const char *event = "";
    size_t length = 1;
    int32_t status = datafeed_next_event(feed, timeout, &delivery, &event, &length);
    CHECK(status != DATAFEED_OK);
    CHECK(delivery == 0 && event == NULL && length == 0);
    return status;
}

static inline int is_reading(datafeed *feed) {
    char *stats;
    CHECK_IS(DATAFEED_OK, datafeed_stats(feed, &stats));
    int reading = strstr(stats, "\"state\":\"READING\"") != NULL;
    datafeed_string_free(stats);
    return reading;
}

static inline long this_task(void) { return syscall(SYS_gettid); }

/* Whether this thread of the process sleeps in the kernel. */
static inline int is_asleep(long task) {
    char path[64], state = 0;
    snprintf(path, sizeof path, "/proc/self/task/%ld/stat", task);
    FILE *file = fopen(path, "r");
    if (file == NULL) return 0;
    CHECK_IS(1, fscanf(file, "%*d (%*[^)]) %c", &state));
    fclose(file);
    return state == 'S';
}

/* A thread that waits for an event until something else ends its call. */
typedef struct {
    datafeed *feed;
    int32_t timeout, status;
    atomic_long task;
    pthread_t thread;
} waiter;

static inline void *waiter_run(void *argument) {
    waiter *self = argument;
    atomic_store(&self->task, this_task());
    self->status = no_event(self->feed, self->timeout);
    return NULL;
}

/* Returns when the thread sleeps in its call. */
static inline void waiter_start(waiter *self, datafeed *feed, int32_t timeout) {
    self->feed = feed;
    self->timeout = timeout;
    atomic_init(&self->task, 0);
    CHECK_IS(0, pthread_create(&self->thread, NULL, waiter_run, self));
    UNTIL(atomic_load(&self->task) != 0 && is_asleep(atomic_load(&self->task)));
}

/* Returns what the call returned. */
static inline int32_t waiter_end(waiter *self) {
    CHECK_IS(0, pthread_join(self->thread, NULL));
    return self->status;
}

#endif
