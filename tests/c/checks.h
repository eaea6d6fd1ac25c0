/* Checks that end the test, waiting for what nothing announces, and child processes. For C and C++. */
#ifndef CHECKS_H
#define CHECKS_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
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

static inline void for_a_millisecond(void) {
    struct timespec millisecond = {0, 1000000};
    nanosleep(&millisecond, NULL);
}

/* Waits for a condition that nothing announces. */
#define UNTIL(condition)                                                                     \
    do {                                                                                     \
        for (int left_ = PATIENCE; !(condition); left_--) {                                  \
            if (left_ == 0) check_failed(__FILE__, __LINE__, #condition);                    \
            for_a_millisecond();                                                             \
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
#ifdef __linux__
        /* It does not outlive a test that has failed. */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
        dup2(input[0], STDIN_FILENO);
        dup2(output[1], STDOUT_FILENO);
        execv(arguments[0], arguments);
        perror(arguments[0]);
        _exit(127);
    }
    close(input[0]);
    close(output[1]);
    child started = {process, input[1], output[0]};
    return started;
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

#endif
