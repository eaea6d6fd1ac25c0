/* What never comes to an end: a lookup, a connection, and a server that listens but does not speak. */

#ifndef STUCK_H
#define STUCK_H

/* A name whose lookup lasts until `release_lookups()`. */
#define NAME_THAT_HANGS "hangs.example"

/* How many lookups of that name have begun. */
long lookups_begun(void);

/* Lets those end that have begun, without an address. */
void release_lookups(void);

/* The port of a server that accepts nobody and whose queue is full: whoever connects goes on trying. */
unsigned full_server(void);

/* Whether somebody is trying to connect to this port of 127.0.0.1. */
int is_connecting_to(unsigned port);

/* The listening socket of a server that never says a word. */
int silent_server(unsigned *port);

/* Accepts a client and reads until it has said `last_words`, or anything if that is empty. */
int accept_in_silence(int listener, const char *last_words);

#endif
