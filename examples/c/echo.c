/* Answers every message with its own text: echo CONFIGURATION. SIGTERM and Ctrl-C end it. */
#include "post_message.h"
#include <datafeed.h>
#include <jansson.h>
#include <signal.h>

static datafeed *feed;
static void stop(int number) { (void)number, datafeed_interrupt(feed); }
static int fail(char *error) { return fprintf(stderr, "%s\n", error), datafeed_string_free(error), EXIT_FAILURE; }

/* Sends the text with the tokens of this session, which it frees; if they are refused, once more with others. */
static int sent(char *tokens, const char *stream, const char *text, int tries) {
    const char *agent = "", *token = "";
    json_t *session = json_loads(tokens, 0, NULL), *key_token = json_object_get(session, "keyManagerToken");
    datafeed_string_free(tokens);
    json_unpack(session, "{s:s, s:s}", "agentUrl", &agent, "sessionToken", &token);
    long status = post_message(agent, token, json_string_value(key_token), stream, text);
    int again = status == 401 && tries > 1 && datafeed_renew_session(feed, token, 10000, &tokens) == DATAFEED_OK;
    return json_decref(session), again ? sent(tokens, stream, text, tries - 1) : status == 200;
}

int main(int argc, char **argv) {
    const char *event, *text, *stream;
    char *error, *tokens;
    uint64_t delivery;
    int32_t status;
    if (datafeed_create(argc > 1 ? argv[1] : NULL, &feed, &error) != DATAFEED_OK) return fail(error);
    signal(SIGINT, stop), signal(SIGTERM, stop);
    while ((status = datafeed_next_event(feed, -1, &delivery, &event, NULL)) == DATAFEED_OK) {
        json_t *json = json_loads(event, 0, NULL);
        int is_other = json_unpack(json, "{s:{s:{s:{s:s, s:{s:s}}}}}", "payload", "messageSent", "message", "message",
                                   &text, "stream", "streamId", &stream);
        int done = is_other || (datafeed_session(feed, &tokens) == DATAFEED_OK && sent(tokens, stream, text, 2));
        done ? datafeed_ack(feed, delivery) : datafeed_nack(feed, delivery);
        json_decref(json);
    }
    if (status == DATAFEED_FAILED && datafeed_error(feed, &error) == DATAFEED_OK) return fail(error);
    return datafeed_close(feed), EXIT_SUCCESS;
}
