/* A connection with a client, with or without TLS. */

#ifndef CHANNEL_H
#define CHANNEL_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct channel {
    int socket;
    /* NULL without TLS. */
    SSL *tls;
};

/* Reads the certificate and the key, where there are any; to be called once. */
void prepare_channels(void);

/* Of a connection that was accepted. It does the handshake, and answers whether that went well. */
bool open_channel(struct channel *channel, int socket);
void close_channel(struct channel *channel);

/* Zero or less at the end of the connection. */
ssize_t receive(struct channel *channel, char *buffer, size_t capacity);
bool send_all(struct channel *channel, const char *text, size_t length);

/* Waits; answers whether the client is still there and has sent nothing meanwhile. */
bool hold(struct channel *channel, double seconds);

#endif
