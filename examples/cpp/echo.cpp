// Answers every message with its own text: echo CONFIGURATION. SIGTERM and Ctrl-C end it.
#include "../c/post_message.h"
#include <csignal>
#include <datafeed.hpp>
#include <iostream>
#include <nlohmann/json.hpp>
using nlohmann::json;
static datafeed *handle;  // For the signal handler.

// Sends the text with the tokens of a session, and returns the HTTP status of the answer.
static long send(const json &session, const std::string &stream, const std::string &text) {
    const std::string agent = session["agentUrl"], token = session["sessionToken"];
    const auto *key_token = session["keyManagerToken"].get_ptr<const std::string *>();  // null is possible
    return post_message(agent.c_str(), token.c_str(), key_token ? key_token->c_str() : nullptr, stream.c_str(),
                        text.c_str());
}

int main(int argc, char **argv) try {
    symphony::Datafeed feed(argc > 1 ? argv[1] : "");
    handle = feed.native_handle();
    for (const int number : {SIGINT, SIGTERM}) std::signal(number, [](int) { datafeed_interrupt(handle); });
    for (symphony::Event &event : feed) {
        const json content = json::parse(event.json(), nullptr, false);
        long status = 200;
        if (content.contains("/payload/messageSent/message/message"_json_pointer)) {
            const json &message = content["payload"]["messageSent"]["message"], &stream = message["stream"]["streamId"];
            const json session = json::parse(feed.session());
            status = send(session, stream, message["message"]);
            if (status == 401) {
                const auto renewed = feed.renew_session(session["sessionToken"], std::chrono::seconds(10));
                if (renewed) status = send(json::parse(*renewed), stream, message["message"]);
            }
        }
        status == 200 ? event.ack() : event.nack();
    }
} catch (const std::exception &error) {
    std::cerr << error.what() << '\n';
    return 1;
}
