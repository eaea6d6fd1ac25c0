//! `stateDir`: what a process knew is known to the next one, however the process or its disk ends.

#[path = "../common/mod.rs"]
mod common;

mod crash;
mod damage;
mod disk;
mod ending;
mod first;
mod full_disk;
mod letters;
mod one_at_a_time;
mod place;
mod restart;
mod syncing;
mod world;
