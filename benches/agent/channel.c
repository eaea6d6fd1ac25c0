#include "channel.h"

#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "settings.h"

static SSL_CTX *context;

void prepare_channels(void)
{
    if (settings.certificate == NULL) {
        return;
    }
    context = SSL_CTX_new(TLS_server_method());
    if (context == NULL || SSL_CTX_use_certificate_chain_file(context, settings.certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, settings.key, SSL_FILETYPE_PEM) != 1) {
        fprintf(stderr, "the certificate %s or the key %s cannot be used\n", settings.certificate, settings.key);
        exit(1);
    }
}

bool open_channel(struct channel *channel, int socket)
{
    int on = 1, size = 1 << 20;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    *channel = (struct channel){.socket = socket};
    if (context == NULL) {
        return true;
    }
    channel->tls = SSL_new(context);
    return channel->tls != NULL && SSL_set_fd(channel->tls, socket) == 1 && SSL_accept(channel->tls) == 1;
}

void close_channel(struct channel *channel)
{
    SSL_free(channel->tls);
    close(channel->socket);
}

ssize_t receive(struct channel *channel, char *buffer, size_t capacity)
{
    if (channel->tls == NULL) {
        return recv(channel->socket, buffer, capacity, 0);
    }
    return SSL_read(channel->tls, buffer, capacity < INT_MAX ? (int)capacity : INT_MAX);
}

bool send_all(struct channel *channel, const char *text, size_t length)
{
    if (channel->tls != NULL) {
        return SSL_write(channel->tls, text, (int)length) == (int)length;
    }
    while (length > 0) {
        ssize_t sent = send(channel->socket, text, length, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        text += sent;
        length -= sent;
    }
    return true;
}

bool hold(struct channel *channel, double seconds)
{
    struct pollfd waited = {.fd = channel->socket, .events = POLLIN | POLLRDHUP};
    return poll(&waited, 1, (int)(seconds * 1000)) == 0;
}
