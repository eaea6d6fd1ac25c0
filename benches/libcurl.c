/* The consumer that a C programmer writes with libcurl: one easy handle, used again for every request.
 *
 *   libcurl PORT WARM_UP EVENTS
 */

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "requests.h"
#include "measure.h"
#include "scan.h"

struct body {
    char *text;
    size_t length;
    size_t capacity;
};

static size_t append(char *part, size_t size, size_t count, void *argument)
{
    struct body *body = argument;
    size_t length = size * count;
    if (body->length + length + 1 > body->capacity) {
        body->capacity = 2 * (body->length + length + 1);
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

static void set_url(CURL *curl, const char *port, const char *path)
{
    char url[512];
    snprintf(url, sizeof url, "http://127.0.0.1:%s%s", port, path);
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

static void log_in(CURL *curl, const char *port, const char *path, struct body *answer, char *token, size_t capacity)
{
    set_url(curl, port, path);
    set_post(curl, LOGIN_BODY, strlen(LOGIN_BODY));
    perform(curl, answer);
    find_string(answer->text, "token", token, capacity);
}

int main(int count, char **arguments)
{
    if (count != 4) {
        fprintf(stderr, "usage: libcurl PORT WARM_UP EVENTS\n");
        return 2;
    }
    struct measurement measurement = begin_measurement(arguments[2], arguments[3]);
    const char *port = arguments[1];
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURL *curl = curl_easy_init();
    struct body answer = {0};
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, 15000L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 60000L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, USER_AGENT);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, append);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);

    struct curl_slist *headers = add_header(NULL, "Content-Type", "application/json");
    headers = add_header(headers, "Accept", "application/json");
    headers = add_header(headers, "X-Trace-Id", TRACE_ID);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    char session[2048], key_manager[2048], feed[256], path[384];
    log_in(curl, port, SESSION_LOGIN, &answer, session, sizeof session);
    log_in(curl, port, KEY_MANAGER_LOGIN, &answer, key_manager, sizeof key_manager);
    headers = add_header(headers, "sessionToken", session);
    headers = add_header(headers, "keyManagerToken", key_manager);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);

    curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    set_url(curl, port, FEEDS);
    perform(curl, &answer);
    find_string(answer.text, "id", feed, sizeof feed);

    snprintf(path, sizeof path, FEEDS "/%s/read", feed);
    set_url(curl, port, path);
    struct ack_id ack_id = {.length = 0};
    for (;;) {
        char request[512];
        int length = snprintf(request, sizeof request, "{\"ackId\":\"%.*s\"}", (int)ack_id.length, ack_id.text);
        set_post(curl, request, length);
        perform(curl, &answer);
        if (!receive_batch(answer.text, answer.length, &measurement, &ack_id)) {
            break;
        }
    }
    print_measurement(&measurement);
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    free(answer.text);
    curl_global_cleanup();
    return 0;
}
