// What the compiler is to refuse, one CASE at a time; without any, it takes this file.
#include <datafeed.hpp>

void bot(symphony::Datafeed &feed, symphony::Event &event, symphony::Event &other) {
    std::error_code error;
#if CASE == 1  // deleted
    symphony::Datafeed copy(feed);
#elif CASE == 2  // deleted
    symphony::Event copy(event);
#elif CASE == 3  // deleted
    event = other;
#elif CASE == 4  // deleted
    for (symphony::Event copy : feed) copy.ack();
#elif CASE == 5  // nodiscard
    feed.next_event();
#elif CASE == 6  // nodiscard
    feed.next_event(std::chrono::seconds(1), error);
#elif CASE == 7  // nodiscard
    feed.renew_session("token");
#elif CASE == 8  // nodiscard
    event.json();
#elif CASE == 9  // no known conversion|no matching function|could not convert
    feed.next_event(1000).reset();  // which unit?
#endif
    event = std::move(other);
    event.ack(error);
    for (symphony::Event &next : feed) next.ack();
}
