/* symphony-datafeed for C++17: Symphony's real-time events, on top of datafeed.h, which says more about each call.
 *
 *   symphony::Datafeed feed(config);
 *   for (symphony::Event &event : feed) {
 *       ... event.json() ...
 *       event.ack();
 *   }
 *
 * What holds for everything here:
 * - Any thread may call any method of a Datafeed at any time, also while others wait in it; only moving and destroying
 *   it is for one thread alone. An Event is used by one thread at a time, and different events by different threads.
 * - What goes wrong is thrown as symphony::Error. The overloads with a `std::error_code &` set it instead, to an errc,
 *   or to zero when all is well, and throw nothing but what running out of memory throws.
 * - A Datafeed or an Event that was moved from may be destroyed and assigned to. Whatever else is asked of it is
 *   errc::invalid_argument.
 */

#ifndef DATAFEED_HPP
#define DATAFEED_HPP

#include <datafeed.h>
#include <datafeed/error.hpp>
#include <datafeed/event.hpp>
#include <datafeed/timeout.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace symphony {

/// A feed: opened by the constructor, closed by the destructor. `for (symphony::Event &event : feed)` goes on until the
/// feed is closed, drained or interrupted, and throws errc::failed when it has stopped for good. An event that the body
/// of the loop leaves unsettled is refused when the loop goes on; `std::move(event)` takes it out of the loop.
///
/// With `"ack": "implicit"` in the configuration, an Event must live until the next one has been asked for, as in such
/// a loop: one that is destroyed before is refused.
class [[nodiscard]] Datafeed {
public:
    /// `config`: JSON if it starts with `{`, YAML if it has more than one line, otherwise the path of a file in either.
    /// Does not wait for the network. Throws errc::invalid_argument when the configuration cannot be used (`trouble()`
    /// names the setting and the file), errc::failed when the process has no thread or descriptor left.
    explicit Datafeed(const std::string &config) {
        if (has_nul(config)) {
            throw Error(errc::invalid_argument, {"CONFIG_INVALID", "the configuration holds a NUL character"});
        }
        detail::Owned text;
        const auto status = datafeed_create(config.c_str(), &handle_, text.place());
        if (status != DATAFEED_OK) throw Error(static_cast<errc>(status), detail::trouble_in(text.copy().value_or("")));
    }
    Datafeed(const std::string &config, std::error_code &error) noexcept {
        error = detail::code_of(datafeed_create(has_nul(config) ? nullptr : config.c_str(), &handle_, nullptr));
    }
    Datafeed(Datafeed &&other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    Datafeed &operator=(Datafeed &&other) noexcept {
        if (this == &other) return *this;
        close();
        handle_ = std::exchange(other.handle_, nullptr);
        return *this;
    }
    Datafeed(const Datafeed &) = delete;
    Datafeed &operator=(const Datafeed &) = delete;
    ~Datafeed() { close(); }

    /// Waits for the next event; each goes to one of the threads that wait. Nothing when the time is over or
    /// interrupt() was called. Throws errc::closed, also once the feed is drained, and errc::failed when it has stopped
    /// for good. `error` is set to the reason whenever there is no event: errc::timeout and errc::interrupted, too.
    [[nodiscard]] std::optional<Event> next_event(Timeout timeout = forever) {
        std::error_code error;
        auto event = next_event(timeout, error);
        if (error == errc::timeout || error == errc::interrupted) return event;
        check(error, "the feed was moved from, or another thread waits, which \"ack\": \"implicit\" does not allow");
        return event;
    }
    [[nodiscard]] std::optional<Event> next_event(Timeout timeout, std::error_code &error) noexcept {
        std::uint64_t delivery = 0;
        const char *json = nullptr;
        std::size_t length = 0;
        error = detail::code_of(datafeed_next_event(handle_, timeout.milliseconds(), &delivery, &json, &length));
        return error ? std::nullopt : std::optional<Event>(Event(handle_, delivery, {json, length}));
    }

    class Iterator;
    struct End {};
    /// Waits for the first event.
    [[nodiscard]] Iterator begin();
    [[nodiscard]] End end() const noexcept { return {}; }

    /// Wakes every thread that waits in next_event() or a loop; if none does, the next call of any thread returns so.
    /// May be called from a signal handler.
    void interrupt() const noexcept { datafeed_interrupt(handle_); }

    /// Stops the feed: what waits gets errc::closed, loops end. Acknowledgements that were not sent yet are written
    /// first, for at most `closeTimeout`. A second time is harmless, and so is the parent's feed in a forked child.
    void close() noexcept { datafeed_close(handle_); }

    /// A graceful end, as on SIGTERM: hands out nothing more, waits until every event is acknowledged or refused, or
    /// the time is over, and closes. True when all were settled; the others come again to the next reader. Throws
    /// errc::closed when the feed was closed before or meanwhile. `error` is set to errc::timeout where false says so.
    /// Call it from a thread that holds no event.
    bool drain(Timeout timeout = forever) {
        std::error_code error;
        const bool settled = drain(timeout, error);
        if (error != errc::timeout) check(error);
        return settled;
    }
    bool drain(Timeout timeout, std::error_code &error) noexcept {
        error = detail::code_of(datafeed_drain(handle_, timeout.milliseconds()));
        return !error;
    }

    /// A descriptor for poll() or an event loop, readable while an event, an interruption or the end of the feed is
    /// waiting: then call next_event(std::chrono::seconds(0)) until it answers nothing. It belongs to the library: do
    /// not read, write or close it. Throws errc::failed when the process has no descriptor left; -1 where `error` is
    /// set.
    [[nodiscard]] int fd() const {
        std::error_code error;
        const int made = fd(error);
        if (error == errc::failed) throw Error(errc::failed, {"INTERNAL", "this process has no descriptor left"});
        check(error);
        return made;
    }
    [[nodiscard]] int fd(std::error_code &error) const noexcept {
        int made = -1;
        error = detail::code_of(datafeed_fd(handle_, &made));
        return made;
    }

    /// The events that were set aside because the program refused each of them `maxAttempts` times, as JSON: at most 100
    /// with an id greater than `after`, the oldest first. Begin with 0, and go on with the last id until the list is `[]`;
    /// datafeed_dead_letters() lists the members. Throws errc::not_stored when `stateDir` cannot be read, errc::closed.
    [[nodiscard]] std::string dead_letters(std::uint64_t after = 0) const {
        std::error_code error;
        auto list = dead_letters(after, error);
        check(error);
        return list;
    }
    [[nodiscard]] std::string dead_letters(std::uint64_t after, std::error_code &error) const {
        return text(error, [&](char **place) { return datafeed_dead_letters(handle_, after, place); }).value_or("");
    }

    /// Hands out an event again that was set aside, as if it were new. False when nothing was done, since `stateDir` takes
    /// nothing at the moment: try again later. `error` is set to errc::not_stored where false says so. Throws
    /// errc::invalid_argument when there is no dead letter with this id, errc::closed.
    bool resubmit(std::uint64_t letter) {
        std::error_code error;
        return is_stored(resubmit(letter, error), error);
    }
    bool resubmit(std::uint64_t letter, std::error_code &error) noexcept {
        error = detail::code_of(datafeed_resubmit(handle_, letter));
        return !error;
    }

    /// Throws away an event that was set aside. Answers and throws as resubmit() does.
    bool discard(std::uint64_t letter) {
        std::error_code error;
        return is_stored(discard(letter, error), error);
    }
    bool discard(std::uint64_t letter, std::error_code &error) noexcept {
        error = detail::code_of(datafeed_discard(handle_, letter));
        return !error;
    }

    /// Why the feed has stopped for good, or else the latest trouble that it is dealing with or has overcome. Nothing
    /// when there never was any. Also after close().
    [[nodiscard]] std::optional<Trouble> error() const {
        std::error_code answer;
        auto trouble = error(answer);
        check(answer);
        return trouble;
    }
    [[nodiscard]] std::optional<Trouble> error(std::error_code &answer) const {
        const auto object = text(answer, [&](char **place) { return datafeed_error(handle_, place); });
        return object ? std::optional<Trouble>(detail::trouble_in(*object)) : std::nullopt;
    }

    /// What the feed is doing and has done, as JSON; datafeed_stats() in datafeed.h lists the members. Also after
    /// close().
    [[nodiscard]] std::string stats() const {
        std::error_code error;
        auto object = stats(error);
        check(error);
        return object;
    }
    [[nodiscard]] std::string stats(std::error_code &error) const {
        return text(error, [&](char **place) { return datafeed_stats(handle_, place); }).value_or("");
    }

    /// What it takes to call Symphony's other endpoints, as JSON; datafeed_session() lists the members. The tokens are
    /// null until the login succeeded, and secrets. Throws errc::closed.
    [[nodiscard]] std::string session() const {
        std::error_code error;
        auto object = session(error);
        check(error);
        return object;
    }
    [[nodiscard]] std::string session(std::error_code &error) const {
        return text(error, [&](char **place) { return datafeed_session(handle_, place); }).value_or("");
    }

    /// For a program whose own request was answered 401: waits until the session is another one than that of the
    /// refused token, and answers it as session() does. Logs in, unless another thread does already or has done.
    /// Nothing when the time is over. Throws errc::failed and errc::closed. interrupt() does not end it.
    [[nodiscard]] std::optional<std::string> renew_session(const std::string &refused_token,
                                                           Timeout timeout = forever) {
        std::error_code error;
        auto object = renew_session(refused_token, timeout, error);
        if (error != errc::timeout) check(error, "the feed was moved from, or the token holds a NUL character");
        return object;
    }
    [[nodiscard]] std::optional<std::string> renew_session(const std::string &refused_token, Timeout timeout,
                                                           std::error_code &error) {
        const char *token = has_nul(refused_token) ? nullptr : refused_token.c_str();
        return text(error, [&](char **place) {
            return datafeed_renew_session(handle_, token, timeout.milliseconds(), place);
        });
    }

    /// Waits for the next line of the feed's log, as JSON; datafeed_next_log() lists the members. Nothing when the time
    /// is over. Throws errc::closed when the feed is closed and every line was fetched. interrupt() does not end it.
    [[nodiscard]] std::optional<std::string> next_log(Timeout timeout = forever) {
        std::error_code error;
        auto line = next_log(timeout, error);
        if (error != errc::timeout) check(error);
        return line;
    }
    [[nodiscard]] std::optional<std::string> next_log(Timeout timeout, std::error_code &error) {
        return text(error, [&](char **place) { return datafeed_next_log(handle_, timeout.milliseconds(), place); });
    }

    /// The feed as datafeed.h takes it, or NULL when it was moved from. It stays the Datafeed's own.
    [[nodiscard]] datafeed *native_handle() const noexcept { return handle_; }

private:
    // C would take a text that holds one for another text.
    static bool has_nul(const std::string &text) noexcept { return text.find('\0') != std::string::npos; }

    bool is_stored(bool stored, const std::error_code &error) const {
        if (error != errc::not_stored) check(error, "no event with this id is set aside, or the feed was moved from");
        return stored;
    }

    template <class... Invalid>
    void check(const std::error_code &answer, Invalid... invalid) const {
        detail::check(handle_, answer, invalid...);
    }

    template <class Call>
    static std::optional<std::string> text(std::error_code &error, Call call) {
        detail::Owned given;
        error = detail::code_of(call(given.place()));
        return given.copy();
    }

    datafeed *handle_ = nullptr;
};

/// Where a loop over a Datafeed is. Moving on lets go of the event before, so that an unsettled one comes again.
class Datafeed::Iterator {
public:
    using value_type = Event;
    using difference_type = std::ptrdiff_t;

    explicit Iterator(Datafeed &feed) : feed_(&feed) { ++*this; }

    Event &operator*() const noexcept { return *event_; }
    Event *operator->() const noexcept { return &*event_; }
    Iterator &operator++() {
        std::error_code error;
        // With `"ack": "implicit"` asking acknowledges the event before, which must be there still. To wait with it in
        // hand would be to wait for oneself, where it is all that a bot may hold.
        auto next = feed_->next_event(std::chrono::milliseconds(0), error);
        event_.reset();
        if (error == errc::timeout) next = feed_->next_event(forever, error);
        if (error != errc::interrupted && error != errc::closed) feed_->check(error);
        event_ = std::move(next);
        return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator &place, End) noexcept { return !place.event_; }
    friend bool operator!=(const Iterator &place, End) noexcept { return place.event_.has_value(); }

private:
    Datafeed *feed_;
    mutable std::optional<Event> event_;
};

inline Datafeed::Iterator Datafeed::begin() { return Iterator(*this); }

/// The library's version, as `0.1.0`.
[[nodiscard]] inline std::string_view version() noexcept { return datafeed_version(); }

}  // namespace symphony

#endif  // DATAFEED_HPP
