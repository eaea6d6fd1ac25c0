/* Prints every event: one line of JSON on stdout, a note for people on stderr. Ctrl-C ends it.
 *
 *   bot CONFIGURATION [EVENTS]   a JSON text or the path of a file; how many events to wait for (default: no end)
 */
#define _POSIX_C_SOURCE 200809L
#include <datafeed.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static datafeed *feed;

static void stop(int signal_number) { (void)signal_number, datafeed_interrupt(feed); }

static int fail(char *error) {
    fprintf(stderr, "bot: %s\n", error ? error : "the feed has stopped");
    datafeed_string_free(error);
    return EXIT_FAILURE;
}

int main(int argc, char **argv) {
    char *error = NULL;
    const char *event;
    size_t length;
    uint64_t delivery;
    int32_t status = DATAFEED_OK;
    unsigned long number = 0, last = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;

    if (datafeed_create(argc > 1 ? argv[1] : NULL, &feed, &error) != DATAFEED_OK) return fail(error);
    sigaction(SIGINT, &(struct sigaction){.sa_handler = stop}, NULL);
    sigaction(SIGTERM, &(struct sigaction){.sa_handler = stop}, NULL);

    while ((last == 0 || number < last) &&
           (status = datafeed_next_event(feed, -1, &delivery, &event, &length)) == DATAFEED_OK) {
        const char *type = strstr(event, "\"type\":\"");
        type = type ? type + strlen("\"type\":\"") : "an event";
        printf("%s\n", event);
        fflush(stdout);
        fprintf(stderr, "event %lu: %.*s, %zu bytes\n", ++number, (int)strcspn(type, "\""), type, length);
        datafeed_ack(feed, delivery);
    }
    if (status == DATAFEED_FAILED) datafeed_error(feed, &error);
    datafeed_close(feed);
    return status == DATAFEED_FAILED ? fail(error) : EXIT_SUCCESS;
}
