/* The consumer that a C programmer writes with libcurl: one easy handle, used again for every request. With BENCH_PARSE
 * each answer is parsed as a whole by yyjson, which is less work than to find the events and then parse each.
 */

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bot.h"
#include "requests.h"
#include "scan.h"
#include "sign.h"

struct body {
    char *text;
    size_t length;
    size_t capacity;
};

static size_t append(char *part, size_t size, size_t count, void *argument)
{
    struct body *body = argument;
    size_t length = size * count;
    size_t needed = body->length + length + 1 + BOUNDARIES_BEYOND;
    if (needed > body->capacity) {
        body->capacity = 2 * needed;
        body->text = realloc(body->text, body->capacity);
        if (body->text == NULL) {
            return 0;
        }
    }
    memcpy(body->text + body->length, part, length);
    body->length += length;
    body->text[body->length] = '\0';
    return length;
}

static void perform(CURL *curl, struct body *answer)
{
    answer->length = 0;
    CURLcode code = curl_easy_perform(curl);
    if (code != CURLE_OK) {
        fail(curl_easy_strerror(code));
    }
    long status;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) {
        fail("the answer is an error");
    }
}

static void set_url(CURL *curl, const char *path)
{
    char url[512];
    snprintf(url, sizeof url, "%s://127.0.0.1:%s%s", needed_setting("BENCH_SCHEME"), needed_setting("BENCH_PORT"), path);
    curl_easy_setopt(curl, CURLOPT_URL, url);
}

static void set_post(CURL *curl, const char *body, size_t length)
{
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)length);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
}

static struct curl_slist *add_header(struct curl_slist *headers, const char *name, const char *value)
{
    char header[2304];
    snprintf(header, sizeof header, "%s: %s", name, value);
    return curl_slist_append(headers, header);
}

static void log_in(CURL *curl, const char *path, const char *login, struct body *answer, char *token, size_t capacity)
{
    set_url(curl, path);
    set_post(curl, login, strlen(login));
    perform(curl, answer);
    find_string(answer->text, "token", token, capacity);
}

static CURL *make_handle(struct body *answer)
{
    CURL *curl = curl_easy_init();
    if (curl == NULL) {
        fail("curl_easy_init");
    }
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, 15000L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 60000L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, USER_AGENT);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, append);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    if (*setting("BENCH_CA") != '\0') {
        curl_easy_setopt(curl, CURLOPT_CAINFO, setting("BENCH_CA"));
    }
    return curl;
}

/* Logs in, and leaves the handle ready for the first read. */
static void prepare_reads(CURL *curl, struct body *answer)
{
    struct curl_slist *headers = add_header(NULL, "Content-Type", "application/json");
    headers = add_header(headers, "Accept", "application/json");
    headers = add_header(headers, "X-Trace-Id", TRACE_ID);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    char login[2048], session[2048], key_manager[2048], feed[256], path[384];
    login_body(login, sizeof login);
    log_in(curl, SESSION_LOGIN, login, answer, session, sizeof session);
    log_in(curl, KEY_MANAGER_LOGIN, login, answer, key_manager, sizeof key_manager);
    headers = add_header(headers, "sessionToken", session);
    headers = add_header(headers, "keyManagerToken", key_manager);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);

    curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    set_url(curl, FEEDS);
    perform(curl, answer);
    find_string(answer->text, "id", feed, sizeof feed);
    snprintf(path, sizeof path, FEEDS "/%s/read", feed);
    set_url(curl, path);
}

/* Answers whether more events are wanted. */
static bool receive_scanned(struct measurement *measurement, struct body *answer, struct ack_id *ack_id)
{
    static struct batch batch;
    find_batch(answer->text, answer->length, &batch);
    *ack_id = batch.ack_id;
    for (size_t index = 0; index < batch.count; index++) {
        if (!receive_event(measurement, batch.events[index].text, batch.events[index].length)) {
            return false;
        }
    }
    return true;
}

static bool receive_parsed(struct measurement *measurement, const struct body *answer, struct ack_id *ack_id)
{
    yyjson_doc *document = yyjson_read(answer->text, answer->length, 0);
    yyjson_val *root = yyjson_doc_get_root(document), *events = yyjson_obj_get(root, "events"), *event;
    const char *new_ack_id = yyjson_get_str(yyjson_obj_get(root, "ackId"));
    if (new_ack_id == NULL || strlen(new_ack_id) > sizeof ack_id->text) {
        fail("the answer has no ackId");
    }
    ack_id->length = strlen(new_ack_id);
    memcpy(ack_id->text, new_ack_id, ack_id->length);
    bool more = true;
    size_t index, count;
    size_t average = answer->length / (yyjson_arr_size(events) + !yyjson_arr_size(events));
    yyjson_arr_foreach(events, index, count, event)
    {
        yyjson_val *message = look_at_event(event);
        more = count_event(measurement, string_at(event, "id") + 1, average);
        if (measurement->latencies != NULL) {
            const char *data = string_at(message, "data");
            note_latency(measurement, data, strlen(data));
        }
        if (!more) {
            break;
        }
    }
    yyjson_doc_free(document);
    return more;
}

int main(void)
{
    struct measurement measurement = begin_measurement();
    struct body answer = {0};
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURL *curl = make_handle(&answer);
    prepare_reads(curl, &answer);
    struct ack_id ack_id = {.length = 0};
    bool more = true;
    while (more) {
        char request[512];
        int length = snprintf(request, sizeof request, "{\"ackId\":\"%.*s\"}", (int)ack_id.length, ack_id.text);
        set_post(curl, request, length);
        perform(curl, &answer);
        more = measurement.parse ? receive_parsed(&measurement, &answer, &ack_id)
                                 : receive_scanned(&measurement, &answer, &ack_id);
    }
    print_measurement(&measurement);
    curl_easy_cleanup(curl);
    free(answer.text);
    curl_global_cleanup();
    return 0;
}
