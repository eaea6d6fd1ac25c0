#include "stuck.h"

#include <dlfcn.h>
#include <netdb.h>

#include "harness.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static long begun, released;

static void hang(void)
{
    pthread_mutex_lock(&lock);
    long own = ++begun;
    while (released < own) {
        pthread_cond_wait(&changed, &lock);
    }
    pthread_mutex_unlock(&lock);
}

/* Found by the library in place of the C library's, because a program's own functions come first. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    if (name != NULL && strcmp(name, NAME_THAT_HANGS) == 0) {
        hang();
        return EAI_AGAIN;
    }
    int (*look_up)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    *(void **)&look_up = dlsym(RTLD_NEXT, "getaddrinfo");
    return look_up(name, service, hints, found);
}

long lookups_begun(void)
{
    pthread_mutex_lock(&lock);
    long count = begun;
    pthread_mutex_unlock(&lock);
    return count;
}

void release_lookups(void)
{
    pthread_mutex_lock(&lock);
    released = begun;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static struct sockaddr_in loopback(unsigned port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

static int listen_on_free_port(int backlog, unsigned *port)
{
    struct sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(listener >= 0);
    CHECK_IS(0, bind(listener, (struct sockaddr *)&address, length));
    CHECK_IS(0, listen(listener, backlog));
    CHECK_IS(0, getsockname(listener, (struct sockaddr *)&address, &length));
    *port = ntohs(address.sin_port);
    return listener;
}

unsigned full_server(void)
{
    unsigned port;
    listen_on_free_port(0, &port);
    /* A queue for nobody takes one. */
    struct sockaddr_in address = loopback(port);
    int first = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(first >= 0);
    CHECK_IS(0, connect(first, (struct sockaddr *)&address, sizeof address));
    return port;
}

int is_connecting_to(unsigned port)
{
    /* The kernel's list: the other side's address, then the state, of which 02 is SYN_SENT. */
    char *wanted = text_of(" %08X:%04X 02 ", htonl(INADDR_LOOPBACK), port), line[256];
    FILE *sockets = fopen("/proc/net/tcp", "r");
    CHECK(sockets != NULL);
    int found = 0;
    while (!found && fgets(line, sizeof line, sockets) != NULL) {
        found = strstr(line, wanted) != NULL;
    }
    fclose(sockets);
    free(wanted);
    return found;
}

int silent_server(unsigned *port)
{
    int listener = listen_on_free_port(8, port);
    /* Holds for those that are accepted too. */
    struct timeval patience = {.tv_sec = PATIENCE / 1000};
    CHECK_IS(0, setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience));
    return listener;
}

int accept_in_silence(int listener, const char *last_words)
{
    char said[4096];
    size_t length = 0;
    int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    CHECK(client >= 0);
    do {
        ssize_t count = read(client, said + length, sizeof said - 1 - length);
        CHECK(count > 0);
        length += (size_t)count;
        said[length] = '\0';
    } while (strstr(said, last_words) == NULL);
    return client;
}
