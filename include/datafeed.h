/* symphony-datafeed: Symphony's real-time events for any program that can call C.
 *
 * Generated from the library's source (make header); do not edit.
 *
 *   datafeed *feed;
 *   char *error;
 *   if (datafeed_create(config, &feed, &error) != DATAFEED_OK) { ... datafeed_string_free(error); }
 *   while (datafeed_next_event(feed, -1, &delivery, &json, &length) == DATAFEED_OK) {
 *       ... datafeed_ack(feed, delivery);
 *   }
 *   datafeed_close(feed);
 *
 * What holds for every function:
 * - Any thread may call it at any time; it takes no signals and installs no handlers.
 * - Everything said is JSON in NUL-terminated UTF-8. Times are milliseconds, sizes are bytes.
 * - It returns a status, one of the DATAFEED_ numbers below. They never change; new ones may be added.
 * - Out-parameters are set on DATAFEED_OK only, and to NULL, 0 or -1 otherwise (but for `error_json` of
 *   datafeed_create). A `char **` is owned by the caller, who frees it with datafeed_string_free(); a
 *   `const char **` is lent.
 * - NULL, a closed feed, a second close and a pointer that is no feed are answered, never undefined behaviour.
 * - After fork() the child gets DATAFEED_FORKED for the parent's feeds, and may create its own.
 */

#ifndef DATAFEED_H
#define DATAFEED_H

#include <stddef.h>
#include <stdint.h>

// It worked.
#define DATAFEED_OK 0

// The time is over and nothing came.
#define DATAFEED_TIMEOUT 1

// `datafeed_interrupt` was called.
#define DATAFEED_INTERRUPTED 2

// The feed is closed.
#define DATAFEED_CLOSED 3

// The feed has stopped for good; `datafeed_error` says why.
#define DATAFEED_FAILED 4

// An argument cannot be used: NULL where something is needed, a handle that is none, a delivery number that is not
// held, a configuration with an error.
#define DATAFEED_INVALID_ARGUMENT 5

// The feed belongs to the parent process. A forked child must open its own.
#define DATAFEED_FORKED 6

// It is taken, and will be stored, but `stateDir` does not take it at the moment, as when its disk is full: a crash before
// that could bring the event again.
#define DATAFEED_NOT_STORED 7

// A feed. The handle is looked up and checked in every call, so a closed one, NULL or garbage is answered with a
// status. It is never freed and never used again: a few kilobytes remain for each feed that was ever created, and 2 MiB at most
// for all of a process, which the answers of the next ones are received in.
typedef struct datafeed datafeed;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Opens a feed: checks the configuration and starts the thread that polls. Does not wait for the network.
//
// `config`: NUL-terminated UTF-8. JSON if it starts with `{`, YAML if it has more than one line, otherwise the path of a
// file in either. It is not kept.
// `feed`: set to the new handle, or to NULL. Must not be NULL.
// `error_json`: set to NULL, or when the call fails to an error object
// `{"code","message","retryable","field"?,"file"?}` that the caller frees with datafeed_string_free(). May be NULL.
//
// Returns DATAFEED_OK; DATAFEED_INVALID_ARGUMENT when `feed` or `config` is NULL or the configuration cannot be used, also
// since another feed has the file of the id (FEED_IN_USE) or `stateDir` (STATE_IN_USE), or that folder cannot be used
// (STATE_UNAVAILABLE); DATAFEED_FAILED when the process has no thread or descriptor left.
int32_t datafeed_create(const char *config,
                        datafeed **feed,
                        char **error_json);

// Stops the feed. Any thread may call it, also while others are blocked: they return DATAFEED_CLOSED at once.
//
// Acknowledgements of batches whose every event is acknowledged, and that were not sent yet, are written first, for
// about `closeTimeout` (1000 ms). Without any, it returns within milliseconds. What is not acknowledged is delivered
// again to the next reader; what Datafeed 1 has handed over, to the next feed with the same `stateDir`, and without one
// to nobody. Events in the bot's hands stay readable, and keep their memory, until each is given to datafeed_ack(),
// datafeed_nack() or datafeed_copied(), which then answer DATAFEED_CLOSED.
//
// Returns DATAFEED_OK; DATAFEED_CLOSED when it was closed already, which is harmless, or is being closed by another
// thread, which is waited for; DATAFEED_INVALID_ARGUMENT; DATAFEED_FORKED.
int32_t datafeed_close(datafeed *feed);

// A graceful end, as for a service that gets SIGTERM: hands out nothing more, waits until the bot has settled what it
// holds, and closes.
//
// datafeed_next_event() answers DATAFEED_CLOSED from now on, blocked calls at once, so that the loops of worker threads
// end. Everything else goes on. When every event in the bot's hands was given to datafeed_ack() or datafeed_nack(), or
// the time is over, the feed is closed as by datafeed_close(). Call it from a thread that holds no event itself. A batch
// of which a part was still queued is delivered again as a whole to the next reader, since the service knows no parts;
// with `stateDir` that reader knows what was acknowledged of it. With Datafeed 1 and without `stateDir`, events that were
// received already are still handed out first, since nobody else has them: somebody has to go on asking for them.
//
// `timeout_ms`: milliseconds; negative waits for ever, 0 does not wait.
//
// Returns DATAFEED_OK: everything was settled; DATAFEED_TIMEOUT: the bot still held events, which are delivered again to
// the next reader (the feed is closed all the same); DATAFEED_CLOSED: it was closed before, or by another thread
// meanwhile; DATAFEED_INVALID_ARGUMENT; DATAFEED_FORKED. datafeed_interrupt() does not wake it, datafeed_close() does.
int32_t datafeed_drain(datafeed *feed,
                       int32_t timeout_ms);

// Wakes every thread that is blocked in datafeed_next_event(): each returns DATAFEED_INTERRUPTED. If none is, the next
// call of any thread returns so. Also makes the descriptor of datafeed_fd() readable until a call has returned so.
// With several consumers it cannot be aimed at one, and misses a thread that is between two calls: to stop them all use
// datafeed_drain() or datafeed_close(). May be called from any thread and from a signal handler: it takes no lock and allocates nothing.
//
// Returns DATAFEED_OK, also for a closed feed; DATAFEED_INVALID_ARGUMENT; DATAFEED_FORKED.
int32_t datafeed_interrupt(datafeed *feed);

// A descriptor for poll(), epoll or an event loop: readable while an event, an interruption or the end of the feed is
// waiting. When it is readable call datafeed_next_event() with a timeout of 0 until it returns DATAFEED_TIMEOUT. It
// may be readable once too often. Also after close.
//
// `fd`: set to the descriptor, or to -1. It belongs to the library: do not read, write or close it. It stays open and
// readable after the end of the feed, so that nobody watches a number that was given to something else.
//
// Returns DATAFEED_OK; DATAFEED_FAILED when the process has no descriptor left; DATAFEED_INVALID_ARGUMENT;
// DATAFEED_FORKED.
int32_t datafeed_fd(datafeed *feed, int *fd);

// Waits for the next event. Any number of threads may wait; each event goes to one of them.
//
// `timeout_ms`: milliseconds; negative waits for ever, 0 does not wait.
// `delivery`: set to the number to acknowledge the event by, or to 0. Numbers count up and are never used again.
// `event_json`: set to the event, or to NULL: one JSON object as NUL-terminated UTF-8, exactly as the agent sent it. One of
// the type DATAFEEDGAP is the library's own, where events may have been missed (unless `gapEvents` is false):
// `payload.datafeedGap` is `{"from","to","reason","feedId"}`, as docs/delivery.md tells.
// The string is lent: it is valid until this delivery is given to datafeed_ack(), datafeed_nack() or datafeed_copied(),
// also if the feed is closed meanwhile. Do not change or free it.
// `length`: set to the string's length in bytes without the NUL, or to 0. May be NULL; the others must not.
//
// With `"ack": "implicit"` in the configuration the call first acknowledges the event that the one before returned,
// whatever the call then returns; that event's string is no longer valid. One thread at a time may then be in the call:
// a second one gets DATAFEED_INVALID_ARGUMENT.
//
// Returns DATAFEED_OK; DATAFEED_TIMEOUT; DATAFEED_INTERRUPTED; DATAFEED_CLOSED; DATAFEED_FAILED when the feed has
// stopped for good and the events that it had are handed out; DATAFEED_INVALID_ARGUMENT; DATAFEED_FORKED.
int32_t datafeed_next_event(datafeed *feed,
                            int32_t timeout_ms,
                            uint64_t *delivery,
                            const char **event_json,
                            size_t *length);

// The bot is done with this event: it is never handed out again by this process, with `stateDir` nor by those after it,
// and the service is told when every event of its batch is acknowledged. Any thread, in any order. Ends the life of the
// event's string. A feed that has FAILED tells the service what was acknowledged before; what is acknowledged afterwards
// will be delivered again.
//
// Returns DATAFEED_OK, and then with `stateDir` the end of the process, however it ends, does not undo it;
// DATAFEED_NOT_STORED when it is taken but could not be stored yet: it will be, and there is nothing to be done with the
// event; DATAFEED_INVALID_ARGUMENT when the number is not held: never handed out, or acknowledged or refused already;
// DATAFEED_CLOSED, whatever the number, when the feed is closed: the string is released, and the event will be delivered
// again to the next reader; DATAFEED_FORKED.
int32_t datafeed_ack(datafeed *feed,
                     uint64_t delivery);

// The bot is not done with this event: it alone is handed out again, under a new delivery number, after `nackDelay`
// (1000 ms), which doubles with each attempt up to 5 minutes. With `maxAttempts`, an event that was handed out so often is
// set aside instead: see datafeed_dead_letters(). Any thread. Ends the life of the event's string.
//
// Returns as datafeed_ack() does.
int32_t datafeed_nack(datafeed *feed,
                      uint64_t delivery);

// For a bot that has copied the event's string, or needs it no more: ends the life of the string. The event stays held,
// to be acknowledged or refused as ever. Nothing that was copied is kept for the bot when the feed is closed, which spares
// wrappers of other languages from giving back what their users forgot.
//
// Returns as datafeed_ack() does.
int32_t datafeed_copied(datafeed *feed,
                        uint64_t delivery);

// How often the event with this delivery number has been handed out by this feed, this time included: 1, and one more
// after each datafeed_nack(). With `maxAttempts` the processes before this one count, too.
//
// `attempt`: set to the count, or to 0. Must not be NULL.
//
// Returns DATAFEED_OK; DATAFEED_INVALID_ARGUMENT when the number is not held; DATAFEED_FORKED. Also after close, as long
// as the string is valid.
int32_t datafeed_attempt(datafeed *feed,
                         uint64_t delivery,
                         uint32_t *attempt);

// The events that were set aside because each was handed out `maxAttempts` times in vain: at most 100 with an id greater
// than `after`, the oldest first. To see all of them begin with 0, and go on with the last id until the list is empty.
//
// `letters_json`: set to a list `[{"id","at","attempts","event"}]` that the caller frees with datafeed_string_free(), or to
// NULL. `id` counts up and is never used again; `at` is when it was set aside, in milliseconds since 1970; `attempts` how
// often it had been handed out; `event` the event, exactly as the agent sent it. They stay in `stateDir` until they are resubmitted or discarded, also
// when the process ends. Without `stateDir` the list is empty. Must not be NULL.
//
// Returns DATAFEED_OK; DATAFEED_INVALID_ARGUMENT; DATAFEED_CLOSED; DATAFEED_NOT_STORED when `stateDir` cannot be read, and
// datafeed_error() says why; DATAFEED_FORKED.
int32_t datafeed_dead_letters(datafeed *feed,
                              uint64_t after,
                              char **letters_json);

// Hands out an event again that was set aside, as if it were new: under a new delivery number, its attempts counted from 1.
// It is no dead letter any more.
//
// `letter`: the `id` that datafeed_dead_letters() gave.
//
// Returns DATAFEED_OK; DATAFEED_INVALID_ARGUMENT when there is none of this id; DATAFEED_NOT_STORED when nothing
// was done, since `stateDir` takes nothing at the moment: try again later; DATAFEED_CLOSED; DATAFEED_FORKED.
int32_t datafeed_resubmit(datafeed *feed,
                          uint64_t letter);

// Throws away an event that was set aside.
//
// `letter`: the `id` that datafeed_dead_letters() gave.
//
// Returns as datafeed_resubmit() does.
int32_t datafeed_discard(datafeed *feed, uint64_t letter);

// Why the feed has stopped for good, or else the latest trouble that it is dealing with or has overcome. Also after
// close.
//
// `error_json`: set to `{"code","message","retryable","field"?,"file"?,"httpStatus"?,"traceId"?}`, or to NULL when
// there never was any trouble. The caller frees it with datafeed_string_free(). `retryable` is true while the feed goes
// on trying.
//
// Returns DATAFEED_OK; DATAFEED_INVALID_ARGUMENT; DATAFEED_FORKED.
int32_t datafeed_error(datafeed *feed,
                       char **error_json);

// What the feed is doing and has done. Also after close.
//
// `stats_json`: set to an object that the caller frees with datafeed_string_free(), or to NULL. Its members: `version`
// of the library; `state`: LOGGING_IN, FINDING_FEED, READING, WAITING_FOR_BOT (nothing to read for: the bot holds
// events, or `maxUnacknowledged` is reached), WAITING_FOR_STORE (`stateDir` takes nothing, as when its disk is full, and
// is tried again), BACKING_OFF, FAILED or CLOSED; `retryAt` (ms since 1970: when the back-off ends, else null);
// `agentUrl` (the node of the agent that is read), `stream` (datafeed, datahose or firehose), `feedId`, `tag`;
// `lastReadAt`, `lastEventAt` (ms since 1970, or null); counts of events now: `queued` for the bot, `held` by it,
// `postponed` after a nack, `remembered` as acknowledged, `deadLetters` set aside in `stateDir`; counts since the start:
// `received`, `filtered` (left out as the configuration says, and acknowledged), `handedOut`, `acknowledged`, `nacked`,
// `setAside` (handed out `maxAttempts` times in vain), `redelivered` (arrivals that were known), `confirmed`
// (acknowledgements that the service confirmed), `keepAliveReads`, `forgottenEarly` (acknowledged events forgotten before
// 15 minutes were over), `logins`, `feedsCreated`, `retries`, and `retriesByCause`, an object with a count for each error
// code; `clockOffsetSeconds` (by how much the service's clock is ahead, if login tokens had to allow for it, else 0);
// `latestTrouble`: null or an error object with `at` (ms since 1970).
//
// Returns DATAFEED_OK; DATAFEED_INVALID_ARGUMENT; DATAFEED_FORKED.
int32_t datafeed_stats(datafeed *feed,
                       char **stats_json);

// What a bot needs to call Symphony's other endpoints with its own HTTP client, for instance to answer a message.
//
// `session_json`: set to `{"podUrl","agentUrl","keyManagerUrl","username","userId","sessionToken","keyManagerToken",
// "authorizationToken"}`, or to NULL. The tokens are null until the login succeeded; `keyManagerToken` stays null where
// the agent delivers keys to the session alone, and `authorizationToken` (`Bearer ...`, the common JWT, sent as header
// `Authorization`) without `commonJwt.enabled`. They are secrets. `userId` is the bot's own id, or null while it is not
// known. The caller frees the string with datafeed_string_free().
//
// Where a request with these is answered 401, datafeed_renew_session() gets others.
//
// Returns DATAFEED_OK; DATAFEED_CLOSED; DATAFEED_INVALID_ARGUMENT; DATAFEED_FORKED.
int32_t datafeed_session(datafeed *feed,
                         char **session_json);

// For a bot whose own request was answered 401: waits until the session is another one than that of the refused token.
//
// Logs in on the calling thread, unless another thread does already or has done, so events go on meanwhile and a token
// that is refused to many threads at once is renewed once. Failures are retried until the time is over;
// datafeed_error() has the latest.
//
// `refused_token`: any token of the session that was refused, NUL-terminated, with or without `Bearer `.
// `timeout_ms`: milliseconds; negative waits for ever, 0 does not wait.
// `session_json`: set to the new session as by datafeed_session(), which the caller frees with datafeed_string_free(), or
// to NULL.
//
// Returns DATAFEED_OK; DATAFEED_TIMEOUT; DATAFEED_FAILED (the feed has stopped for good: datafeed_error()
// says why); DATAFEED_CLOSED; DATAFEED_INVALID_ARGUMENT; DATAFEED_FORKED. datafeed_interrupt() does not wake it,
// datafeed_close() does.
int32_t datafeed_renew_session(datafeed *feed,
                               const char *refused_token,
                               int32_t timeout_ms,
                               char **session_json);

// Waits for the next line of the feed's log. The last 1000 lines are kept for a program that fetches them late, and of
// a closed feed the last 20. The environment variable DATAFEED_LOG (`error`, `warn` or `info`) shows the same lines on
// stderr, but for those that it does not take at once.
//
// `timeout_ms`: milliseconds; negative waits for ever, 0 does not wait.
// `log_json`: set to `{"timestamp","level","message",...}` (ms since 1970; level `error`, `warn` or `info`), or to NULL.
// Further members by the message: `code`, `httpStatus`, `field`, `file` as in an error object; `traceId` of the request,
// which stands in the service's logs too; `rule` and `action`, the row of the retry policy that applies and what it
// says; `retryInMillis`; `feedId`; `agent`, the node's URL. The caller frees it with datafeed_string_free().
//
// Returns DATAFEED_OK; DATAFEED_TIMEOUT; DATAFEED_CLOSED when the feed is closed and every line was fetched;
// DATAFEED_INVALID_ARGUMENT; DATAFEED_FORKED. datafeed_interrupt() does not wake it, datafeed_close() does.
int32_t datafeed_next_log(datafeed *feed,
                          int32_t timeout_ms,
                          char **log_json);

// Frees a string that a `char **` parameter of this library gave out. Not for events, which are lent. NULL is allowed.
void datafeed_string_free(char *owned_json);

// The library's version, as `0.1.0`. The string is static: do not free it.
const char *datafeed_version(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* DATAFEED_H */
