/* no_threads EMULATOR: without a thread left a feed is not created, and once there are some it is. */
#include "harness.h"
#include <sys/prctl.h>
#include <sys/resource.h>

/* The limit does not hold for root, who becomes nobody for as long. */
static const uid_t nobody = 65534;
static uid_t user;
static struct rlimit limit_before;

static void take_all(void) {
    CHECK_IS(0, getrlimit(RLIMIT_NPROC, &limit_before));
    struct rlimit none = limit_before;
    none.rlim_cur = 0;
    CHECK_IS(0, setrlimit(RLIMIT_NPROC, &none));
    if (user == 0) CHECK_IS(0, setresuid(nobody, nobody, 0));
}

static void give_back(void) {
    if (user == 0) {
        CHECK_IS(0, setresuid(0, 0, 0));
        /* Which the change of user has taken, and sanitizers need. */
        CHECK_IS(0, prctl(PR_SET_DUMPABLE, 1));
    }
    CHECK_IS(0, setrlimit(RLIMIT_NPROC, &limit_before));
}

static void *nothing(void *unused) { return unused; }

int main(int argc, char **argv) {
    CHECK_IS(2, argc);
    user = getuid();
    emulator service = emulator_start(argv[1]);
    datafeed *feed = (datafeed *)1;
    char *error = NULL;
    pthread_t thread;
    take_all();
    CHECK_IS(EAGAIN, pthread_create(&thread, NULL, nothing, NULL));
    for (int i = 0; i < 100; i++) {
        CHECK_IS(DATAFEED_FAILED, datafeed_create(service.config, &feed, &error));
        CHECK(feed == NULL && error != NULL);
        CHECK(strstr(error, "\"code\":\"INTERNAL\"") != NULL && strstr(error, "thread") != NULL);
        datafeed_string_free(error);
    }
    give_back();
    feed = open_feed(&service);
    publish(&service, "[{\"id\":\"1\"}]");
    receive_and_ack(feed, "{\"id\":\"1\"}");
    check_all_acknowledged(&service, 1);
    CHECK_IS(DATAFEED_OK, datafeed_close(feed));
    emulator_stop(&service);
}
