/* A disk that is full, as far as this process can tell. For C and C++. */
#ifndef LIMITS_H
#define LIMITS_H

#include "checks.h"
#include <sys/resource.h>

/* No file of this process grows from now on, or they do again. What it starts meanwhile is the same. */
static inline void let_files_grow(int may) {
    static struct rlimit usual;
    if (!may) {
        CHECK_IS(0, getrlimit(RLIMIT_FSIZE, &usual));
        signal(SIGXFSZ, SIG_IGN);
    }
    struct rlimit none = usual;
    none.rlim_cur = 0;
    CHECK_IS(0, setrlimit(RLIMIT_FSIZE, may ? &usual : &none));
}

#endif
