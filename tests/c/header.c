/* The header may be included twice, and first, by C and C++ alike. */
#include <datafeed.h>
#include <datafeed.h>

int32_t second_unit(datafeed **feed);

int main(void) {
    datafeed *feed;
    return second_unit(&feed) == DATAFEED_INVALID_ARGUMENT && datafeed_close(feed) == DATAFEED_INVALID_ARGUMENT ? 0 : 1;
}
