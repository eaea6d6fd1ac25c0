/* Durations as datafeed.h takes them. Part of datafeed.hpp. */

#ifndef DATAFEED_TIMEOUT_HPP
#define DATAFEED_TIMEOUT_HPP

#include <chrono>
#include <cmath>
#include <cstdint>

namespace symphony {

/// How long a call may wait: `std::chrono::seconds(5)`, or for ever if nothing is said. Parts of a millisecond count as
/// a whole one, what is negative as zero, which does not wait, and what is longer than 24 days as 24 days.
class Timeout {
public:
    constexpr Timeout() noexcept = default;

    template <class Rep, class Period>
    Timeout(std::chrono::duration<Rep, Period> time) noexcept {
        const double wanted = std::ceil(std::chrono::duration<double, std::milli>(time).count());
        milliseconds_ = wanted >= INT32_MAX ? INT32_MAX : wanted > 0 ? static_cast<std::int32_t>(wanted) : 0;
    }

    /// As the functions of datafeed.h take it.
    constexpr std::int32_t milliseconds() const noexcept { return milliseconds_; }

private:
    std::int32_t milliseconds_ = -1;
};

inline constexpr Timeout forever{};

}  // namespace symphony

#endif  // DATAFEED_TIMEOUT_HPP
