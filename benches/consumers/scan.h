/* Finds the events and the ackId in the answer to a read, for the consumers that are written by hand.
 *
 * It looks for boundaries only. Text that is not JSON is not noticed as such. The events are searched as fast as this
 * processor can (boundaries.h), or else as the rest: strings are skipped with memchr, braces and brackets are counted.
 */

#ifndef SCAN_H
#define SCAN_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"

/* Most events in one answer of the agent. */
#define LARGEST_BATCH 10000

struct event {
    char *text;
    size_t length;
};

#include "boundaries.h"

struct ack_id {
    char text[256];
    size_t length;
};

/* Its events lie in the answer's text. */
struct batch {
    struct event events[LARGEST_BATCH];
    size_t count;
    struct ack_id ack_id;
};

static inline char *skip_space(char *at)
{
    while (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t') {
        at++;
    }
    return at;
}

/* From after the opening quote to after the closing one. */
static inline char *string_end(char *at, char *end)
{
    for (;;) {
        char *quote = memchr(at, '"', end - at);
        if (quote == NULL) {
            fail("the answer breaks off within a string");
        }
        size_t backslashes = 0;
        while (quote - backslashes > at && quote[-1 - (long)backslashes] == '\\') {
            backslashes++;
        }
        at = quote + 1;
        if (backslashes % 2 == 0) {
            return at;
        }
    }
}

/* From the first byte of a value to after its last one. */
static inline char *value_end(char *at, char *end)
{
    int depth = 0;
    while (at < end) {
        switch (*at++) {
        case '"':
            at = string_end(at, end);
            break;
        case '{':
        case '[':
            depth++;
            continue;
        case '}':
        case ']':
            depth--;
            break;
        default:
            if (depth > 0) {
                continue;
            }
            while (at < end && strchr(",]} \r\n\t", *at) == NULL) {
                at++;
            }
        }
        if (depth == 0) {
            return at;
        }
    }
    fail("the answer breaks off");
    return end;
}

#if defined(__SSE2__)

/* Ends each event by a NUL in place; answers where the list ends. */
static inline char *find_events(char *at, char *end, struct batch *batch)
{
    char *after;
    batch->count = find_objects(at, end, batch->events, LARGEST_BATCH, &after);
    if (after == NULL) {
        fail("the list of events breaks off, or is too long");
    }
    /* Not before all is found: what is written over is looked at. */
    for (size_t index = 0; index < batch->count; index++) {
        batch->events[index].text[batch->events[index].length] = '\0';
    }
    return after;
}

#else

/* The same, byte by byte. */
static inline char *find_events(char *at, char *end, struct batch *batch)
{
    at = skip_space(at + 1);
    while (*at == '{') {
        char *event = at;
        at = value_end(at, end);
        if (batch->count == LARGEST_BATCH) {
            fail("there are too many events in one answer");
        }
        batch->events[batch->count++] = (struct event){.text = event, .length = at - event};
        char *after = skip_space(at);
        char next = *after;
        *at = '\0';
        at = after + 1;
        if (next != ',') {
            return at;
        }
        at = skip_space(at);
    }
    return at + 1;
}

#endif

/* `{"events":[...],"ackId":"..."}`, in any order; the text is followed by a NUL. */
static inline void find_batch(char *body, size_t length, struct batch *batch)
{
    char *end = body + length;
    char *at = skip_space(body);
    batch->count = 0;
    batch->ack_id.length = 0;
    while (*at == '{' || *at == ',') {
        char *name = skip_space(at + 1) + 1;
        at = string_end(name, end);
        size_t name_length = at - 1 - name;
        at = skip_space(skip_space(at) + 1);
        if (name_length == 6 && memcmp(name, "events", 6) == 0 && *at == '[') {
            at = find_events(at, end, batch);
        } else {
            char *value = at;
            at = value_end(at, end);
            if (name_length == 5 && memcmp(name, "ackId", 5) == 0 && *value == '"') {
                batch->ack_id.length = at - value - 2;
                if (batch->ack_id.length > sizeof batch->ack_id.text) {
                    fail("the ackId is too long");
                }
                memcpy(batch->ack_id.text, value + 1, batch->ack_id.length);
            }
        }
        at = skip_space(at);
    }
}

/* The first member of this name with a string value, copied; for the small answers before the first read. */
static inline void find_string(const char *json, const char *name, char *value, size_t capacity)
{
    char pattern[32];
    snprintf(pattern, sizeof pattern, "\"%s\":\"", name);
    const char *start = strstr(json, pattern);
    if (start == NULL) {
        fprintf(stderr, "there is no %s in: %.200s\n", name, json);
        exit(1);
    }
    start += strlen(pattern);
    size_t length = strcspn(start, "\"");
    if (length >= capacity) {
        fail("a value is too long");
    }
    memcpy(value, start, length);
    value[length] = '\0';
}

#endif
