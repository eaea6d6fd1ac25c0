// A bot with a pool of threads: pool CONFIGURATION [THREADS]. Prints every event. SIGTERM and Ctrl-C let each thread
// finish the event that it has in its hands, for ten seconds at most, before the program ends.
#include <csignal>
#include <datafeed.hpp>
#include <iostream>
#include <mutex>
#include <thread>
#include <unistd.h>
#include <vector>

static std::mutex printing;

static void handle(const symphony::Event &event) {
    const std::lock_guard<std::mutex> turn(printing);
    std::cout << event.json() << std::endl;
}

// Each event goes to one of the threads that wait. One that is handled without success, by an exception, comes again.
static void work(symphony::Datafeed &feed) {
    for (;;) {
        try {
            for (symphony::Event &event : feed) {
                handle(event);
                event.ack();
            }
            return;  // It is drained.
        } catch (const symphony::Error &) {
            // It has stopped for good, or the time to finish is over. The main thread asks why.
            kill(getpid(), SIGTERM);
            return;
        } catch (const std::exception &error) {
            std::cerr << "an event was not handled: " << error.what() << '\n';
        }
    }
}

int main(int argc, char **argv) try {
    // Before any thread is there, so that all of them leave these signals to sigwait.
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);

    symphony::Datafeed feed(argc > 1 ? argv[1] : "");
    std::vector<std::thread> threads(argc > 2 ? std::stoul(argv[2]) : 4);
    for (std::thread &thread : threads) thread = std::thread(work, std::ref(feed));

    int signal_number = 0;
    sigwait(&signals, &signal_number);
    const auto trouble = feed.error();
    const bool failed = trouble && !trouble->retryable;
    if (!feed.drain(std::chrono::seconds(10))) {
        std::cerr << "some events were not finished and will come again\n";
        std::_Exit(1);  // Without the threads that are at them.
    }
    for (std::thread &thread : threads) thread.join();
    if (failed) std::cerr << trouble->code << ": " << trouble->message << '\n';
    return failed ? 1 : 0;
} catch (const std::exception &error) {
    std::cerr << error.what() << '\n';
    return 1;
}
