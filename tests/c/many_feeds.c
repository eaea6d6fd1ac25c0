/* many_feeds EMULATOR: a feed that was closed leaves no thread and no descriptor behind, and little memory. */
#include "harness.h"
#include <dirent.h>

enum { WARM_UP = 20, FEEDS = 200, MOST_KILOBYTES_EACH = 64 };

static int entries(const char *path) {
    DIR *directory = opendir(path);
    CHECK(directory != NULL);
    int count = 0;
    while (readdir(directory) != NULL) count++;
    closedir(directory);
    return count;
}

static long resident_kilobytes(void) {
    long pages;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file != NULL);
    CHECK_IS(1, fscanf(file, "%*d %ld", &pages));
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Half of them while they log in, half while they read. */
static void open_and_close(const emulator *service, int count) {
    for (int i = 0; i < count; i++) {
        datafeed *feed = open_feed(service);
        if (i % 2 == 0) UNTIL(is_reading(feed));
        CHECK_IS(DATAFEED_OK, datafeed_close(feed));
    }
}

int main(int argc, char **argv) {
    CHECK_IS(2, argc);
    emulator service = emulator_start(argv[1]);
    int descriptors = entries("/proc/self/fd"), threads = entries("/proc/self/task");
    open_and_close(&service, WARM_UP);
    long before = resident_kilobytes();
    open_and_close(&service, FEEDS);
    double growth = (double)(resident_kilobytes() - before) / FEEDS;
    printf("%.1f kB of resident memory for each feed\n", growth);
    CHECK_IS(descriptors, entries("/proc/self/fd"));
    /* A thread that was joined may show for a moment. */
    UNTIL(entries("/proc/self/task") == threads);
#ifndef INSTRUMENTED
    CHECK(growth <= MOST_KILOBYTES_EACH);
#endif
    emulator_stop(&service);
}
