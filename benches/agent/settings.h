/* What the agent was asked to do on its command line. */

#ifndef SETTINGS_H
#define SETTINGS_H

struct settings {
    /* Events in one answer. */
    int batch;
    /* How many answers are rendered, so that not every one has the same texts; 0 leaves it to the agent. */
    int answers;
    /* Events a second, one in each answer; 0 answers at once. */
    double rate;
    /* Events of each feed, after which its reads are held; 0 means that they never end. */
    long events;
    /* Seconds that a read without events is held. */
    double hold;
    /* Requests that are shown. */
    int shown;
    /* For TLS, or NULL. */
    const char *certificate;
    const char *key;
};

extern struct settings settings;

void die(const char *what) __attribute__((noreturn));

#endif
