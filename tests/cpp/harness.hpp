// What the tests of datafeed.hpp share: an emulator for each scene, and what is asked of a feed in many of them.
#ifndef HARNESS_HPP
#define HARNESS_HPP

#include "../c/emulator.h"
#include <datafeed.hpp>

#include <string>
#include <thread>
#include <type_traits>

class Service {
public:
    explicit Service(const char *program) : emulator_(emulator_start(program)) {}
    Service(const Service &) = delete;
    Service &operator=(const Service &) = delete;
    ~Service() { emulator_stop(&emulator_); }

    // The configuration with further members, such as "\"nackDelay\":10".
    std::string config(const std::string &more = "\"nackDelay\":10") const {
        return "{" + more + "," + (emulator_.config + 1);
    }
    void tell(const char *path, const char *body) const { control_only(&emulator_, path, body); }
    void publish(const char *events) const { ::publish(&emulator_, events); }
    void check_all_acknowledged(long long events) const { ::check_all_acknowledged(&emulator_, events); }

private:
    emulator emulator_;
};

inline bool is_in_state(const symphony::Datafeed &feed, const char *state) {
    return feed.stats().find("\"state\":\"" + std::string(state) + "\"") != std::string::npos;
}

// Waits until the state is reached.
inline void until_state(const symphony::Datafeed &feed, const char *state) { UNTIL(is_in_state(feed, state)); }

inline long long count_in_stats(const symphony::Datafeed &feed, const char *name) {
    return number_in(feed.stats().c_str(), name);
}

// The code that a call throws, or zero.
template <class Call>
std::error_code thrown_by(Call call) {
    try {
        call();
    } catch (const symphony::Error &error) {
        return error.code();
    }
    return {};
}

// Waits for an event, which must be this one.
inline symphony::Event receive(symphony::Datafeed &feed, const std::string &expected) {
    auto event = feed.next_event(std::chrono::milliseconds(PATIENCE));
    CHECK(event.has_value());
    CHECK(event->json() == expected);
    return std::move(*event);
}

// Runs each scene with an emulator of its own.
template <std::size_t Count>
int run_scenes(int argc, char **argv, void (*const (&scenes)[Count])(const Service &)) {
    CHECK_IS(2, argc);
    for (const auto scene : scenes) {
        const Service service(argv[1]);
        scene(service);
    }
    return 0;
}

#endif
