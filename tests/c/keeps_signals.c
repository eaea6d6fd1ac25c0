/* keeps_signals EMULATOR: the library changes no handler and no mask of the process, its threads take no signals, and
 * changing the process' user, which the C library tells every thread by a signal, is not held up by them. */
#include "harness.h"
#include <dirent.h>
#include <signal.h>

/* The C library keeps two signals for itself, and has no word for them. */
static int is_the_c_librarys(int signal_number) { return signal_number == 32 || signal_number == 33; }

typedef struct {
    struct sigaction actions[NSIG];
    sigset_t mask;
    stack_t stack;
} signals;

static void look(signals *found) {
    for (int i = 1; i < NSIG; i++) {
        if (!is_the_c_librarys(i)) CHECK_IS(0, sigaction(i, NULL, &found->actions[i]));
    }
    CHECK_IS(0, pthread_sigmask(SIG_SETMASK, NULL, &found->mask));
    CHECK_IS(0, sigaltstack(NULL, &found->stack));
}

static void check_unchanged(const signals *before) {
    static signals after;
    look(&after);
    for (int i = 1; i < NSIG; i++) {
        CHECK(after.actions[i].sa_handler == before->actions[i].sa_handler);
        CHECK_IS(before->actions[i].sa_flags, after.actions[i].sa_flags);
        CHECK_IS(sigismember(&before->mask, i), sigismember(&after.mask, i));
    }
    CHECK(after.stack.ss_sp == before->stack.ss_sp && after.stack.ss_flags == before->stack.ss_flags);
}

static unsigned long long blocked_in(const char *task) {
    char *path = text_of("/proc/self/task/%s/status", task), line[256];
    FILE *file = fopen(path, "r");
    CHECK(file != NULL);
    unsigned long long blocked = 0;
    int found = 0;
    while (!found && fgets(line, sizeof line, file) != NULL) found = sscanf(line, "SigBlk: %llx", &blocked) == 1;
    CHECK(found);
    fclose(file);
    free(path);
    return blocked;
}

/* Answers how many threads there are beside this one. */
static int check_others_block_all(void) {
    int others = 0;
    DIR *tasks = opendir("/proc/self/task");
    CHECK(tasks != NULL);
    for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
        long task = atol(entry->d_name);
        if (task == 0 || task == this_task()) continue;
        unsigned long long blocked = blocked_in(entry->d_name);
        others++;
        for (int i = 1; i < NSIG; i++) {
            if (i == SIGKILL || i == SIGSTOP || is_the_c_librarys(i)) continue;
            CHECK_IS(1, blocked >> (i - 1) & 1);
        }
    }
    closedir(tasks);
    return others;
}

static atomic_int handled;

static void handle(int signal_number) {
    (void)signal_number;
    atomic_fetch_add(&handled, 1);
}

/* With every signal blocked in this thread, too, one for the process finds nobody to take it. */
static void check_signals_wait(int signal_number) {
    sigset_t all, before, pending;
    sigfillset(&all);
    CHECK_IS(0, pthread_sigmask(SIG_SETMASK, &all, &before));
    CHECK_IS(0, kill(getpid(), signal_number));
    CHECK_IS(0, sigpending(&pending));
    CHECK_IS(1, sigismember(&pending, signal_number));
    CHECK_IS(0, atomic_load(&handled));
    CHECK_IS(0, pthread_sigmask(SIG_SETMASK, &before, NULL));
    UNTIL(atomic_load(&handled) == 1);
}

int main(int argc, char **argv) {
    CHECK_IS(2, argc);
    static signals before;
    emulator service = emulator_start(argv[1]);
    /* Something to change: a handler, an ignored signal, a blocked one. */
    CHECK_IS(0, sigaction(SIGUSR1, &(struct sigaction){.sa_handler = handle, .sa_flags = SA_RESTART}, NULL));
    CHECK(signal(SIGCHLD, SIG_IGN) != SIG_ERR && signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR2);
    CHECK_IS(0, pthread_sigmask(SIG_BLOCK, &blocked, NULL));
    look(&before);

    /* Also when it fails. */
    datafeed *none;
    CHECK_IS(DATAFEED_INVALID_ARGUMENT, datafeed_create("{}", &none, NULL));
    check_unchanged(&before);
    datafeed *feed = open_feed(&service);
    check_unchanged(&before);
    UNTIL(is_reading(feed));
    publish(&service, "[{\"id\":\"1\"}]");
    receive_and_ack(feed, "{\"id\":\"1\"}");
    check_all_acknowledged(&service, 1);
    check_unchanged(&before);
#ifndef MEMCHECK
    CHECK_IS(1, check_others_block_all());
#else
    /* It keeps the masks to itself and shows the kernel others. */
    (void)check_others_block_all;
#endif
    check_signals_wait(SIGUSR1);
    CHECK_IS(0, setresuid(getuid(), geteuid(), geteuid()));
    CHECK_IS(DATAFEED_OK, datafeed_close(feed));
    check_unchanged(&before);
    CHECK(signal(SIGCHLD, SIG_DFL) != SIG_ERR);
    emulator_stop(&service);
}
