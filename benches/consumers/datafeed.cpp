/* The consumer that uses the header for C++: a loop, and an acknowledgement for each event. */

#include <datafeed.hpp>

#include <iostream>

#include "bot.h"

int main()
{
    measurement measured = begin_measurement();
    try {
        symphony::Datafeed feed(needed_setting("BENCH_CONFIG"));
        for (symphony::Event &event : feed) {
            if (!receive_event(&measured, event.json().data(), event.json().size())) break;
            event.ack();
        }
    } catch (const symphony::Error &error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
    print_measurement(&measured);
    return 0;
}
