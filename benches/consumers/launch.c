/* Becomes another program, telling it when that was: launch PROGRAM ARGUMENTS... */

#include <stdio.h>
#include <unistd.h>

#include "measure.h"

int main(int count, char **arguments)
{
    char now[32];
    if (count < 2) {
        fprintf(stderr, "usage: launch PROGRAM ARGUMENTS...\n");
        return 2;
    }
    snprintf(now, sizeof now, "%.1f", microseconds());
    setenv("BENCH_STARTED", now, 1);
    execvp(arguments[1], arguments + 1);
    perror(arguments[1]);
    return 127;
}
