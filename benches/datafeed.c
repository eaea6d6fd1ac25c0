/* The consumer that uses this library: receive, acknowledge, receive.
 *
 *   datafeed PORT WARM_UP EVENTS KEY
 */

#include <datafeed.h>
#include <stdio.h>

#include "measure.h"

int main(int count, char **arguments)
{
    if (count != 5) {
        fprintf(stderr, "usage: datafeed PORT WARM_UP EVENTS KEY\n");
        return 2;
    }
    struct measurement measurement = begin_measurement(arguments[2], arguments[3]);
    char config[4096];
    snprintf(config, sizeof config,
             "{\"scheme\":\"http\",\"host\":\"127.0.0.1\",\"port\":%s,"
             "\"bot\":{\"username\":\"bench\",\"privateKey\":{\"path\":\"%s\"}}}",
             arguments[1], arguments[4]);
    datafeed *feed;
    char *error;
    if (datafeed_create(config, &feed, &error) != DATAFEED_OK) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    for (;;) {
        uint64_t delivery;
        const char *event;
        size_t length;
        int status = datafeed_next_event(feed, -1, &delivery, &event, &length);
        if (status != DATAFEED_OK) {
            datafeed_error(feed, &error);
            fprintf(stderr, "datafeed_next_event: %d %s\n", status, error != NULL ? error : "");
            return 1;
        }
        if (!receive_event(&measurement, event, length)) {
            break;
        }
        datafeed_ack(feed, delivery);
    }
    datafeed_close(feed);
    print_measurement(&measurement);
    return 0;
}
