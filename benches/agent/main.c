/* An agent that answers as fast as it can: login, session info, list, create and read of a Datafeed 2.
 *
 *   agent [--batch EVENTS] [--answers COUNT] [--rate HZ] [--events COUNT] [--hold SECONDS] [--tls CERTIFICATE KEY]
 *         [--show REQUESTS]
 *
 * It listens on a free port of 127.0.0.1, prints the port, and serves until SIGTERM. Then it prints one line of names and
 * numbers: the reads that it answered (`reads`), how many of them did not carry the ackId of the answer before
 * (`unacknowledged`), the events that it sent, and since the first read its own user and system time and the time that
 * passed, all in microseconds.
 *
 * There is always a next batch, unless --rate or --events say otherwise. See settings.h.
 */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include "answers.h"
#include "channel.h"
#include "feeds.h"
#include "serve.h"
#include "settings.h"

struct settings settings = {.batch = 1, .hold = 30};

void die(const char *what)
{
    perror(what);
    exit(1);
}

/* What follows a name on the command line. */
static const char *take(char ***arguments)
{
    if (**arguments == NULL) {
        fprintf(stderr, "agent: a value is missing\n");
        exit(2);
    }
    return *(*arguments)++;
}

static bool read_settings(char **arguments)
{
    while (*arguments != NULL) {
        const char *name = take(&arguments);
        if (strcmp(name, "--batch") == 0) {
            settings.batch = atoi(take(&arguments));
        } else if (strcmp(name, "--answers") == 0) {
            settings.answers = atoi(take(&arguments));
        } else if (strcmp(name, "--rate") == 0) {
            settings.rate = atof(take(&arguments));
        } else if (strcmp(name, "--events") == 0) {
            settings.events = atol(take(&arguments));
        } else if (strcmp(name, "--hold") == 0) {
            settings.hold = atof(take(&arguments));
        } else if (strcmp(name, "--show") == 0) {
            settings.shown = atoi(take(&arguments));
        } else if (strcmp(name, "--tls") == 0) {
            settings.certificate = take(&arguments);
            settings.key = take(&arguments);
        } else {
            return false;
        }
    }
    return settings.batch >= 1 && settings.batch <= 9999 && (settings.rate == 0 || settings.batch == 1);
}

static void *accept_connections(void *argument)
{
    int listener = (int)(long)argument;
    for (;;) {
        int socket = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (socket < 0) {
            continue;
        }
        pthread_t thread;
        if (pthread_create(&thread, NULL, serve, (void *)(long)socket) != 0) {
            die("pthread_create");
        }
        pthread_detach(thread);
    }
    return NULL;
}

static int listen_somewhere(void)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 4096) != 0 ||
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

static void print_totals(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    struct totals totals = add_up();
    double first_wall;
    const struct rusage *first = usage_at_first_read(&first_wall);
    printf("reads=%ld unacknowledged=%ld sent=%ld agent_user=%.0f agent_system=%.0f agent_wall=%.0f\n", totals.reads,
           totals.unacknowledged, totals.events, microseconds(usage.ru_utime, first->ru_utime),
           microseconds(usage.ru_stime, first->ru_stime), now.tv_sec * 1e6 + now.tv_nsec / 1e3 - first_wall);
}

int main(int count, char **arguments)
{
    (void)count;
    if (!read_settings(arguments + 1)) {
        fprintf(stderr, "usage: agent [--batch EVENTS] [--answers COUNT] [--rate HZ, with batches of 1] [--events COUNT]\n"
                        "             [--hold SECONDS] [--tls CERTIFICATE KEY] [--show REQUESTS]\n");
        return 2;
    }
    render_answers();
    prepare_channels();
    /* A client that has gone is no reason to end. TLS writes without MSG_NOSIGNAL. */
    signal(SIGPIPE, SIG_IGN);
    /* Events are to come when they are due, not up to 50 microseconds later. Threads inherit it. */
    prctl(PR_SET_TIMERSLACK, 1UL);
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
    print_totals();
    return 0;
}
