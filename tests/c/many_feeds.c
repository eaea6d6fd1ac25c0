/* many_feeds EMULATOR: a feed that was closed leaves no thread and no descriptor behind, and little memory; one that
 * could not be created leaves nothing. */
#include "harness.h"
#include <dirent.h>

/* Under memcheck a login takes a quarter of a second. */
#ifdef INSTRUMENTED
enum { WARM_UP = 5, FEEDS = 100 };
#else
enum { WARM_UP = 20, FEEDS = 1000 };
#endif
enum { MOST_KILOBYTES_EACH = 16 };

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

/* The bot's own thread reads, once it has settled something. A read that a closed feed has left may take what is published. */
static void read_by_itself(const emulator *service, datafeed *feed) {
    uint64_t delivery;
    const char *event;
    size_t length;
    do publish(service, "[{\"id\":\"1\"}]");
    while (datafeed_next_event(feed, 50, &delivery, &event, &length) != DATAFEED_OK);
    do CHECK_IS(DATAFEED_OK, datafeed_ack(feed, delivery));
    while (datafeed_next_event(feed, 1, &delivery, &event, &length) == DATAFEED_OK);
}

/* Half of them while they log in, half while they read; some of these after the bot's own thread has read. */
static void open_and_close(const emulator *service, int number) {
    datafeed *feed = open_feed(service);
    if (number % 2 == 0) UNTIL(is_reading(feed));
    if (number % 16 == 0) read_by_itself(service, feed);
    CHECK_IS(DATAFEED_OK, datafeed_close(feed));
}

/* Each fails at another depth: at the text, at a setting, at the key, at a file. */
static void fail_to_create(const emulator *service, int number) {
    static const char *const more[] = {"\"host\":", "\"port\":0", "\"bot\":{\"username\":\"x\"}",
                                       "\"bot\":{\"username\":\"x\",\"privateKey\":{\"content\":\"none\"}}"};
    datafeed *feed;
    char *error, *config;
    if (number % 5 == 4) config = text_of("/nowhere/%d.json", number);
    else config = text_of("{\"host\":\"127.0.0.1\",\"scheme\":\"http\",%s}", more[number % 5]);
    (void)service;
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_create(config, &feed, &error));
    CHECK(feed == NULL && error != NULL);
    datafeed_string_free(error);
    free(config);
}

static void check_that_little_is_left(const emulator *service, void (*act)(const emulator *, int),
                                      double most_kilobytes) {
    int descriptors = entries("/proc/self/fd"), threads = entries("/proc/self/task");
    for (int i = 0; i < WARM_UP; i++) act(service, i);
    long before = resident_kilobytes();
    for (int i = 0; i < FEEDS; i++) act(service, i);
    double growth = (double)(resident_kilobytes() - before) / FEEDS;
    printf("%.2f kB of resident memory for each\n", growth);
    CHECK_IS(descriptors, entries("/proc/self/fd"));
    /* A thread that was joined may show for a moment. */
    UNTIL(entries("/proc/self/task") == threads);
#ifdef INSTRUMENTED
    (void)most_kilobytes;
#else
    CHECK(growth <= most_kilobytes);
#endif
}

int main(int argc, char **argv) {
    CHECK_IS(2, argc);
    emulator service = emulator_start(argv[1]);
    check_that_little_is_left(&service, open_and_close, MOST_KILOBYTES_EACH);
    check_that_little_is_left(&service, fail_to_create, 0.5);
    emulator_stop(&service);
}
