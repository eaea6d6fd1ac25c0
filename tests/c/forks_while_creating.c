/* forks_while_creating EMULATOR: a child that is forked while another thread opens the process's first feed can open its
 * own. What is set up once in a process must not be caught half-way. */
#include "harness.h"

#ifdef INSTRUMENTED
enum { ROUNDS = 5, STEP_MICROSECONDS = 1500 };
#else
enum { ROUNDS = 40, STEP_MICROSECONDS = 150 };
#endif

static char *config;

static void *create(void *unused) {
    (void)unused;
    datafeed *feed = open_with(config);
    CHECK_IS(DATAFEED_OK, datafeed_close(feed));
    return NULL;
}

/* In a process that has not used the library yet. */
static void first_use(int round) {
    pthread_t thread;
    CHECK_IS(0, pthread_create(&thread, NULL, create, NULL));
    nanosleep(&(struct timespec){.tv_nsec = round * STEP_MICROSECONDS * 1000L}, NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        create(NULL);
        _exit(0);
    }
    CHECK_IS(0, wait_for_process(child));
    CHECK_IS(0, pthread_join(thread, NULL));
    _exit(0);
}

int main(int argc, char **argv) {
    CHECK_IS(2, argc);
    emulator service = emulator_start(argv[1]);
    /* With https the system's authorities are read, too. It need not get that far. */
    char *plain = config_with(&service, "\"closeTimeout\":0");
    char *scheme = strstr(plain, "\"http\"");
    CHECK(scheme != NULL);
    *scheme = '\0';
    config = text_of("%s\"https\"%s", plain, scheme + strlen("\"http\""));
    free(plain);
    for (int round = 0; round < ROUNDS; round++) {
        pid_t process = fork();
        CHECK(process >= 0);
        if (process == 0) first_use(round);
        CHECK_IS(0, wait_for_process(process));
    }
    free(config);
    emulator_stop(&service);
}
