/* The limit: one socket, one thread, one system call to send and one or more to receive. */

#include "bot.h"
#include "wire.h"

int main(void)
{
    static struct wire wire;
    static struct batch batch;
    struct measurement measurement = begin_measurement();
    open_wire(&wire);
    for (;;) {
        read_batch(&wire, &batch);
        for (size_t index = 0; index < batch.count; index++) {
            if (!receive_event(&measurement, batch.events[index].text, batch.events[index].length)) {
                print_measurement(&measurement);
                return 0;
            }
        }
    }
}
