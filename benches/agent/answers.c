#include "answers.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "settings.h"

#define NUMBERS_PER_EVENT 3
#define ANSWERS 16
#define LARGE_BATCH 16
#define ANSWERS_OF_LARGE_BATCHES 2
#define PAGE 4096

static const char *const TEXTS[] = {
    "Good morning, the settlement report for yesterday is ready. Could you have a look at the three breaks on page 2 "
    "before ten?",
    "Can you quote 25 mm of the 4.25% Feb 2034, two-way please? The client is comparing with one other desk and will "
    "deal in the next few minutes; bid side is the one that matters to him.",
    "Thanks!",
    "The overnight batch finished at 05:42 with <b>no errors</b>, 18,204 records were loaded and 12 were held back for "
    "review. Details are in the usual place, and the dashboard shows the counts for each book. Next run: 22:00 UTC.",
    "/status prod-gateway-eu",
    "I have moved our call to 15:30 because of the committee meeting, the invitation is updated. Please bring the "
    "figures for Q3 and what you have on the new limits.",
    "Done at 101.375, 10 mm, value tomorrow. Confirmation follows.",
};

static struct answer *rendered;
static int rendered_count;
static struct answer empty;

__attribute__((format(printf, 2, 3))) static void append(struct answer *answer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(answer->text + answer->length, answer->capacity - answer->length, format, arguments);
    va_end(arguments);
    if (length < 0 || answer->length + length >= answer->capacity) {
        fprintf(stderr, "the buffer for an answer is too small\n");
        exit(1);
    }
    answer->length += length;
}

static void append_number(struct answer *answer)
{
    answer->places[answer->place_count++] = answer->length;
    append(answer, "%0*d", NUMBER_WIDTH, 0);
}

static void append_stamp(struct answer *answer)
{
    if (answer->stamp == 0) {
        answer->stamp = answer->length;
    }
    append(answer, "%0*d", STAMP_WIDTH, 0);
}

static void append_user(struct answer *answer, int user)
{
    append(answer,
           "{\"userId\":%lld,\"firstName\":\"Alexandra\",\"lastName\":\"Lindqvist\",\"displayName\":\"Alexandra "
           "Lindqvist (EMEA %02d)\",\"email\":\"alexandra.lindqvist%02d@example.com\",\"username\":\"alindqvist%02d\"}",
           351775001412640LL + user, user, user, user);
}

static void append_event(struct answer *answer, int index, int text)
{
    int user = text % 40;
    append(answer, "{\"id\":\"q");
    append_number(answer);
    append(answer, "%04d\",\"messageId\":\"Lk7tRw2_%04d", index, index);
    append_number(answer);
    append(answer, "X___oyH2sPvbQ\",\"timestamp\":1763784000%03d,\"type\":\"MESSAGESENT\",\"initiator\":{\"user\":",
           index % 1000);
    append_user(answer, user);
    append(answer, "},\"payload\":{\"messageSent\":{\"message\":{\"messageId\":\"Lk7tRw2_%04d", index);
    append_number(answer);
    append(answer,
           "X___oyH2sPvbQ\",\"timestamp\":1763784000%03d,\"message\":\"<div data-format=\\\"PresentationML\\\" "
           "data-version=\\\"2.0\\\" class=\\\"wysiwyg\\\"><p>%s</p></div>\","
           "\"data\":\"{\\\"0\\\":{\\\"type\\\":\\\"org.example.desk\\\",\\\"version\\\":\\\"1.0\\\","
           "\\\"id\\\":[{\\\"type\\\":\\\"org.example.desk.clock\\\",\\\"value\\\":\\\"",
           index % 1000, TEXTS[text % (sizeof TEXTS / sizeof *TEXTS)]);
    append_stamp(answer);
    append(answer, "\\\"}]}}\",\"user\":");
    append_user(answer, user);
    append(answer,
           ",\"stream\":{\"streamId\":\"Vd4aOq8ZkXb1WmC5uJtYn3___pQe7ThRdA\",\"streamType\":\"ROOM\"},"
           "\"externalRecipients\":false,\"userAgent\":\"DESKTOP-64.1.0-21744-Windows-10.0.22631-Chrome-126.0.6478."
           "185\",\"originalFormat\":\"com.symphony.messageml.v2\",\"disclaimer\":\"\",\"sid\":"
           "\"3f0b7c52-96de-4e1a-8c47-d25f61a90b%02x\"}}}}",
           user);
}

static void render_body(struct answer *answer, int events, int first_text)
{
    answer->length = 0;
    answer->place_count = 0;
    answer->stamp = 0;
    append(answer, "{\"events\":[");
    for (int index = 0; index < events; index++) {
        if (index > 0) {
            append(answer, ",");
        }
        append_event(answer, index, first_text + index);
    }
    append(answer, "],\"ackId\":\"" ACK_ID_START);
    append_number(answer);
    append(answer, ACK_ID_END "\"}");
}

static void *need(void *memory)
{
    if (memory == NULL) {
        die("malloc");
    }
    return memory;
}

static size_t place_capacity(int events)
{
    return sizeof(size_t) * (NUMBERS_PER_EVENT * (size_t)events + 1);
}

static struct answer render(int events, int first_text)
{
    struct answer answer = {.capacity = (2048 * (size_t)events / PAGE + 2) * PAGE};
    answer.text = need(aligned_alloc(PAGE, answer.capacity));
    answer.places = need(malloc(place_capacity(events)));
    render_body(&answer, events, first_text);
    size_t body_length = answer.length;
    answer.length = 0;
    append(&answer,
           "HTTP/1.1 200 OK\r\nDate: Sat, 22 Nov 2025 04:00:00 GMT\r\nContent-Type: application/json\r\n"
           "Content-Length: %zu\r\nConnection: keep-alive\r\nX-Trace-Id: bEnCh1\r\nCache-Control: no-cache, no-store\r\n"
           "X-Content-Type-Options: nosniff\r\nStrict-Transport-Security: max-age=31536000; includeSubDomains\r\n\r\n",
           body_length);
    size_t head_length = answer.length;
    char *head = need(strdup(answer.text));
    render_body(&answer, events, first_text);
    if (head_length + body_length >= answer.capacity) {
        fprintf(stderr, "the buffer for an answer is too small\n");
        exit(1);
    }
    memmove(answer.text + head_length, answer.text, body_length);
    memcpy(answer.text, head, head_length);
    free(head);
    answer.length += head_length;
    answer.stamp += head_length;
    for (size_t index = 0; index < answer.place_count; index++) {
        answer.places[index] += head_length;
    }
    return answer;
}

void render_answers(void)
{
    rendered_count = settings.answers;
    if (rendered_count == 0) {
        rendered_count = settings.batch < LARGE_BATCH ? ANSWERS : ANSWERS_OF_LARGE_BATCHES;
    }
    rendered = need(calloc(rendered_count, sizeof *rendered));
    for (int index = 0; index < rendered_count; index++) {
        rendered[index] = render(settings.batch, index * settings.batch);
    }
    empty = render(0, 0);
}

/* The text is the feed's own, the places stay shared. */
static struct answer copy(const struct answer *from)
{
    struct answer answer = *from;
    answer.text = need(aligned_alloc(PAGE, from->capacity));
    memcpy(answer.text, from->text, from->length);
    return answer;
}

struct answer *copy_answers(int *count)
{
    *count = rendered_count;
    struct answer *answers = need(calloc(rendered_count, sizeof *answers));
    for (int index = 0; index < rendered_count; index++) {
        answers[index] = copy(&rendered[index]);
    }
    return answers;
}

struct answer copy_empty_answer(void)
{
    return copy(&empty);
}

void write_number(char *text, unsigned long number)
{
    for (int at = NUMBER_WIDTH - 1; at >= 0; at--) {
        text[at] = "0123456789abcdef"[number & 15];
        number >>= 4;
    }
}

void number_answer(struct answer *answer, unsigned long number)
{
    char digits[NUMBER_WIDTH];
    write_number(digits, number);
    for (size_t index = 0; index < answer->place_count; index++) {
        memcpy(answer->text + answer->places[index], digits, NUMBER_WIDTH);
    }
}

void stamp_answer(struct answer *answer, unsigned long nanoseconds)
{
    for (int at = STAMP_WIDTH - 1; at >= 0; at--) {
        answer->text[answer->stamp + at] = '0' + nanoseconds % 10;
        nanoseconds /= 10;
    }
}
