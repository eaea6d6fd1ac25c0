/* What a language has to offer to run the cases of tests/conformance/cases.txt. */
#ifndef CONFORMANCE_LANGUAGE_H
#define CONFORMANCE_LANGUAGE_H

#include <stddef.h>
#include <stdint.h>

/* An event in hand: `event` is the language's own, the others are what the language says of it. */
typedef struct {
    void *event;
    const char *json;
    size_t length;
    uint32_t attempt;
} taken_event;

/* What the language says of a trouble. */
typedef struct {
    char code[64], field[64];
    int http_status;
} told_trouble;

/* The interface of a language. Statuses are those of datafeed.h, timeouts are milliseconds, negative for ever. A string
 * that is answered was allocated by malloc(). */
typedef struct {
    int32_t (*open)(const char *config, void **feed, told_trouble *trouble);
    int32_t (*next)(void *feed, int32_t timeout, taken_event *taken);
    int32_t (*ack)(taken_event *taken);
    int32_t (*nack)(taken_event *taken);
    /* Frees what `event` is, whether it is settled or not. */
    void (*forget)(taken_event *taken);
    void (*interrupt)(void *feed);
    int32_t (*drain)(void *feed, int32_t timeout);
    void (*close)(void *feed);
    /* Frees what `feed` is. */
    void (*destroy)(void *feed);
    void (*error)(void *feed, told_trouble *trouble);
    char *(*stats)(void *feed);
    char *(*session)(void *feed);
    char *(*renew)(void *feed, const char *refused_token);
    int32_t (*next_log)(void *feed, int32_t timeout, char **line);
    char *(*dead_letters)(void *feed, uint64_t after);
    int32_t (*resubmit)(void *feed, uint64_t letter);
    int32_t (*discard)(void *feed, uint64_t letter);
} language;

#ifdef __cplusplus
extern "C" {
#endif

/* The arguments: PROGRAM EMULATOR CASES NAME OF THE CASE. A step that goes wrong ends the process. */
int run_case(const language *language, int argc, char **argv);

#ifdef __cplusplus
}
#endif

#endif
