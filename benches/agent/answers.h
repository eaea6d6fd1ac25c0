/* The answers to a read, rendered once. What differs from answer to answer is numbers of a fixed width, which are
 * written over in place before an answer goes out.
 */

#ifndef ANSWERS_H
#define ANSWERS_H

#include <stddef.h>

/* Digits of a feed's count of answers, in each event's ids and in the ackId. */
#define NUMBER_WIDTH 8
/* Digits of the moment at which an event was emitted. */
#define STAMP_WIDTH 20

#define ACK_ID_START "eyJiYXRjaCI6Im"
#define ACK_ID_END "NDY2Yi1hN2Q5LTBjMWU4ZjNiNWE3OSJ9"

struct answer {
    char *text;
    size_t length;
    size_t capacity;
    /* Where the number goes. */
    size_t *places;
    size_t place_count;
    /* Where the moment of the first event goes. */
    size_t stamp;
};

/* Renders what all feeds start from; to be called once. */
void render_answers(void);

/* A feed's own answers, since feeds write in them at the same time. */
struct answer *copy_answers(int *count);

/* The answer without events. */
struct answer copy_empty_answer(void);

void write_number(char *text, unsigned long number);
void number_answer(struct answer *answer, unsigned long number);
void stamp_answer(struct answer *answer, unsigned long nanoseconds);

#endif
