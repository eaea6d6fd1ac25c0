/* The status numbers never change. */
#include "harness.h"

int main(void) {
    CHECK_IS(0, DATAFEED_OK);
    CHECK_IS(1, DATAFEED_TIMEOUT);
    CHECK_IS(2, DATAFEED_INTERRUPTED);
    CHECK_IS(3, DATAFEED_CLOSED);
    CHECK_IS(4, DATAFEED_FAILED);
    CHECK_IS(5, DATAFEED_INVALID_ARGUMENT);
    CHECK_IS(6, DATAFEED_FORKED);
    CHECK_IS(7, DATAFEED_NOT_STORED);
    int major, minor, patch, end = 0;
    CHECK_IS(3, sscanf(datafeed_version(), "%d.%d.%d%n", &major, &minor, &patch, &end));
    CHECK_IS(0, datafeed_version()[end]);
}
