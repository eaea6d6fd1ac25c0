// feeds EMULATOR: who has a feed, and how what waits for one ends.
#include "harness.hpp"

#include <atomic>
#include <climits>
#include <poll.h>
#include <vector>
#if __cplusplus >= 202002L
#include <ranges>
static_assert(std::ranges::input_range<symphony::Datafeed>);
#endif

using namespace std::chrono_literals;
using symphony::Datafeed;
using symphony::errc;
using symphony::Event;
using symphony::Timeout;

static_assert(!std::is_copy_constructible_v<Datafeed> && !std::is_copy_assignable_v<Datafeed>);
static_assert(std::is_nothrow_move_constructible_v<Datafeed> && std::is_nothrow_move_assignable_v<Datafeed>);
static_assert(!std::is_convertible_v<std::string, Datafeed>);

// An event that is left unsettled is refused before the loop waits: else it would wait for itself.
static void a_loop_lets_go_of_what_it_leaves(const Service &service) {
    Datafeed feed(service.config("\"nackDelay\":10,\"maxUnacknowledged\":1"));
    service.publish("[{\"id\":\"left\"}]");
    std::uint32_t attempts = 0;
    for (Event &event : feed) {
        CHECK(event.json() == "{\"id\":\"left\"}");
        CHECK(event.attempt() == ++attempts);
        if (attempts < 3) continue;
        event.ack();
        break;
    }
    service.check_all_acknowledged(1);
}

static void a_loop_acknowledges_where_asking_does(const Service &service) {
    Datafeed feed(service.config("\"nackDelay\":10,\"ack\":\"implicit\""));
    service.publish("[{\"id\":\"first\"},{\"id\":\"second\"}]");
    int count = 0;
    for (const Event &event : feed) {
        CHECK(event.attempt() == 1);
        if (++count == 2) feed.interrupt();
    }
    service.check_all_acknowledged(2);
}

static void it_can_be_moved(const Service &service) {
    Datafeed feed(service.config());
    datafeed *const handle = feed.native_handle();
    Datafeed other(std::move(feed));
    CHECK(other.native_handle() == handle && feed.native_handle() == nullptr);
    CHECK(thrown_by([&] { (void)feed.next_event(); }) == errc::invalid_argument);
    CHECK(thrown_by([&] { (void)feed.stats(); }) == errc::invalid_argument);
    CHECK(thrown_by([&] { (void)feed.session(); }) == errc::invalid_argument);
    CHECK(thrown_by([&] { (void)feed.renew_session("token"); }) == errc::invalid_argument);
    CHECK(thrown_by([&] { (void)feed.next_log(); }) == errc::invalid_argument);
    CHECK(thrown_by([&] { (void)feed.error(); }) == errc::invalid_argument);
    CHECK(thrown_by([&] { (void)feed.fd(); }) == errc::invalid_argument);
    CHECK(thrown_by([&] { (void)feed.dead_letters(); }) == errc::invalid_argument);
    CHECK(thrown_by([&] { feed.resubmit(1); }) == errc::invalid_argument);
    CHECK(thrown_by([&] { feed.discard(1); }) == errc::invalid_argument);
    CHECK(thrown_by([&] { feed.drain(); }) == errc::invalid_argument);
    CHECK(thrown_by([&] { for (Event &event : feed) event.ack(); }) == errc::invalid_argument);
    feed.interrupt();
    feed.close();

    // What it takes the place of is closed, as if it were destroyed.
    const auto state_of = [](datafeed *raw) {
        char *stats = nullptr;
        CHECK_IS(DATAFEED_OK, datafeed_stats(raw, &stats));
        const std::string text(stats);
        datafeed_string_free(stats);
        return text;
    };
    feed = Datafeed(service.config());
    CHECK(state_of(handle).find("CLOSED") == std::string::npos);
    other = std::move(feed);
    CHECK(state_of(handle).find("CLOSED") != std::string::npos);
    Datafeed &itself = other;
    other = std::move(itself);
    until_state(other, "READING");
    {
        const Datafeed last(std::move(other));
        CHECK(state_of(last.native_handle()).find("CLOSED") == std::string::npos);
        feed = Datafeed(service.config());
    }
    CHECK(!is_in_state(feed, "CLOSED"));
}

static void a_wait_says_why_it_ended(const Service &service) {
    Datafeed feed(service.config());
    std::error_code error;
    CHECK(!feed.next_event(0s));
    CHECK(!feed.next_event(1ns, error));
    CHECK(error == errc::timeout);
    feed.interrupt();
    CHECK(!feed.next_event(symphony::forever, error));
    CHECK(error == errc::interrupted);
    feed.interrupt();
    CHECK(!feed.next_event());
    service.publish("[{\"id\":\"1\"}]");
    auto event = feed.next_event(symphony::forever, error);
    CHECK(event.has_value() && !error);
    event->ack();
    feed.close();
    feed.close();
    CHECK(!feed.next_event(symphony::forever, error));
    CHECK(error == errc::closed);
    CHECK(thrown_by([&] { (void)feed.next_event(); }) == errc::closed);
    CHECK(thrown_by([&] { feed.drain(); }) == errc::closed);
    CHECK(!feed.drain(0s, error));
    CHECK(error == errc::closed);
    CHECK(thrown_by([&] { (void)feed.session(); }) == errc::closed);
    CHECK(feed.session(error).empty() && error == errc::closed);
    CHECK(thrown_by([&] { (void)feed.renew_session("token"); }) == errc::closed);
    CHECK(!feed.renew_session("token", 0s, error) && error == errc::closed);
    CHECK(!feed.stats(error).empty() && !error);
    service.check_all_acknowledged(1);
}

// A loop ends without a word when it is told to.
static void loops_end(const Service &service) {
    void (*const ends[])(Datafeed &) = {
        [](Datafeed &feed) { feed.interrupt(); },
        [](Datafeed &feed) { CHECK(feed.drain(45s)); },
        [](Datafeed &feed) { feed.close(); },
    };
    // The read that an end has cut would take what is published to the next feed.
    service.tell("settings", "{\"abandonedReadsTake\":false}");
    for (const auto end : ends) {
        Datafeed feed(service.config());
        service.publish("[{\"id\":\"1\"}]");
        std::atomic<int> events{0};
        std::thread loop([&] {
            for (Event &event : feed) {
                event.ack();
                ++events;
            }
        });
        UNTIL(events == 1);
        end(feed);
        loop.join();
        CHECK_IS(1, events);
    }
}

static void draining_lets_threads_finish(const Service &service) {
    Datafeed feed(service.config());
    std::atomic<int> in_work{0};
    std::atomic<bool> may_finish{false};
    std::vector<std::thread> pool;
    for (int i = 0; i < 4; i++) {
        pool.emplace_back([&] {
            for (Event &event : feed) {
                ++in_work;
                UNTIL(may_finish);
                event.ack();
            }
        });
    }
    service.publish("[{\"id\":\"1\"},{\"id\":\"2\"},{\"id\":\"3\"},{\"id\":\"4\"}]");
    UNTIL(in_work == 4);
    std::thread drainer([&] { CHECK(feed.drain(45s)); });
    std::error_code error;
    CHECK(!feed.next_event(symphony::forever, error));
    CHECK(error == errc::closed);
    CHECK_IS(4, count_in_stats(feed, "held"));
    may_finish = true;
    drainer.join();
    for (auto &thread : pool) thread.join();
    service.check_all_acknowledged(4);
}

static void draining_takes_no_longer_than_it_may(const Service &service) {
    Datafeed feed(service.config());
    service.publish("[{\"id\":\"1\"}]");
    Event event = receive(feed, "{\"id\":\"1\"}");
    CHECK(!feed.drain(1ms));
    CHECK(thrown_by([&] { event.ack(); }) == errc::closed);
    std::error_code error = errc::failed;
    Datafeed other(service.config());
    CHECK(other.drain(symphony::forever, error) && !error);
}

static void a_descriptor_tells_of_events(const Service &service) {
    Datafeed feed(service.config());
    pollfd watched = {std::as_const(feed).fd(), POLLIN, 0};
    until_state(feed, "READING");
    while (feed.next_event(0s)) check_failed(__FILE__, __LINE__, "there is no event");
    CHECK_IS(0, poll(&watched, 1, 0));
    service.publish("[{\"id\":\"1\"}]");
    CHECK_IS(1, poll(&watched, 1, PATIENCE));
    receive(feed, "{\"id\":\"1\"}").ack();
    std::error_code error = errc::failed;
    CHECK_IS(watched.fd, feed.fd(error));
    CHECK(!error);
    service.check_all_acknowledged(1);
}

static void sessions_are_renewed(const Service &service) {
    service.tell("settings", "{\"pollMillis\":600000}");
    Datafeed feed(service.config());
    until_state(feed, "READING");
    const auto token_of = [](const std::string &session) {
        const auto start = session.find("\"sessionToken\":\"") + std::string_view("\"sessionToken\":\"").size();
        return session.substr(start, session.find('"', start) - start);
    };
    std::error_code error = errc::failed;
    const std::string session = feed.session(), token = token_of(session);
    CHECK(feed.session(error) == session && !error);
    CHECK(feed.renew_session("another one") == session);
    CHECK(!feed.renew_session(token, 0s));
    CHECK(!feed.renew_session(token, 0s, error) && error == errc::timeout);
    const auto renewed = feed.renew_session(token, 45s);
    CHECK(renewed && token_of(*renewed) != token);
}

static void the_log_comes_to_an_end(const Service &service) {
    Datafeed feed(service.config());
    until_state(feed, "READING");
    std::error_code error;
    std::string log;
    while (const auto line = feed.next_log(0s, error)) log += *line;
    CHECK(error == errc::timeout && log.find("logged in") != std::string::npos);
    CHECK(!feed.next_log(1ms));
    feed.close();
    while (feed.next_log(symphony::forever, error)) {}
    CHECK(error == errc::closed);
    CHECK(thrown_by([&] { (void)feed.next_log(); }) == errc::closed);
    (void)feed.stats(error);
    CHECK(error == std::error_code() && !error);
}

static void timeouts_are_rounded_up(const Service &) {
    CHECK_IS(-1, symphony::forever.milliseconds());
    CHECK_IS(-1, Timeout().milliseconds());
    CHECK_IS(0, Timeout(0s).milliseconds());
    CHECK_IS(0, Timeout(-5s).milliseconds());
    CHECK_IS(0, Timeout(std::chrono::nanoseconds::min()).milliseconds());
    CHECK_IS(0, Timeout(std::chrono::duration<double>(NAN)).milliseconds());
    CHECK_IS(1, Timeout(1ns).milliseconds());
    CHECK_IS(1, Timeout(1ms).milliseconds());
    CHECK_IS(2, Timeout(1ms + 1ns).milliseconds());
    CHECK_IS(1500, Timeout(std::chrono::duration<float>(1.5F)).milliseconds());
    CHECK_IS(3600000, Timeout(1h).milliseconds());
    CHECK_IS(INT_MAX, Timeout(std::chrono::milliseconds(INT_MAX)).milliseconds());
    CHECK_IS(INT_MAX, Timeout(std::chrono::hours::max()).milliseconds());
    CHECK_IS(INT_MAX, Timeout(std::chrono::duration<double>(INFINITY)).milliseconds());
}

int main(int argc, char **argv) {
    CHECK(symphony::version() == datafeed_version());
    return run_scenes(argc, argv,
                      {it_can_be_moved, a_wait_says_why_it_ended, loops_end, a_loop_lets_go_of_what_it_leaves,
                       a_loop_acknowledges_where_asking_does, draining_lets_threads_finish,
                       draining_takes_no_longer_than_it_may, a_descriptor_tells_of_events, sessions_are_renewed,
                       the_log_comes_to_an_end, timeouts_are_rounded_up});
}
