/* HTTP over one socket with as little as possible, with or without TLS: for the limit, and what is built upon it.
 *
 * It sends what the library sends, each request in one piece, and reads each answer to a page boundary of one buffer.
 */

#ifndef WIRE_H
#define WIRE_H

#include <openssl/ssl.h>
#include <stddef.h>

#include "scan.h"

struct wire {
    int socket;
    /* NULL without TLS. */
    SSL *tls;
    char host[32];
    char *buffer;
    size_t capacity;
    /* Of the answer received last. */
    char *body;
    size_t body_length;
    /* The request for a read, up to what is not always the same. */
    char request[8192];
    size_t head_length;
};

/* Connects, logs in and finds the feed. */
void open_wire(struct wire *wire);

/* Sends the request for a read that acknowledges this; with an empty ackId it acknowledges nothing. */
void ask_for_batch(struct wire *wire, const struct ack_id *ack_id);

/* Waits for the answer. */
void take_batch(struct wire *wire, struct batch *batch);

/* Reads once, acknowledging the batch that is there; its events are of no use any more. */
void read_batch(struct wire *wire, struct batch *batch);

#endif
