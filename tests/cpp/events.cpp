// events EMULATOR: who has an event, and what becomes of one that nobody settled.
#include "harness.hpp"

#include <stdexcept>

using symphony::Datafeed;
using symphony::errc;
using symphony::Event;

static_assert(!std::is_copy_constructible_v<Event> && !std::is_copy_assignable_v<Event>);
static_assert(std::is_nothrow_move_constructible_v<Event> && std::is_nothrow_move_assignable_v<Event>);
static_assert(!std::is_default_constructible_v<Event>);

static void an_exception_refuses_the_event(const Service &service) {
    Datafeed feed(service.config());
    service.publish("[{\"id\":\"1\"}]");
    bool thrown = false;
    try {
        for (Event &event : feed) {
            CHECK(event.json() == "{\"id\":\"1\"}");
            throw std::runtime_error("the bot has no idea");
        }
    } catch (const std::runtime_error &) {
        thrown = true;
    }
    CHECK(thrown);
    CHECK_IS(1, count_in_stats(feed, "nacked"));
    CHECK_IS(0, count_in_stats(feed, "held"));
    Event again = receive(feed, "{\"id\":\"1\"}");
    CHECK_IS(2, again.attempt());
    again.ack();
    service.check_all_acknowledged(1);
}

static void going_on_refuses_the_event_when_the_next_has_come(const Service &service) {
    Datafeed feed(service.config());
    service.publish("[{\"id\":\"1\"},{\"id\":\"2\"}]");
    int events = 0;
    for (Event &event : feed) {
        CHECK_IS(events == 0 ? 0 : 1, count_in_stats(feed, "nacked"));
        // The third is the first again.
        CHECK_IS(events == 2 ? 2 : 1, event.attempt());
        if (++events > 1) event.ack();
        if (events == 3) break;
    }
    CHECK_IS(3, events);
    service.check_all_acknowledged(2);
}

static void an_event_that_is_settled_is_not_settled_again(const Service &service) {
    Datafeed feed(service.config());
    service.publish("[{\"id\":\"1\"},{\"id\":\"2\"}]");
    {
        Event first = receive(feed, "{\"id\":\"1\"}");
        CHECK(first.delivery() != 0);
        first.ack();
        CHECK(first.json().empty());
        CHECK_IS(0, first.attempt());
        CHECK(thrown_by([&] { first.ack(); }) == errc::invalid_argument);
        CHECK(thrown_by([&] { first.nack(); }) == errc::invalid_argument);
        std::error_code error;
        first.nack(error);
        CHECK(error == errc::invalid_argument);
        Event second = receive(feed, "{\"id\":\"2\"}");
        second.nack(error);
        CHECK(!error);
        CHECK(second.json().empty());
    }
    CHECK_IS(1, count_in_stats(feed, "nacked"));
    std::error_code error = errc::timeout;
    receive(feed, "{\"id\":\"2\"}").ack(error);
    CHECK(!error);
    CHECK_IS(1, count_in_stats(feed, "nacked"));
    service.check_all_acknowledged(2);
}

static void it_can_be_moved(const Service &service) {
    Datafeed feed(service.config());
    service.publish("[{\"id\":\"1\"},{\"id\":\"2\"},{\"id\":\"3\"}]");
    Event first = receive(feed, "{\"id\":\"1\"}");
    Event other(std::move(first));
    CHECK(other.json() == "{\"id\":\"1\"}");
    CHECK(first.json().empty() && first.delivery() == 0 && first.attempt() == 0);
    CHECK(thrown_by([&] { first.ack(); }) == errc::invalid_argument);
    CHECK_IS(1, count_in_stats(feed, "held"));

    // What it takes the place of is refused, as if it were destroyed.
    other = receive(feed, "{\"id\":\"2\"}");
    CHECK_IS(1, count_in_stats(feed, "nacked"));
    Event &itself = other;
    other = std::move(itself);
    CHECK(other.json() == "{\"id\":\"2\"}");
    other.ack();
    first = receive(feed, "{\"id\":\"3\"}");
    first.ack();

    // Out of a loop, into another thread.
    for (Event &event : feed) {
        CHECK(event.json() == "{\"id\":\"1\"}");
        std::thread([taken = std::move(event)]() mutable { taken.ack(); }).join();
        break;
    }
    service.check_all_acknowledged(3);
}

static void it_outlives_its_feed(const Service &service) {
    std::optional<Event> first, second, third;
    {
        Datafeed feed(service.config());
        service.publish("[{\"id\":\"1\"},{\"id\":\"2\"},{\"id\":\"3\"}]");
        first = receive(feed, "{\"id\":\"1\"}");
        second = receive(feed, "{\"id\":\"2\"}");
        third = receive(feed, "{\"id\":\"3\"}");
        feed.close();
        CHECK(third->json() == "{\"id\":\"3\"}");
    }
    CHECK(first->json() == "{\"id\":\"1\"}" && second->json() == "{\"id\":\"2\"}");
    CHECK_IS(1, first->attempt());
    CHECK(thrown_by([&] { first->ack(); }) == errc::closed);
    std::error_code error;
    second->nack(error);
    CHECK(error == errc::closed);
    CHECK(second->json().empty() && third->json() == "{\"id\":\"3\"}");
}

static void asking_for_the_next_acknowledges_if_the_configuration_says_so(const Service &service) {
    Datafeed feed(service.config("\"ack\":\"implicit\""));
    service.publish("[{\"id\":\"1\"},{\"id\":\"2\"},{\"id\":\"3\"}]");
    int events = 0;
    for (Event &event : feed) {
        CHECK_IS(events, count_in_stats(feed, "acknowledged"));
        if (++events == 2) {
            event.ack();
            break;
        }
    }
    std::optional<Event> event = receive(feed, "{\"id\":\"3\"}");
    // Interrupted, so that there is no other; the call has acknowledged all the same.
    feed.interrupt();
    event = feed.next_event();
    CHECK(!event);
    CHECK_IS(0, count_in_stats(feed, "nacked"));
    service.check_all_acknowledged(3);
}

int main(int argc, char **argv) {
    return run_scenes(argc, argv,
                      {an_exception_refuses_the_event, going_on_refuses_the_event_when_the_next_has_come,
                       an_event_that_is_settled_is_not_settled_again, it_can_be_moved, it_outlives_its_feed,
                       asking_for_the_next_acknowledges_if_the_configuration_says_so});
}
