/* Steps: another thread waits or drains, and what ends that. */
#include "world.h"

static void *wait_for_event(void *argument) {
    other_thread *self = argument;
    atomic_store(&self->task, this_task());
    self->status = self->by->next(self->feed, self->timeout, &self->taken);
    atomic_store(&self->done, 1);
    return NULL;
}

static void *drain_it(void *argument) {
    other_thread *self = argument;
    self->status = self->by->drain(self->feed, self->timeout);
    return NULL;
}

static void start(world *self, other_thread *other, void *(*run)(void *), int32_t timeout) {
    *other = (other_thread){.feed = self->feed, .by = self->by, .timeout = timeout};
    CHECK_IS(0, pthread_create(&other->thread, NULL, run, other));
}

/* Whether it sleeps in its call, or there was nothing to wait for. */
static int has_begun(other_thread *self) {
    return atomic_load(&self->done) || (atomic_load(&self->task) != 0 && is_asleep(atomic_load(&self->task)));
}

static void step_wait(world *self, char *rest) {
    (void)rest;
    start(self, &self->waiter, wait_for_event, -1);
    UNTIL(has_begun(&self->waiter));
}

static void step_waiter(world *self, char *rest) {
    CHECK_IS(0, pthread_join(self->waiter.thread, NULL));
    known_event *event = find_event(self, rest);
    CHECK_IS(event != NULL ? DATAFEED_OK : status_of(rest), self->waiter.status);
    if (event != NULL) expect_event(self, event, self->waiter.taken, 1);
}

static void step_interrupt(world *self, char *rest) {
    (void)rest;
    self->by->interrupt(self->feed);
}

static void step_drain(world *self, char *rest) {
    int32_t timeout = (int32_t)take_number(&rest);
    CHECK_IS(status_of(rest), self->by->drain(self->feed, timeout));
}

static void step_drain_begin(world *self, char *rest) { start(self, &self->drainer, drain_it, (int32_t)take_number(&rest)); }

static void step_drained(world *self, char *rest) {
    CHECK_IS(0, pthread_join(self->drainer.thread, NULL));
    CHECK_IS(status_of(rest), self->drainer.status);
}

static void step_close(world *self, char *rest) {
    (void)rest;
    self->by->close(self->feed);
}

const step thread_steps[] = {
    {"wait", step_wait},
    {"waiter", step_waiter},
    {"interrupt", step_interrupt},
    {"drain", step_drain},
    {"drain-begin", step_drain_begin},
    {"drained", step_drained},
    {"close", step_close},
    {NULL, NULL},
};
