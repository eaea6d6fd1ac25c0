/* The header may be included in two translation units of a program. */
#include <datafeed.h>

int32_t second_unit(datafeed **feed);

int32_t second_unit(datafeed **feed) { return datafeed_create(NULL, feed, NULL); }
