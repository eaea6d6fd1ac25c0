/* The requests before the first read, as the hand-written consumers make them. */

#ifndef REQUESTS_H
#define REQUESTS_H

#define SESSION_LOGIN "/login/pubkey/authenticate"
#define KEY_MANAGER_LOGIN "/relay/pubkey/authenticate"
#define FEEDS "/agent/v5/datafeeds"
#define USER_AGENT "symphony-datafeed/0.1.0"
#define TRACE_ID "bEnCh1"

/* The agent of the benchmark takes any token, so none is signed here. */
#define LOGIN_BODY "{\"token\":\"eyJhbGciOiJSUzUxMiJ9.eyJzdWIiOiJiZW5jaCJ9.c2lnbmF0dXJl\"}"

#endif
