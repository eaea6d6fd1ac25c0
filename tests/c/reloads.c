/* reloads EMULATOR LIBRARY: unloading the library while a feed is open does no harm, and loading it again finds it. */
#include "harness.h"
#include <dlfcn.h>

/* This program is not linked with the library. */
static void *library;

static void *function(const char *name) {
    void *found = dlsym(library, name);
    if (found == NULL) fprintf(stderr, "%s\n", dlerror());
    CHECK(found != NULL);
    return found;
}

#define FUNCTION(name) __extension__((__typeof__(name) *)function(#name))

static void load(const char *path) {
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) fprintf(stderr, "%s\n", dlerror());
    CHECK(library != NULL);
}

static void receive_one(const emulator *service, datafeed *feed, const char *id) {
    uint64_t delivery;
    const char *event;
    size_t length;
    char *expected = text_of("{\"id\":\"%s\"}", id), *events = text_of("[%s]", expected);
    publish(service, events);
    CHECK_IS(DATAFEED_OK, FUNCTION(datafeed_next_event)(feed, PATIENCE, &delivery, &event, &length));
    CHECK(strcmp(event, expected) == 0);
    CHECK_IS(DATAFEED_OK, FUNCTION(datafeed_ack)(feed, delivery));
    free(expected);
    free(events);
}

int main(int argc, char **argv) {
    CHECK_IS(3, argc);
    emulator service = emulator_start(argv[1]);
    datafeed *feed, *second;
    load(argv[2]);
    CHECK_IS(DATAFEED_OK, FUNCTION(datafeed_create)(service.config, &feed, NULL));
    receive_one(&service, feed, "before");
    CHECK_IS(0, dlclose(library));
    /* Its thread goes on. */
    check_all_acknowledged(&service, 1);
    load(argv[2]);
    receive_one(&service, feed, "after");
    check_all_acknowledged(&service, 2);
    CHECK_IS(DATAFEED_OK, FUNCTION(datafeed_close)(feed));
    CHECK_IS(0, dlclose(library));
    /* Twice, and unloaded as often. */
    load(argv[2]);
    load(argv[2]);
    CHECK_IS(0, dlclose(library));
    CHECK_IS(0, dlclose(library));
    load(argv[2]);
    CHECK_IS(DATAFEED_CLOSED, FUNCTION(datafeed_close)(feed));
    control_only(&service, "feeds", "{\"tag\":\"another\"}");
    char *config = config_with(&service, "\"datafeed\":{\"tag\":\"another\"}");
    CHECK_IS(DATAFEED_OK, FUNCTION(datafeed_create)(config, &second, NULL));
    free(config);
    receive_one(&service, second, "another feed");
    CHECK_IS(DATAFEED_OK, FUNCTION(datafeed_close)(second));
    CHECK_IS(0, dlclose(library));
    emulator_stop(&service);
}
