// errors EMULATOR: what is thrown, and what it says.
#include "harness.hpp"

#include <sys/resource.h>
#include <vector>

using namespace std::chrono_literals;
using symphony::Datafeed;
using symphony::errc;
using symphony::Error;
using symphony::Event;
using symphony::Trouble;

static_assert(std::is_base_of_v<std::system_error, Error>);
static_assert(std::is_nothrow_copy_constructible_v<Error> && std::is_nothrow_copy_assignable_v<Error>);
static_assert(std::is_error_code_enum_v<errc>);

const std::error_category &category_of_second_unit();

template <class Call>
static Error thrown_error(Call call) {
    try {
        call();
    } catch (const Error &error) {
        return error;
    }
    check_failed(__FILE__, __LINE__, "it throws");
    std::abort();
}

static Error opening(const std::string &config) {
    return thrown_error([&] { const Datafeed feed(config); });
}

static void a_configuration_that_cannot_be_used(const Service &service) {
    const Error error = opening(service.config("\"nackDelay\":\"soon\""));
    CHECK(error.code() == errc::invalid_argument);
    const Trouble &trouble = error.trouble();
    CHECK(trouble.code == "CONFIG_INVALID" && trouble.field == "nackDelay" && trouble.file.empty());
    CHECK(!trouble.retryable && !trouble.http_status && trouble.trace_id.empty());
    CHECK(error.what() == trouble.code + ": " + trouble.message);
    CHECK(trouble.json.front() == '{' && trouble.json.find("\"nackDelay\"") != std::string::npos);

    std::error_code code;
    const Datafeed feed("{}", code);
    CHECK(code == errc::invalid_argument && feed.native_handle() == nullptr);
    const Datafeed good(service.config(), code);
    CHECK(!code && good.native_handle() != nullptr);
    // A text that goes on behind a NUL.
    const std::string more = service.config() + '\0';
    CHECK(opening(more).trouble().code == "CONFIG_INVALID");
}

// In what the library says, and in everything else that JSON has to escape.
static void escapes_are_undone(const Service &) {
    const Error error = opening(R"({"host":"h","bot":{"username":"u","privateKey":{"path":)"
                                R"("/nowhere/such\\ caf\u00e9 \ud83d\ude80 ,[]:"}}})");
    const std::string path = "/nowhere/such\\ caf\xc3\xa9 \xf0\x9f\x9a\x80 ,[]:";
    CHECK(error.trouble().code == "FILE_INVALID" && error.trouble().file == path);
    CHECK(error.trouble().field == "bot.privateKey.path");
    const auto trouble = symphony::detail::trouble_in(
        R"({"code":"A","field":"","file":"\"\\\/\b\f\n\r\t\u0000\u001f\u007f","httpStatus":503,"message":"}","retryable":true,"traceId":"x"})");
    CHECK(trouble.code == "A" && trouble.field.empty() && trouble.message == "}" && trouble.trace_id == "x");
    CHECK(trouble.file == std::string("\"\\/\b\f\n\r\t\0\x1f\x7f", 11));
    CHECK(trouble.http_status == 503 && trouble.retryable);
    for (const char *broken : {"", "{", "{}", "{\"", "{\"code", "{\"code\":", "{\"code\":\"\\", "[1]"}) {
        CHECK(symphony::detail::trouble_in(broken).http_status == std::nullopt);
    }
    CHECK(symphony::detail::trouble_in("").code == "INTERNAL");
}

static void a_feed_that_failed(const Service &service) {
    service.tell("logins", "{\"reject\":true}");
    Datafeed feed(service.config());
    const Error errors[] = {
        thrown_error([&] { (void)feed.next_event(); }),
        thrown_error([&] { for (Event &event : feed) event.ack(); }),
        thrown_error([&] { (void)feed.renew_session("token"); }),
    };
    for (const Error &error : errors) {
        CHECK(error.code() == errc::failed);
        CHECK(error.trouble().code == "AUTH_REJECTED" && error.trouble().http_status == 401);
        CHECK(!error.trouble().retryable);
        CHECK(std::string(error.what()).rfind("AUTH_REJECTED: ", 0) == 0);
    }
    std::error_code code;
    CHECK(!feed.next_event(symphony::forever, code) && code == errc::failed);
    CHECK(feed.error()->json == errors[0].trouble().json);
}

static void trouble_that_passes(const Service &service) {
    service.tell("faults", "{\"endpoint\":\"list\",\"action\":{\"status\":{\"status\":503}}}");
    Datafeed feed(service.config());
    until_state(feed, "READING");
    std::error_code code = errc::failed;
    const auto trouble = feed.error(code);
    CHECK(!code && trouble.has_value());
    CHECK(trouble->code == "SERVICE_ERROR" && trouble->http_status == 503 && trouble->retryable);
    CHECK(!trouble->trace_id.empty());
}

static void no_trouble(const Service &service) {
    const Datafeed feed(service.config());
    until_state(feed, "READING");
    CHECK(!feed.error());
}

static void what_the_wrapper_says(const Service &service) {
    Datafeed feed(service.config());
    feed.close();
    const Error closed = thrown_error([&] { (void)feed.next_event(); });
    CHECK(closed.trouble().code == "CLOSED" && std::string(closed.what()) == "CLOSED: the feed is closed");
    CHECK(closed.trouble().json.empty());
    const std::error_code code = errc::closed;
    CHECK(code.message() == "the feed is closed" && std::string(code.category().name()) == "datafeed");
    CHECK(code.category() == category_of_second_unit());
    CHECK(std::error_code(99, code.category()).message() == "status 99");
}

// All descriptors are taken, so there is none for the feed's.
static void no_descriptor_left(const Service &service) {
    Datafeed feed(service.config());
    until_state(feed, "READING");
    std::vector<int> taken;
    rlimit limit = {};
    CHECK_IS(0, getrlimit(RLIMIT_NOFILE, &limit));
    const rlimit few = {64, limit.rlim_max};
    CHECK_IS(0, setrlimit(RLIMIT_NOFILE, &few));
    for (int copy; (copy = dup(STDERR_FILENO)) >= 0;) taken.push_back(copy);
    const Error error = thrown_error([&] { (void)feed.fd(); });
    std::error_code code;
    CHECK_IS(-1, feed.fd(code));
    for (const int copy : taken) close(copy);
    CHECK_IS(0, setrlimit(RLIMIT_NOFILE, &limit));
    CHECK(error.code() == errc::failed && code == errc::failed);
    CHECK(std::string(error.what()) == "INTERNAL: this process has no descriptor left");
    CHECK(feed.fd() >= 0);
}

int main(int argc, char **argv) {
    return run_scenes(argc, argv,
                      {a_configuration_that_cannot_be_used, escapes_are_undone, a_feed_that_failed, trouble_that_passes,
                       no_trouble, what_the_wrapper_says, no_descriptor_left});
}
