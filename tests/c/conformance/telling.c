/* Steps: what the service is to do, and what the feed, the service and the books tell. */
#include "world.h"

static void step_service(world *self, char *rest) { control_only(&self->service, "settings", rest); }

static void step_fault(world *self, char *rest) {
    const char *endpoint = take_word(&rest);
    long status = take_number(&rest), times = take_number(&rest);
    char *fault = text_of("{\"endpoint\":\"%s\",\"times\":%ld,\"action\":{\"status\":{\"status\":%ld}}}", endpoint, times,
                          status);
    control_only(&self->service, "faults", fault);
    free(fault);
}

static void step_books(world *self, char *rest) {
    const char *name = take_word(&rest);
    char *path = text_of("wait?books=%s&atLeast=%ld&timeoutMillis=%d", name, take_number(&rest), LONGEST);
    free(control(&self->service, "GET", path, ""));
    free(path);
}

static void step_error(world *self, char *rest) {
    told_trouble trouble = {"", "", 0};
    const char *code = take_word(&rest);
    self->by->error(self->feed, &trouble);
    CHECK(strcmp(trouble.code, code) == 0);
    CHECK_IS(take_number(&rest), trouble.http_status);
}

static void step_log(world *self, char *rest) {
    char *line;
    while (strstr(self->log, rest) == NULL) {
        CHECK_IS(DATAFEED_OK, self->by->next_log(self->feed, LONGEST, &line));
        char *message = text_in(line, "message"), *longer = text_of("%s%s\n", self->log, message);
        free(line);
        free(message);
        free(self->log);
        self->log = longer;
    }
}

static void step_stats(world *self, char *rest) {
    char *stats = self->by->stats(self->feed);
    const char *name = take_word(&rest);
    CHECK_IS(take_number(&rest), number_in(stats, name));
    free(stats);
}

/* The status of a request to the agent with the tokens of a session. */
static int ask_agent(const world *self, const char *session) {
    char *url = text_in(session, "agentUrl"), *expected = text_of("http://127.0.0.1:%u", self->service.port);
    CHECK(strcmp(url, expected) == 0);
    char *token = text_in(session, "sessionToken"), *key_token = text_in(session, "keyManagerToken");
    char *head = text_of("GET /agent/v5/datafeeds HTTP/1.1\r\nsessionToken: %s\r\nkeyManagerToken: %s", token, key_token);
    char *answer = exchange(control_connect(&self->service), head, "");
    int status = atoi(answer + strlen("HTTP/1.1 "));
    char *const all[] = {url, expected, token, key_token, head, answer};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
    return status;
}

static void step_session(world *self, char *rest) {
    (void)rest;
    char *session = self->by->session(self->feed);
    CHECK_IS(200, ask_agent(self, session));
    free(session);
}

static void step_renew(world *self, char *rest) {
    (void)rest;
    char *before = self->by->session(self->feed), *token = text_in(before, "sessionToken");
    control_only(&self->service, "sessions/expire", "");
    CHECK_IS(401, ask_agent(self, before));
    char *session = self->by->renew(self->feed, token), *other_token = text_in(session, "sessionToken");
    CHECK(strcmp(token, other_token) != 0);
    CHECK_IS(200, ask_agent(self, session));
    char *const all[] = {before, token, session, other_token};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

const step telling_steps[] = {
    {"service", step_service},
    {"fault", step_fault},
    {"books", step_books},
    {"error", step_error},
    {"log", step_log},
    {"stats", step_stats},
    {"session", step_session},
    {"renew", step_renew},
    {NULL, NULL},
};
