// conformance EMULATOR CASES NAME: a case of tests/conformance/cases.txt by datafeed.hpp.
#include "../c/conformance/language.h"

#include "../c/checks.h"
#include <datafeed.hpp>

using symphony::Datafeed;
using symphony::Event;

static Datafeed &feed_of(void *feed) { return *static_cast<Datafeed *>(feed); }

static Event &event_of(taken_event *taken) { return *static_cast<Event *>(taken->event); }

static symphony::Timeout timeout_of(std::int32_t milliseconds) {
    if (milliseconds < 0) return symphony::forever;
    return std::chrono::milliseconds(milliseconds);
}

// The status that a call answers or throws.
template <class Call>
static std::int32_t status_of(Call call) {
    try {
        return call();
    } catch (const symphony::Error &error) {
        CHECK(error.code().category() == symphony::datafeed_category());
        return error.code().value();
    }
}

static char *copied(const std::string &text) { return text_of("%s", text.c_str()); }

static void tell(const symphony::Trouble &trouble, told_trouble *told) {
    CHECK(!trouble.message.empty());
    std::snprintf(told->code, sizeof told->code, "%s", trouble.code.c_str());
    std::snprintf(told->field, sizeof told->field, "%s", trouble.field.c_str());
    told->http_status = trouble.http_status.value_or(0);
}

static std::int32_t open(const char *config, void **feed, told_trouble *told) {
    return status_of([&] {
        try {
            *feed = new Datafeed(config);
        } catch (const symphony::Error &error) {
            tell(error.trouble(), told);
            throw;
        }
        return DATAFEED_OK;
    });
}

static std::int32_t next(void *feed, std::int32_t timeout, taken_event *taken) {
    std::error_code error;
    auto event = feed_of(feed).next_event(timeout_of(timeout), error);
    if (!event) return error.value();
    *taken = {nullptr, event->json().data(), event->json().size(), event->attempt()};
    taken->event = new Event(std::move(*event));
    return DATAFEED_OK;
}

static std::int32_t ack(taken_event *taken) {
    return status_of([&] { return event_of(taken).ack() ? DATAFEED_OK : DATAFEED_NOT_STORED; });
}

static std::int32_t nack(taken_event *taken) {
    return status_of([&] { return event_of(taken).nack() ? DATAFEED_OK : DATAFEED_NOT_STORED; });
}

static void forget(taken_event *taken) { delete &event_of(taken); }

static void interrupt(void *feed) { feed_of(feed).interrupt(); }

static std::int32_t drain(void *feed, std::int32_t timeout) {
    return status_of([&] { return feed_of(feed).drain(timeout_of(timeout)) ? DATAFEED_OK : DATAFEED_TIMEOUT; });
}

static void close_it(void *feed) { feed_of(feed).close(); }

static void destroy(void *feed) { delete &feed_of(feed); }

static void error(void *feed, told_trouble *told) {
    const auto trouble = feed_of(feed).error();
    CHECK(trouble.has_value());
    tell(*trouble, told);
}

static char *stats(void *feed) { return copied(feed_of(feed).stats()); }

static char *session(void *feed) { return copied(feed_of(feed).session()); }

static char *renew(void *feed, const char *refused_token) {
    const auto session = feed_of(feed).renew_session(refused_token, std::chrono::milliseconds(PATIENCE));
    CHECK(session.has_value());
    return copied(*session);
}

static std::int32_t next_log(void *feed, std::int32_t timeout, char **line) {
    return status_of([&] {
        const auto next = feed_of(feed).next_log(timeout_of(timeout));
        if (!next) return DATAFEED_TIMEOUT;
        *line = copied(*next);
        return DATAFEED_OK;
    });
}

static char *dead_letters(void *feed, std::uint64_t after) { return copied(feed_of(feed).dead_letters(after)); }

static std::int32_t resubmit(void *feed, std::uint64_t letter) {
    return status_of([&] { return feed_of(feed).resubmit(letter) ? DATAFEED_OK : DATAFEED_NOT_STORED; });
}

static std::int32_t discard(void *feed, std::uint64_t letter) {
    return status_of([&] { return feed_of(feed).discard(letter) ? DATAFEED_OK : DATAFEED_NOT_STORED; });
}

int main(int argc, char **argv) {
    const language cpp = {open,  next,    ack,   nack,     forget,       interrupt, drain,  close_it, destroy, error,
                          stats, session, renew, next_log, dead_letters, resubmit,  discard};
    return run_case(&cpp, argc, argv);
}
