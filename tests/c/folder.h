/* A folder of a test's own. For C and C++. */
#ifndef FOLDER_H
#define FOLDER_H

#include "checks.h"
#include <ftw.h>

/* Makes a folder; the caller removes it. */
static inline char *folder_make(void) {
    const char *temporary = getenv("TMPDIR");
    char *path = text_of("%s/datafeed-test-XXXXXX", temporary == NULL ? "/tmp" : temporary);
    CHECK(mkdtemp(path) != NULL);
    return path;
}

static inline int folder_remove_one(const char *path, const struct stat *status, int kind, struct FTW *place) {
    (void)status, (void)kind, (void)place;
    return remove(path);
}

/* Removes the folder with all that is in it, and frees its path. */
static inline void folder_remove(char *path) {
    CHECK_IS(0, nftw(path, folder_remove_one, 16, FTW_DEPTH | FTW_PHYS));
    free(path);
}

#endif
