/* A fork while every other thread sleeps. At any other moment it may find the locks of a sanitizer's malloc taken,
 * which it does not set free in the child. */
#ifndef QUIET_H
#define QUIET_H

#include "harness.h"
#include <dirent.h>

static inline int others_are_asleep(void) {
    DIR *tasks = opendir("/proc/self/task");
    CHECK(tasks != NULL);
    int asleep = 1;
    for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
        long task = atol(entry->d_name);
        if (task != 0 && task != this_task() && !is_asleep(task)) asleep = 0;
    }
    closedir(tasks);
    return asleep;
}

static inline pid_t fork_in_quiet(void) {
    UNTIL(others_are_asleep());
    pid_t child = fork();
    CHECK(child >= 0);
    return child;
}

#endif
