#include <datafeed.h>
#include <stdio.h>

int main(int argc, char **argv) {
    datafeed *feed;
    char *error;
    const char *event;
    uint64_t delivery;

    if (argc < 2) {
        fprintf(stderr, "usage: %s config.json\n", argv[0]);
        return 2;
    }
    if (datafeed_create(argv[1], &feed, &error) != DATAFEED_OK) {
        fprintf(stderr, "%s\n", error);
        datafeed_string_free(error);
        return 1;
    }
    while (datafeed_next_event(feed, -1, &delivery, &event, NULL) == DATAFEED_OK) {
        printf("%s\n", event); /* the event's JSON, exactly as the agent sent it */
        datafeed_ack(feed, delivery);
    }
    if (datafeed_error(feed, &error) == DATAFEED_OK && error != NULL) {
        fprintf(stderr, "%s\n", error); /* the feed has stopped for good, and says why */
        datafeed_string_free(error);
    }
    datafeed_close(feed);
    return 1;
}
