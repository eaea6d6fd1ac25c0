/* Finds the events and the ackId in the answer to a read, for the two consumers that are written by hand.
 *
 * It looks for boundaries only: strings are skipped with memchr, braces and brackets are counted. Text that is not
 * JSON is not noticed as such.
 */

#ifndef SCAN_H
#define SCAN_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"

struct ack_id {
    char text[256];
    size_t length;
};

static inline void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

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

/* Ends each event by a NUL in place and receives it; answers whether more are wanted. */
static inline bool receive_events(char **place, char *end, struct measurement *measurement)
{
    char *at = skip_space(*place + 1);
    while (*at == '{') {
        char *event = at;
        at = value_end(at, end);
        char *after = skip_space(at);
        char next = *after;
        *at = '\0';
        if (!receive_event(measurement, event, at - event)) {
            return false;
        }
        at = after + 1;
        if (next != ',') {
            *place = at;
            return true;
        }
        at = skip_space(at);
    }
    *place = at + 1;
    return true;
}

/* `{"events":[...],"ackId":"..."}`, in any order; the text is followed by a NUL. Answers whether more is wanted. */
static inline bool receive_batch(char *body, size_t length, struct measurement *measurement, struct ack_id *ack_id)
{
    char *end = body + length;
    char *at = skip_space(body);
    ack_id->length = 0;
    while (*at == '{' || *at == ',') {
        char *name = skip_space(at + 1) + 1;
        at = string_end(name, end);
        size_t name_length = at - 1 - name;
        at = skip_space(skip_space(at) + 1);
        if (name_length == 6 && memcmp(name, "events", 6) == 0 && *at == '[') {
            if (!receive_events(&at, end, measurement)) {
                return false;
            }
        } else {
            char *value = at;
            at = value_end(at, end);
            if (name_length == 5 && memcmp(name, "ackId", 5) == 0 && *value == '"') {
                ack_id->length = at - value - 2;
                if (ack_id->length > sizeof ack_id->text) {
                    fail("the ackId is too long");
                }
                memcpy(ack_id->text, value + 1, ack_id->length);
            }
        }
        at = skip_space(at);
    }
    return true;
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
