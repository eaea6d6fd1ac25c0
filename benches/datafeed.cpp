/* The consumer that uses the header for C++: a loop, and an acknowledgement for each event.
 *
 *   cpp PORT WARM_UP EVENTS KEY
 */

#include <datafeed.hpp>

#include <iostream>
#include <string>

#include "measure.h"

int main(int count, char **arguments)
{
    if (count != 5) {
        std::cerr << "usage: cpp PORT WARM_UP EVENTS KEY\n";
        return 2;
    }
    measurement measured = begin_measurement(arguments[2], arguments[3]);
    try {
        symphony::Datafeed feed(R"({"scheme":"http","host":"127.0.0.1","port":)" + std::string(arguments[1]) +
                                R"(,"bot":{"username":"bench","privateKey":{"path":")" + arguments[4] + "\"}}}");
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
