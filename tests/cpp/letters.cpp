// letters EMULATOR: events that are set aside, and what is taken but not stored.
#include "../c/folder.h"
#include "../c/limits.h"
#include "harness.hpp"

#include <vector>

using symphony::Datafeed;
using symphony::errc;
using symphony::Error;
using symphony::Event;

class Folder {
public:
    Folder() : path_(folder_make()) {}
    Folder(const Folder &) = delete;
    Folder &operator=(const Folder &) = delete;
    ~Folder() { folder_remove(path_); }

    // Settings of a feed that remembers here.
    std::string settings(const std::string &more) const {
        return "\"nackDelay\":10,\"stateDir\":\"" + std::string(path_) + "\"" + more;
    }

private:
    char *path_;
};

// The loop that the page about C++ shows: the ids of all letters.
static std::vector<std::uint64_t> ids_of(const Datafeed &feed) {
    std::vector<std::uint64_t> ids;
    for (std::string page; (page = feed.dead_letters(ids.empty() ? 0 : ids.back())) != "[]";) {
        // The ids of events are texts.
        for (std::size_t place = 0; (place = page.find("\"id\":", place)) != std::string::npos;) {
            place += std::string_view("\"id\":").size();
            if (page[place] != '"') ids.push_back(std::stoull(page.substr(place)));
        }
    }
    return ids;
}

static void they_are_listed_and_taken_out(const Service &service) {
    const Folder folder;
    Datafeed feed(service.config(folder.settings(",\"maxAttempts\":1")));
    CHECK(feed.dead_letters() == "[]");
    service.publish("[{\"id\":\"1\"},{\"id\":\"2\"}]");
    CHECK(receive(feed, "{\"id\":\"1\"}").nack());
    // One that is destroyed unsettled is refused, too.
    (void)receive(feed, "{\"id\":\"2\"}");
    const auto ids = ids_of(feed);
    CHECK_IS(2, static_cast<long long>(ids.size()));
    CHECK(feed.resubmit(ids[0]));
    CHECK(receive(feed, "{\"id\":\"1\"}").ack());
    std::error_code error = errc::timeout;
    CHECK(feed.discard(ids[1], error) && !error);
    CHECK(feed.dead_letters(0, error) == "[]" && !error);
    CHECK(!feed.resubmit(ids[0], error) && error == errc::invalid_argument);
    CHECK(!feed.discard(ids[1], error) && error == errc::invalid_argument);
    CHECK(thrown_by([&] { feed.resubmit(ids[0]); }) == errc::invalid_argument);
    CHECK(thrown_by([&] { feed.discard(ids[1]); }) == errc::invalid_argument);
    service.check_all_acknowledged(2);
    feed.close();
    CHECK(thrown_by([&] { (void)feed.dead_letters(); }) == errc::closed);
    CHECK(thrown_by([&] { feed.resubmit(1); }) == errc::closed);
    CHECK(thrown_by([&] { feed.discard(1); }) == errc::closed);
    CHECK(feed.dead_letters(0, error).empty() && error == errc::closed);
}

// It is no failure: nothing is thrown, loops go on, and the event is settled.
static void what_is_not_stored_is_taken(const Service &service) {
    const Folder folder;
    Datafeed feed(service.config(folder.settings(",\"maxAttempts\":1")));
    service.publish("[{\"id\":\"1\"},{\"id\":\"2\"},{\"id\":\"3\"},{\"id\":\"4\"},{\"id\":\"5\"}]");
    CHECK(receive(feed, "{\"id\":\"1\"}").nack());
    Event second = receive(feed, "{\"id\":\"2\"}"), third = receive(feed, "{\"id\":\"3\"}");
    Event fourth = receive(feed, "{\"id\":\"4\"}"), fifth = receive(feed, "{\"id\":\"5\"}");
    let_files_grow(false);
    CHECK(!second.ack());
    CHECK(second.json().empty());
    CHECK(thrown_by([&] { second.ack(); }) == errc::invalid_argument);
    std::error_code error;
    CHECK(!third.ack(error) && error == errc::not_stored);
    CHECK(error.message() == "stateDir cannot be written or read at the moment");
    CHECK(!fourth.nack());
    CHECK(!fifth.nack(error) && error == errc::not_stored);
    CHECK(!feed.discard(1));
    CHECK(feed.error()->code == "STATE_UNAVAILABLE" && feed.error()->retryable);
    until_state(feed, "WAITING_FOR_STORE");
    let_files_grow(true);
    until_state(feed, "READING");
    CHECK(feed.discard(1));
    CHECK_IS(2, static_cast<long long>(ids_of(feed).size()));
    service.check_all_acknowledged(5);
}

int main(int argc, char **argv) {
    return run_scenes(argc, argv, {they_are_listed_and_taken_out, what_is_not_stored_is_taken});
}
