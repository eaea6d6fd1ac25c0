/* The login token of the consumers that are written by hand. */

#ifndef SIGN_H
#define SIGN_H

#include <stddef.h>

/* The body of a login: with a token that is signed by BENCH_KEY, or with a constant. The agent takes any. */
void login_body(char *body, size_t capacity);

#endif
