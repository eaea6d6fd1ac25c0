/* exits_while_polling EMULATOR: a program may end without closing its feed, while it polls and threads wait. */
#include "harness.h"

int main(int argc, char **argv) {
    CHECK_IS(2, argc);
    /* Static, since the threads outlive this function. */
    static waiter waiting;
    static emulator service;
    service = emulator_start(argv[1]);
    control_only(&service, "settings", "{\"pollMillis\":600000}");
    datafeed *feed = open_feed(&service);
    waiter_start(&waiting, feed, -1);
    UNTIL(is_reading(feed));
    return 0;
}
