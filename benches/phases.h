/* The phases that a feed's poller can be in, and how each is reached. */

#ifndef PHASES_H
#define PHASES_H

#include "harness.h"

struct phase {
    const char *name;
    /* Prepares the servers, once, and answers what the configuration says besides, which the caller frees. May be or
     * answer NULL. */
    char *(*prepare)(const emulator *service);
    /* Opens a feed and returns it when it is in the phase. */
    datafeed *(*enter)(const emulator *service, const char *config);
    /* Ends what was begun for a feed, after it was closed; may be NULL. */
    void (*leave)(const emulator *service);
};

/* The phase of that name, or NULL. */
const struct phase *find_phase(const char *name);

#endif
