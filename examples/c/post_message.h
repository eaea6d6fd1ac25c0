/* How the echo bots send a message, with libcurl. For C and C++. */
#ifndef POST_MESSAGE_H
#define POST_MESSAGE_H

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline size_t post_message_ignore(char *data, size_t size, size_t count, void *place) {
    return (void)data, (void)place, size * count;
}

/* Sends the text of a message to a stream, without the message's own markup. `key_manager_token` may be NULL.
 * Returns the HTTP status of the answer, or 0 when there was none. */
static inline long post_message(const char *agent_url, const char *session_token, const char *key_manager_token,
                                const char *stream_id, const char *text) {
    char line[16384];
    long status = 0;
    struct curl_slist *headers = NULL;
    CURL *curl = curl_easy_init();
    curl_mime *form = curl_mime_init(curl);
    curl_mimepart *part = curl_mime_addpart(form);

    /* Ids of streams are base64; in a path they have to be of the kind for URLs. */
    snprintf(line, sizeof line, "%s/agent/v4/stream/", agent_url);
    for (size_t length = strlen(line); *stream_id != '\0' && *stream_id != '=' && length < 8192; stream_id++) {
        line[length++] = *stream_id == '+' ? '-' : *stream_id == '/' ? '_' : *stream_id;
        line[length] = '\0';
    }
    strncat(line, "/message/create", sizeof line - strlen(line) - 1);
    curl_easy_setopt(curl, CURLOPT_URL, line);
    /* A bot that is told to end does not wait for ever; and threads and signals are the bot's. */
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 10L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    snprintf(line, sizeof line, "sessionToken: %s", session_token);
    headers = curl_slist_append(headers, line);
    if (key_manager_token != NULL) {
        snprintf(line, sizeof line, "keyManagerToken: %s", key_manager_token);
        headers = curl_slist_append(headers, line);
    }
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);

    char *message;
    size_t size;
    FILE *stream = open_memstream(&message, &size);
    fputs("<messageML>", stream);
    for (int in_tag = 0; *text != '\0'; text++) {
        if (*text == '<') in_tag = 1;
        if (!in_tag) fputc(*text, stream);
        if (*text == '>') in_tag = 0;
    }
    fputs("</messageML>", stream);
    fclose(stream);
    curl_mime_name(part, "message");
    curl_mime_data(part, message, CURL_ZERO_TERMINATED);
    curl_easy_setopt(curl, CURLOPT_MIMEPOST, form);

    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, post_message_ignore);
    if (curl_easy_perform(curl) == CURLE_OK) curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    curl_mime_free(form);
    curl_easy_cleanup(curl);
    free(message);
    return status;
}

#endif
