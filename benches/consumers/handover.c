/* The limit, with the bot on a thread of its own: each batch is handed over as a whole, and acknowledged by the next read
 * when the bot is done with it.
 */

#include <pthread.h>

#include "bot.h"
#include "wire.h"

static struct batch batch;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static bool bots_turn;

static void give_turn(bool to_bot)
{
    pthread_mutex_lock(&lock);
    bots_turn = to_bot;
    pthread_cond_signal(&turned);
    pthread_mutex_unlock(&lock);
}

static void wait_for_turn(bool of_bot)
{
    pthread_mutex_lock(&lock);
    while (bots_turn != of_bot) {
        pthread_cond_wait(&turned, &lock);
    }
    pthread_mutex_unlock(&lock);
}

static void *read_batches(void *unused)
{
    (void)unused;
    static struct wire wire;
    open_wire(&wire);
    for (;;) {
        read_batch(&wire, &batch);
        give_turn(true);
        wait_for_turn(false);
    }
    return NULL;
}

int main(void)
{
    struct measurement measurement = begin_measurement();
    pthread_t reader;
    if (pthread_create(&reader, NULL, read_batches, NULL) != 0) {
        fail("there is no thread");
    }
    for (;;) {
        wait_for_turn(true);
        for (size_t index = 0; index < batch.count; index++) {
            if (!receive_event(&measurement, batch.events[index].text, batch.events[index].length)) {
                print_measurement(&measurement);
                return 0;
            }
        }
        give_turn(false);
    }
}
