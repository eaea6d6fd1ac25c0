/* printing_bot EMULATOR SCENE BOT...: a bot in examples that prints events prints them as they came, and ends as it
 * should. */
#include "harness.h"
#include <signal.h>

static char **command;

/* Starts the bot with a configuration and, if not NULL, a further argument. */
static child bot_start(const char *config, const char *more) {
    const char *arguments[16];
    int count = 0;
    for (; command[count] != NULL; count++) {
        CHECK(count < 13);
        arguments[count] = command[count];
    }
    arguments[count++] = config;
    arguments[count++] = more;
    arguments[count] = NULL;
    return child_start((char *const *)arguments);
}

static void check_line(child bot, const char *expected) {
    char *line = read_line(bot.output);
    CHECK(line != NULL);
    CHECK(strcmp(line, expected) == 0);
    free(line);
}

static void check_end(child bot, int code) {
    CHECK(read_line(bot.output) == NULL);
    CHECK_IS(code, child_end(bot));
}

/* It ends by itself after as many as it was told. */
static void twenty(const emulator *service) {
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
    check_end(bot, 0);
    check_all_acknowledged(service, 20);
    free(config);
}

static void two_events(const emulator *service, child bot) {
    publish(service, "[{\"type\":\"first\"}]");
    check_line(bot, "{\"type\":\"first\"}");
    publish(service, "[{\"no type\":2}]");
    check_line(bot, "{\"no type\":2}");
}

/* It acknowledges what it takes. Then it is killed, since it knows no other end; so it may not have printed it yet. */
static void takes(const emulator *service) {
    child bot = bot_start(service->config, NULL);
    publish(service, "[{\"type\":\"first\"},{\"no type\":2}]");
    check_all_acknowledged(service, 2);
    CHECK_IS(0, kill(bot.process, SIGKILL));
    CHECK_IS(128 + SIGKILL, child_end(bot));
}

/* What it has printed is acknowledged, without waiting for its end. */
static void acknowledges(const emulator *service) {
    child bot = bot_start(service->config, NULL);
    two_events(service, bot);
    check_all_acknowledged(service, 2);
    CHECK_IS(0, kill(bot.process, SIGKILL));
    check_end(bot, 128 + SIGKILL);
}

/* With a configuration in a file, until a signal comes; what it has printed is acknowledged then. */
static void until_stopped_by(const emulator *service, int signal_number) {
    char path[] = "printing_bot.XXXXXX", *config = config_with(service, "\"closeTimeout\":45000");
    int file = mkstemp(path);
    CHECK(file >= 0);
    CHECK_IS((long long)strlen(config), write(file, config, strlen(config)));
    close(file);
    child bot = bot_start(path, NULL);
    two_events(service, bot);
    CHECK_IS(0, kill(bot.process, signal_number));
    check_end(bot, 0);
    check_all_acknowledged(service, 2);
    unlink(path);
    free(config);
}

static void stops(const emulator *service) { until_stopped_by(service, SIGTERM); }

static void stops_by_ctrl_c(const emulator *service) { until_stopped_by(service, SIGINT); }

static void fails(const emulator *service) {
    check_end(bot_start("{}", NULL), 1);
    control_only(service, "logins", "{\"reject\":true}");
    check_end(bot_start(service->config, NULL), 1);
}

/* Its timer prints the statistics on stderr. */
static void tells(const emulator *service) {
    char *shell[16] = {"/bin/sh", "-c", "exec \"$@\" 2>&1 >/dev/null", "sh"};
    for (int i = 0; command[i] != NULL; i++) {
        CHECK(i < 10);
        shell[4 + i] = command[i];
    }
    command = shell;
    child bot = bot_start(service->config, "1");
    for (int lines = 0; lines < 2; lines++) {
        char *line = read_line(bot.output);
        CHECK(line != NULL && strstr(line, "\"state\":") != NULL);
        free(line);
    }
    CHECK_IS(0, kill(bot.process, SIGTERM));
    while (read_line(bot.output) != NULL) continue;
    CHECK_IS(0, child_end(bot));
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(const emulator *);
    } scenes[] = {
        {"takes", takes}, {"acknowledges", acknowledges},       {"twenty", twenty}, {"stops", stops},
        {"fails", fails}, {"stops_by_ctrl_c", stops_by_ctrl_c}, {"tells", tells},
    };
    CHECK(argc > 3);
    command = argv + 3;
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
        if (strcmp(scenes[i].name, argv[2]) != 0) continue;
        emulator service = emulator_start(argv[1]);
        scenes[i].run(&service);
        emulator_stop(&service);
        return 0;
    }
    check_failed(__FILE__, __LINE__, "the scene is known");
}
