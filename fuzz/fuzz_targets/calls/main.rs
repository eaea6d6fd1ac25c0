//! Any calls in any order, from several threads at once, on handles that are good, closed, failed or none: every status
//! is one that the header allows, and an event's text stays as it was until the event is given back.
//!
//! Built with the address sanitizer, which sees what is read after it was freed.

#![no_main]

mod feed;
mod lent;
mod owned;
mod step;
mod world;

use std::sync::Barrier;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{LazyLock, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use libfuzzer_sys::{Corpus, fuzz_target};
use step::Step;
use world::{Pool, World};

static WORLD: LazyLock<Mutex<World>> = LazyLock::new(|| Mutex::new(World::new()));

/// Steps of one thread; each may wait for some milliseconds.
const MOST_STEPS: usize = 12;

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some((&first, steps)) = input.split_first() else {
        return Corpus::Reject;
    };
    let threads = 2 + usize::from(first % 3);
    let steps = steps.as_chunks().0.iter().map(Step::decode);
    let steps: Vec<Step> = steps.take(threads * MOST_STEPS).collect();
    if steps.len() < threads {
        return Corpus::Reject;
    }
    let mut world = WORLD.lock().expect("no panic before");
    run(world.pool(), &steps, threads);
    world.clean_up();
    Corpus::Keep
});

/// Gives each thread its slice of the steps, and ends them all.
fn run(pool: &Pool, steps: &[Step], threads: usize) {
    let slices: Vec<&[Step]> = steps.chunks(steps.len().div_ceil(threads)).collect();
    let start = Barrier::new(slices.len());
    let (done, all_done) = channel::<()>();
    thread::scope(|scope| {
        for slice in slices {
            let (start, done) = (&start, done.clone());
            scope.spawn(move || {
                start.wait();
                slice.iter().for_each(|step| step.run(pool));
                drop(done);
            });
        }
        drop(done);
        let started = Instant::now();
        while all_done.recv_timeout(Duration::from_millis(1)) == Err(RecvTimeoutError::Timeout) {
            // For a while the threads are left to themselves. Then what still waits is told to return: an interruption
            // misses who is between two calls, so there are many; and it does not reach who waits for the log.
            match started.elapsed().as_millis() {
                ..3 => {}
                3..10 => pool.interrupt_all(),
                _ => pool.close_all(),
            }
        }
    });
}
