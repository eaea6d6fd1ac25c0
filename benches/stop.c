/* How long datafeed_close() and datafeed_interrupt() take while the poller is in one phase.
 *
 *   stop PHASE SAMPLES CONFIG CONTROL_PORT
 *
 * CONFIG and CONTROL_PORT are an emulator's. It prints median, 99th percentile and maximum in microseconds, first of
 * close, then of interrupt. Each sample is of a new feed.
 */

#include <dirent.h>

#include "measure.h"
#include "phases.h"

/* A thread that waits for an event and is interrupted. */
struct waiting {
    datafeed *feed;
    atomic_long task;
    double returned;
};

static void *wait_for_event(void *argument)
{
    struct waiting *self = argument;
    atomic_store(&self->task, this_task());
    int32_t status = no_event(self->feed, -1);
    self->returned = microseconds();
    CHECK_IS(DATAFEED_INTERRUPTED, status);
    return NULL;
}

/* From the call until the thread's call has returned. */
static double interrupt_one(datafeed *feed)
{
    struct waiting waiting = {.feed = feed};
    pthread_t thread;
    CHECK_IS(0, pthread_create(&thread, NULL, wait_for_event, &waiting));
    UNTIL(atomic_load(&waiting.task) != 0 && is_asleep(atomic_load(&waiting.task)));
    double called = microseconds();
    CHECK_IS(DATAFEED_OK, datafeed_interrupt(feed));
    CHECK_IS(0, pthread_join(thread, NULL));
    CHECK_IS(DATAFEED_OK, datafeed_close(feed));
    return waiting.returned - called;
}

static double close_one(datafeed *feed)
{
    double called = microseconds();
    int32_t status = datafeed_close(feed);
    double returned = microseconds();
    CHECK_IS(DATAFEED_OK, status);
    return returned - called;
}

/* The servers tell that the poller has come to its phase, this that it has nothing left to do there but wait. */
static int poller_is_asleep(void)
{
    DIR *tasks = opendir("/proc/self/task");
    CHECK(tasks != NULL);
    int asleep = 0;
    for (struct dirent *task; !asleep && (task = readdir(tasks)) != NULL;) {
        char path[300], name[32] = "", state = 0;
        snprintf(path, sizeof path, "/proc/self/task/%s/stat", task->d_name);
        FILE *file = fopen(path, "r");
        if (file != NULL) {
            /* Nothing is read of a thread that has just ended. */
            (void)!fscanf(file, "%*d (%31[^)]) %c", name, &state);
            fclose(file);
            asleep = strcmp(name, "datafeed") == 0 && state == 'S';
        }
    }
    closedir(tasks);
    return asleep;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* The smallest sample that so many of a hundred do not exceed. */
static double percentile(const double *sorted, long count, int hundredths)
{
    return sorted[(count * hundredths + 99) / 100 - 1];
}

int main(int count, char **arguments)
{
    const struct phase *phase = count == 5 ? find_phase(arguments[1]) : NULL;
    long samples = count == 5 ? atol(arguments[2]) : 0;
    if (phase == NULL || samples < 1) {
        fprintf(stderr, "usage: stop PHASE SAMPLES CONFIG CONTROL_PORT\n");
        return 2;
    }
    emulator service = {.config = arguments[3], .port = (unsigned)atol(arguments[4])};
    /* The reads of feeds that are closed would take the events of later ones. */
    control_only(&service, "settings", "{\"abandonedReadsTake\":false}");
    char *settings = phase->prepare != NULL ? phase->prepare(&service) : NULL;
    char *config = settings != NULL ? config_with(&service, settings) : strdup(service.config);

    double (*const calls[])(datafeed *) = {close_one, interrupt_one};
    double *durations[] = {calloc(samples, sizeof(double)), calloc(samples, sizeof(double))};
    for (long sample = 0; sample < samples; sample++) {
        for (int call = 0; call < 2; call++) {
            datafeed *feed = phase->enter(&service, config);
            UNTIL(poller_is_asleep());
            durations[call][sample] = calls[call](feed);
            if (phase->leave != NULL) {
                phase->leave(&service);
            }
            /* What a feed had and did not acknowledge would come to the next one. */
            free(control(&service, "DELETE", "feeds", ""));
        }
    }
    for (int call = 0; call < 2; call++) {
        qsort(durations[call], samples, sizeof(double), compare);
        printf("%.0f %.0f %.0f%s", percentile(durations[call], samples, 50), percentile(durations[call], samples, 99),
               durations[call][samples - 1], call == 0 ? " " : "\n");
        free(durations[call]);
    }
    free(config);
    free(settings);
    return 0;
}
