/* One connection, from the first request to the end. */

#ifndef SERVE_H
#define SERVE_H

/* For pthread_create; the argument is the socket. */
void *serve(void *socket);

#endif
