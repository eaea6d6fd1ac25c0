/* The consumer that uses this library: receive, acknowledge, receive.
 *
 * With BENCH_HOLD nothing is acknowledged: the bot keeps all that it gets.
 */

#include <datafeed.h>
#include <stdio.h>

#include "bot.h"

int main(void)
{
    struct measurement measurement = begin_measurement();
    bool holds = *setting("BENCH_HOLD") != '\0';
    datafeed *feed;
    char *error;
    if (datafeed_create(needed_setting("BENCH_CONFIG"), &feed, &error) != DATAFEED_OK) {
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
        if (!holds) {
            datafeed_ack(feed, delivery);
        }
    }
    datafeed_close(feed);
    print_measurement(&measurement);
    return 0;
}
