/* What a bot does with an event: it takes the text, or parses it and looks at what a bot looks at. */

#ifndef BOT_H
#define BOT_H

#include <stdbool.h>
#include <string.h>
#include <yyjson.h>

#include "measure.h"

#define EVENT_START "{\"id\":\"q"

/* What the values were that were looked at, lest a compiler leaves the looking out. */
static volatile size_t looked_at;

static inline const char *string_at(yyjson_val *value, const char *name)
{
    const char *string = yyjson_get_str(yyjson_obj_get(value, name));
    if (string == NULL) {
        fprintf(stderr, "an event has no %s\n", name);
        exit(1);
    }
    return string;
}

/* The message of an event, after looking at who said what and where. */
static inline yyjson_val *look_at_event(yyjson_val *event)
{
    yyjson_val *user = yyjson_obj_get(yyjson_obj_get(event, "initiator"), "user");
    yyjson_val *sent = yyjson_obj_get(yyjson_obj_get(event, "payload"), "messageSent");
    yyjson_val *message = yyjson_obj_get(sent, "message");
    if (strcmp(string_at(event, "type"), "MESSAGESENT") != 0) {
        fail("what was received is no message");
    }
    looked_at = looked_at + *string_at(user, "username") + *string_at(message, "message") + *string_at(message, "data") +
                 *string_at(yyjson_obj_get(message, "stream"), "streamId") +
                 yyjson_get_uint(yyjson_obj_get(user, "userId"));
    return message;
}

/* Receives one event, NUL-terminated; answers whether more are wanted. */
static inline bool receive_event(struct measurement *measurement, const char *event, size_t length)
{
    size_t start = sizeof EVENT_START - 1;
    if (length < start + ID_DIGITS || memcmp(event, EVENT_START, start) != 0 || event[length - 1] != '}' ||
        event[length] != '\0') {
        fprintf(stderr, "what was received is no event: %.80s\n", event);
        exit(1);
    }
    if (measurement->parse) {
        yyjson_doc *document = yyjson_read(event, length, 0);
        if (document == NULL) {
            fail("an event is no JSON");
        }
        look_at_event(yyjson_doc_get_root(document));
        yyjson_doc_free(document);
    }
    bool more = count_event(measurement, event + start, length);
    if (measurement->latencies != NULL) {
        note_latency(measurement, event, length);
    }
    return more;
}

#endif
