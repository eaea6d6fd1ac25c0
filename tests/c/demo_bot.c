/* demo_bot EMULATOR BOT...: the bot in examples/c prints events as they came, and ends as it should. */
#include "harness.h"
#include <signal.h>

static char **command;

/* Starts the bot with a configuration and, if not NULL, a number of events. */
static child bot_start(char *config, char *events) {
    char *arguments[16];
    int count = 0;
    while (command[count] != NULL) {
        CHECK(count < 12);
        arguments[count] = command[count];
        count++;
    }
    arguments[count++] = config;
    arguments[count++] = events;
    arguments[count] = NULL;
    return child_start(arguments);
}

static void check_line(child bot, const char *expected) {
    char *line = read_line(bot.output);
    CHECK(line != NULL);
    CHECK(strcmp(line, expected) == 0);
    free(line);
}

static void twenty_events(const emulator *service) {
    static const char format[] = "{\"id\":\"%d\",\"type\":\"MESSAGESENT\",\"text\":\"caf\xc3\xa9 \\n %%s\"}";
    char *events, line[128];
    size_t length;
    FILE *stream = open_memstream(&events, &length);
    CHECK(stream != NULL);
    for (int i = 0; i < 20; i++) {
        fputc(i == 0 ? '[' : ',', stream);
        fprintf(stream, format, i);
    }
    fputc(']', stream);
    fclose(stream);
    publish(service, events);
    free(events);
    char *config = config_with(service, "\"closeTimeout\":45000");
    child bot = bot_start(config, "20");
    for (int i = 0; i < 20; i++) {
        snprintf(line, sizeof line, format, i);
        check_line(bot, line);
    }
    CHECK(read_line(bot.output) == NULL);
    CHECK_IS(0, child_end(bot));
    check_all_acknowledged(service, 20);
    free(config);
}

/* A configuration in a file, and a bot that runs until a signal comes. */
static void until_stopped_by(const emulator *service, int signal_number) {
    char path[] = "demo_bot.XXXXXX";
    int file = mkstemp(path);
    CHECK(file >= 0);
    CHECK_IS((long long)strlen(service->config), write(file, service->config, strlen(service->config)));
    close(file);
    child bot = bot_start(path, NULL);
    publish(service, "[{\"type\":\"first\"}]");
    check_line(bot, "{\"type\":\"first\"}");
    publish(service, "[{\"no type\":2}]");
    check_line(bot, "{\"no type\":2}");
    CHECK_IS(0, kill(bot.process, signal_number));
    CHECK(read_line(bot.output) == NULL);
    CHECK_IS(0, child_end(bot));
    unlink(path);
}

static void until_interrupted(const emulator *service) { until_stopped_by(service, SIGINT); }

static void until_terminated(const emulator *service) { until_stopped_by(service, SIGTERM); }

static void failures(const emulator *service) {
    CHECK_IS(1, child_end(bot_start("{}", NULL)));
    CHECK_IS(1, child_end(bot_start(NULL, NULL)));
    control_only(service, "logins", "{\"reject\":true}");
    child bot = bot_start(service->config, NULL);
    CHECK(read_line(bot.output) == NULL);
    CHECK_IS(1, child_end(bot));
}

int main(int argc, char **argv) {
    CHECK(argc > 2);
    command = argv + 2;
    void (*const scenes[])(const emulator *) = {twenty_events, until_interrupted, until_terminated, failures};
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
        emulator service = emulator_start(argv[1]);
        scenes[i](&service);
        emulator_stop(&service);
    }
}
