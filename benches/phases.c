#include "phases.h"

#include "measure.h"
#include "stuck.h"

/* A program measures one phase, with one feed at a time: the server that is not the emulator, and its client. */
static int listener, client;
static unsigned port;
static long acknowledged;

/* How many reads the emulator is waiting with, or has been done with. */
static long reads_seen(const emulator *service)
{
    char *requests = control(service, "GET", "requests", "");
    long count = 0;
    for (const char *at = requests; (at = strstr(at, "\"endpoint\":\"read\"")) != NULL; at++) {
        count++;
    }
    free(requests);
    return count;
}

static uint64_t receive_one(const emulator *service, datafeed *feed)
{
    const char *event;
    publish(service, "[{\"id\":\"one\",\"type\":\"MESSAGESENT\"}]");
    return receive(feed, &event);
}

static void let_reads_go_wrong(const emulator *service, const char *action)
{
    char *fault = text_of("{\"endpoint\":\"read\",\"times\":1000000,\"action\":%s}", action);
    control_only(service, "faults", fault);
    free(fault);
}

static void hang_up(const emulator *service)
{
    (void)service;
    close(client);
}

/* The pod's name is looked up. */

static char *prepare_lookup(const emulator *service)
{
    (void)service;
    return text_of("\"pod\":{\"host\":\"" NAME_THAT_HANGS "\"},\"allowPlaintext\":true");
}

static datafeed *enter_lookup(const emulator *service, const char *config)
{
    (void)service;
    long before = lookups_begun();
    datafeed *feed = open_with(config);
    UNTIL(lookups_begun() > before);
    return feed;
}

static void leave_lookup(const emulator *service)
{
    (void)service;
    release_lookups();
}

/* A connection to the pod is tried. */

static char *prepare_connect(const emulator *service)
{
    (void)service;
    port = full_server();
    return text_of("\"pod\":{\"port\":%u}", port);
}

static datafeed *enter_connect(const emulator *service, const char *config)
{
    (void)service;
    datafeed *feed = open_with(config);
    UNTIL(is_connecting_to(port));
    return feed;
}

/* TLS has begun, and the pod does not answer the first message. */

static char *prepare_handshake(const emulator *service)
{
    (void)service;
    listener = silent_server(&port);
    return text_of("\"pod\":{\"port\":%u}", port);
}

static datafeed *enter_handshake(const emulator *service, const char *config)
{
    (void)service;
    datafeed *feed = open_with(config);
    client = accept_in_silence(listener, "");
    return feed;
}

/* A proxy was asked to connect, and does not answer. */

static char *prepare_proxy(const emulator *service)
{
    (void)service;
    listener = silent_server(&port);
    return text_of("\"proxy\":{\"host\":\"127.0.0.1\",\"port\":%u}", port);
}

static datafeed *enter_proxy(const emulator *service, const char *config)
{
    (void)service;
    datafeed *feed = open_with(config);
    client = accept_in_silence(listener, "\r\n\r\n");
    return feed;
}

/* The long poll: what a feed does nearly all the time. */

static datafeed *enter_read(const emulator *service, const char *config)
{
    long before = reads_seen(service);
    datafeed *feed = open_with(config);
    UNTIL(reads_seen(service) > before);
    return feed;
}

/* The same, after the bot has acknowledged what there was: the read has told the agent, long enough ago that close need
 * not leave it alone any more. */

enum { LONG_AGO = 100000 };

static datafeed *enter_acknowledged(const emulator *service, const char *config)
{
    datafeed *feed = enter_read(service, config);
    long before = reads_seen(service);
    CHECK_IS(DATAFEED_OK, datafeed_ack(feed, receive_one(service, feed)));
    UNTIL(reads_seen(service) > before);
    double seen = microseconds();
    UNTIL(microseconds() - seen > LONG_AGO);
    return feed;
}

/* What was acknowledged must have arrived. */
static void leave_acknowledged(const emulator *service)
{
    check_all_acknowledged(service, ++acknowledged);
}

/* Half an answer came, and then nothing. */

static char *prepare_body(const emulator *service)
{
    let_reads_go_wrong(service, "{\"stall\":{\"afterBytes\":1000}}");
    return NULL;
}

/* The agent has asked to be left alone for five minutes. */

static char *prepare_back_off(const emulator *service)
{
    let_reads_go_wrong(service, "{\"status\":{\"status\":503,\"retryAfter\":\"300\"}}");
    return NULL;
}

static datafeed *enter_back_off(const emulator *service, const char *config)
{
    (void)service;
    datafeed *feed = open_with(config);
    UNTIL(is_in_state(feed, "BACKING_OFF"));
    return feed;
}

/* The bot holds as many events as it may. */

static char *prepare_full(const emulator *service)
{
    (void)service;
    return text_of("\"maxUnacknowledged\":1");
}

static datafeed *enter_full(const emulator *service, const char *config)
{
    datafeed *feed = enter_read(service, config);
    receive_one(service, feed);
    UNTIL(is_in_state(feed, "WAITING_FOR_BOT"));
    return feed;
}

/* A batch is acknowledged while a read is in flight that could not tell the agent yet. */

static datafeed *enter_acknowledgement(const emulator *service, const char *config)
{
    datafeed *feed = enter_read(service, config);
    long before = reads_seen(service);
    uint64_t delivery = receive_one(service, feed);
    /* A bot that asks for more while it holds an event is read for. */
    CHECK_IS(DATAFEED_TIMEOUT, no_event(feed, 0));
    UNTIL(reads_seen(service) > before);
    CHECK_IS(DATAFEED_OK, datafeed_ack(feed, delivery));
    return feed;
}

static const struct phase PHASES[] = {
    {"lookup", prepare_lookup, enter_lookup, leave_lookup},
    {"connect", prepare_connect, enter_connect, NULL},
    {"handshake", prepare_handshake, enter_handshake, hang_up},
    {"proxy", prepare_proxy, enter_proxy, hang_up},
    {"read", NULL, enter_read, NULL},
    {"acknowledged", NULL, enter_acknowledged, leave_acknowledged},
    {"body", prepare_body, enter_read, NULL},
    {"back-off", prepare_back_off, enter_back_off, NULL},
    {"full", prepare_full, enter_full, NULL},
    {"acknowledgement", NULL, enter_acknowledgement, leave_acknowledged},
};

const struct phase *find_phase(const char *name)
{
    for (size_t i = 0; i < sizeof PHASES / sizeof *PHASES; i++) {
        if (strcmp(PHASES[i].name, name) == 0) {
            return &PHASES[i];
        }
    }
    return NULL;
}
