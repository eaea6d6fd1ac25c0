/* echo_bot EMULATOR BOT...: a bot in examples answers every message with its own text, and ends as it should. It may be
 * written in any language. */
#include "harness.h"
#include <signal.h>

static char **command;

static child bot_start(const char *config) {
    const char *arguments[16];
    int count = 0;
    for (; command[count] != NULL; count++) {
        CHECK(count < 14);
        arguments[count] = command[count];
    }
    arguments[count++] = config;
    arguments[count] = NULL;
    return child_start((char *const *)arguments);
}

/* It has printed nothing, and ends with this code. */
static void check_end(child bot, int code) {
    CHECK(read_line(bot.output) == NULL);
    CHECK_IS(code, child_end(bot));
}

/* A message from somebody to a stream, whose text stands in JSON as it is given. */
static void say(const emulator *service, const char *stream, const char *text) {
    char *events = text_of("[{\"id\":\"%s\",\"type\":\"MESSAGESENT\",\"initiator\":{\"user\":{\"userId\":1}},\"payload\":{"
                           "\"messageSent\":{\"message\":{\"message\":\"%s\",\"stream\":{\"streamId\":\"%s\"}}}}}]",
                           stream, text, stream);
    publish(service, events);
    free(events);
}

/* How many messages the bot has sent that were answered with this status. */
static int sent_with(const emulator *service, int status) {
    char *requests = control(service, "GET", "requests", ""), *member = text_of("\"status\":%d", status);
    int count = 0;
    for (char *entry = strtok(requests, "}"); entry != NULL; entry = strtok(NULL, "}")) {
        count += strstr(entry, "\"endpoint\":\"createMessage\"") != NULL && strstr(entry, member) != NULL;
    }
    free(member);
    free(requests);
    return count;
}

/* Somebody else in the room, who sees what the bot says. */
static datafeed *onlooker_open(const emulator *service) {
    char *config = config_with(service, "\"ignoreOwn\":false,\"closeTimeout\":45000,\"datafeed\":{\"tag\":\"onlooker\"}");
    datafeed *onlooker = open_with(config);
    UNTIL(is_reading(onlooker));
    free(config);
    return onlooker;
}

/* The next message is the bot's, of this text and to this stream. */
static void check_answer(datafeed *onlooker, const char *stream, const char *text) {
    const char *event;
    char *address = text_of("\"streamId\":\"%s\"", stream), *content = text_of(">%s</div>\"", text);
    uint64_t delivery = receive(onlooker, &event);
    int right = strstr(event, "emulator-bot") && strstr(event, address) && strstr(event, content);
    if (!right) fprintf(stderr, "%s\n", event);
    CHECK(right);
    CHECK_IS(DATAFEED_OK, datafeed_ack(onlooker, delivery));
    free(content);
    free(address);
}

static void pass(datafeed *onlooker) {
    const char *event;
    CHECK_IS(DATAFEED_OK, datafeed_ack(onlooker, receive(onlooker, &event)));
}

static void answers_until(const emulator *service, int signal_number) {
    static const char *const said[][2] = {
        /* what is said in JSON, and how it comes back in JSON */
        {"<div data-format=\\\"PresentationML\\\" data-version=\\\"2.0\\\"><p>hello</p></div>", "hello"},
        {"caf\xc3\xa9 \\ud83d\\ude80 &lt;b&gt; &amp; \\\"so on\\\" \\\\", "caf\xc3\xa9 \xf0\x9f\x9a\x80 &lt;b&gt; &amp; \\\"so on\\\" \\\\"},
    };
    char *config = config_with(service, "\"closeTimeout\":45000");
    datafeed *onlooker = onlooker_open(service);
    child bot = bot_start(config);
    free(config);
    for (int i = 0; i < 2; i++) {
        say(service, i == 0 ? "plain-1_" : "wTmS+DeJ/Q==", said[i][0]);
        pass(onlooker);
        check_answer(onlooker, i == 0 ? "plain-1_" : "wTmS-DeJ_Q", said[i][1]);
    }
    /* It has nothing to say to anything else. */
    publish(service, "[{\"type\":\"USERJOINEDROOM\",\"payload\":{\"userJoinedRoom\":{}}},{\"other\":1}]");
    pass(onlooker);
    pass(onlooker);
    say(service, "plain-2", "the last");
    pass(onlooker);
    check_answer(onlooker, "plain-2", "the last");
    /* Five events and three answers, each for the bot and for the onlooker. */
    check_all_acknowledged(service, 16);
    CHECK_IS(0, kill(bot.process, signal_number));
    check_end(bot, 0);
    CHECK_IS(3, sent_with(service, 200));
    CHECK_IS(DATAFEED_OK, datafeed_close(onlooker));
}

static void answers(const emulator *service) { answers_until(service, SIGTERM); }

static void answers_until_ctrl_c(const emulator *service) { answers_until(service, SIGINT); }

/* The session is over when the bot uses it: its read has begun before, so only the bot finds out. It does not help to
 * refuse the message, which would come again too late. */
static void renews_the_session(const emulator *service) {
    char *config = config_with(service, "\"nackDelay\":600000");
    control_only(service, "settings", "{\"pollMillis\":600000}");
    child bot = bot_start(config);
    free(config);
    until_a_request_waits(service);
    UNTIL(requests_to(service, "read") == 1);
    control_only(service, "sessions/expire", "");
    say(service, "plain", "hello");
    UNTIL(sent_with(service, 200) == 1);
    CHECK_IS(1, sent_with(service, 401));
    CHECK_IS(0, kill(bot.process, SIGTERM));
    check_end(bot, 0);
}

/* What could not be answered comes again. */
static void tries_again(const emulator *service) {
    char *config = config_with(service, "\"nackDelay\":10");
    control_only(service, "faults", "{\"endpoint\":\"createMessage\",\"times\":2,\"action\":{\"status\":{\"status\":503}}}");
    control_only(service, "faults", "{\"endpoint\":\"createMessage\",\"action\":{\"reset\":{\"afterBytes\":0}}}");
    child bot = bot_start(config);
    say(service, "plain", "hello");
    UNTIL(sent_with(service, 200) == 1);
    CHECK_IS(2, sent_with(service, 503));
    CHECK_IS(4, requests_to(service, "createMessage"));
    /* The message and its answer. */
    check_all_acknowledged(service, 2);
    CHECK_IS(0, kill(bot.process, SIGTERM));
    check_end(bot, 0);
    free(config);
}

static void fails(const emulator *service) {
    check_end(bot_start("{}"), 1);
    control_only(service, "logins", "{\"reject\":true}");
    char *errors[] = {"/bin/sh", "-c", "exec \"$@\" 2>&1", "sh", NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL};
    for (int i = 0; command[i] != NULL; i++) {
        CHECK(i < 7);
        errors[4 + i] = command[i];
    }
    command = errors;
    child bot = bot_start(service->config);
    char *line = read_line(bot.output);
    CHECK(line != NULL && strstr(line, "AUTH_REJECTED") != NULL);
    free(line);
    while ((line = read_line(bot.output)) != NULL) free(line);
    CHECK_IS(1, child_end(bot));
}

int main(int argc, char **argv) {
    CHECK(argc > 2);
    command = argv + 2;
    void (*const scenes[])(const emulator *) = {answers, answers_until_ctrl_c, renews_the_session, tries_again, fails};
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
        emulator service = emulator_start(argv[1]);
        scenes[i](&service);
        emulator_stop(&service);
    }
}
