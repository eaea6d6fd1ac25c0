#include <datafeed.hpp>
#include <iostream>

int main(int argc, char **argv) try {
    if (argc < 2) {
        std::cerr << "usage: " << argv[0] << " config.json\n";
        return 2;
    }
    symphony::Datafeed feed(argv[1]);
    for (symphony::Event &event : feed) {
        std::cout << event.json() << std::endl;  // the event's JSON, exactly as the agent sent it
        event.ack();
    }
    return 0;
} catch (const symphony::Error &error) {
    std::cerr << error.what() << '\n';  // the feed has stopped for good, or was not opened, and this is why
    return 1;
}
