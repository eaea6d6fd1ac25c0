/* An event in the program's hands. Part of datafeed.hpp. */

#ifndef DATAFEED_EVENT_HPP
#define DATAFEED_EVENT_HPP

#include <datafeed/error.hpp>

#include <cstdint>
#include <string_view>
#include <system_error>
#include <utility>

namespace symphony {

/// An event in the program's hands. Whoever is done with it calls ack(), whoever wants it once more nack(). One that is
/// destroyed before, for instance by an exception, is refused as by nack(): it comes again. It may outlive its
/// Datafeed.
class [[nodiscard]] Event {
public:
    Event(Event &&other) noexcept { *this = std::move(other); }
    Event &operator=(Event &&other) noexcept {
        if (this == &other) return *this;
        refuse_if_held();
        feed_ = std::exchange(other.feed_, nullptr);
        delivery_ = std::exchange(other.delivery_, 0);
        json_ = std::exchange(other.json_, {});
        return *this;
    }
    Event(const Event &) = delete;
    Event &operator=(const Event &) = delete;
    ~Event() { refuse_if_held(); }

    /// The event's JSON, exactly as the agent sent it, and followed by a NUL. It is lent by the library until ack(),
    /// nack() or the destructor, also if the feed is closed meanwhile; after these it is empty.
    [[nodiscard]] std::string_view json() const noexcept { return json_; }

    /// The number by which the library knows that it was handed out. Numbers count up and are never used again.
    [[nodiscard]] std::uint64_t delivery() const noexcept { return delivery_; }

    /// How often the event has been handed out, this time included: 1, and one more after each refusal. 0 when it is
    /// not held any more.
    [[nodiscard]] std::uint32_t attempt() const noexcept {
        std::uint32_t count = 0;
        datafeed_attempt(feed_, delivery_, &count);
        return count;
    }

    /// The program is done with the event. True when that is all; false when it is taken, but `stateDir` could not store
    /// it yet: it will, so there is nothing to be done, though a crash before could bring the event again. `error` is set
    /// to errc::not_stored where false says so. Throws errc::invalid_argument when the event was acknowledged or refused
    /// already, errc::closed when the feed is closed: the service will then deliver it again to the next reader.
    bool ack() {
        std::error_code error;
        return is_stored(ack(error), error);
    }
    bool ack(std::error_code &error) noexcept { return settled(datafeed_ack(feed_, delivery_), error); }

    /// The program is not done with the event: it comes again after `nackDelay`, as another Event, later each time; with
    /// `maxAttempts` it is set aside in the end, see Datafeed::dead_letters(). Answers and throws as ack() does.
    bool nack() {
        std::error_code error;
        return is_stored(nack(error), error);
    }
    bool nack(std::error_code &error) noexcept { return settled(datafeed_nack(feed_, delivery_), error); }

private:
    friend class Datafeed;

    Event(datafeed *feed, std::uint64_t delivery, std::string_view json) noexcept
        : feed_(feed), delivery_(delivery), json_(json) {}

    // The text is there as long as the event is held: no event is empty.
    void refuse_if_held() noexcept {
        if (!json_.empty()) datafeed_nack(feed_, delivery_);
    }
    bool settled(std::int32_t status, std::error_code &error) noexcept {
        json_ = {};
        error = detail::code_of(status);
        return !error;
    }
    bool is_stored(bool stored, const std::error_code &error) const {
        if (error != errc::not_stored) {
            detail::check(feed_, error, "the event is not held: it was acknowledged or refused already");
        }
        return stored;
    }

    datafeed *feed_ = nullptr;  // Never freed by the library, so it outlives every Datafeed.
    std::uint64_t delivery_ = 0;
    std::string_view json_;
};

}  // namespace symphony

#endif  // DATAFEED_EVENT_HPP
