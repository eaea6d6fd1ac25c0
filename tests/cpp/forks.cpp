// forks EMULATOR: a forked child is told that the feed is its parent's, and does it no harm.
#include "harness.hpp"

using symphony::Datafeed;
using symphony::errc;
using symphony::Event;

static void a_child_leaves_it_alone(const Service &service) {
    Datafeed feed(service.config());
    service.publish("[{\"id\":\"1\"}]");
    std::optional<Event> event = receive(feed, "{\"id\":\"1\"}");
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK(thrown_by([&] { (void)feed.next_event(); }) == errc::forked);
        event.reset();
        const Datafeed closed(std::move(feed));
        _exit(0);
    }
    CHECK_IS(0, wait_for_process(child));
    event->ack();
    service.check_all_acknowledged(1);
}

int main(int argc, char **argv) { return run_scenes(argc, argv, {a_child_leaves_it_alone}); }
