//! The emulator as a program: one line of JSON on stdout to connect with, then it serves until it is told to end.

#![forbid(unsafe_code)]

mod options;
mod printed;

use std::future::pending;
use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use clap::Parser;
use datafeed_emulator::{Emulator, chat};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::options::Options;

fn main() -> ExitCode {
    match run(Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("datafeed-emulator: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: Options) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    // Before the line is printed, so that whoever reads it may send a signal at once.
    let (mut terminate, mut interrupt) = {
        let _inside = runtime.enter();
        let listen = |kind| signal(kind).map_err(|error| error.to_string());
        (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?)
    };
    let emulator = Emulator::start(options.settings()?).map_err(|error| format!("cannot start: {error}"))?;
    options.printed.put_into(&emulator)?;
    print_config(&emulator).map_err(|error| format!("cannot print the configuration: {error}"))?;
    let plain = emulator.plain_url().filter(|url| *url != emulator.url());
    eprintln!(
        "datafeed-emulator: serving {}{}, controlled at {}/",
        emulator.url(),
        plain.map_or(String::new(), |url| format!(" and {url}")),
        emulator.control_url()
    );
    let closed = options.until_stdin_closes.then(watch_stdin);
    // The chat ends before the emulator does, so that the emulator can tidy up.
    std::thread::scope(|scope| {
        let (_chatting, ended) = mpsc::channel();
        if let Some(rate) = options.chat {
            let (emulator, seed) = (&emulator, options.seed);
            scope.spawn(move || keep_chatting(emulator, seed, rate, &ended));
        }
        runtime.block_on(async {
            tokio::select! {
                _ = terminate.recv() => (),
                _ = interrupt.recv() => (),
                () = async { match closed {
                    Some(closed) => drop(closed.await),
                    None => pending().await,
                }} => (),
            }
        });
    });
    Ok(())
}

fn print_config(emulator: &Emulator) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", emulator.config())?;
    out.flush()
}

/// Publishes so many generated events a second whenever there is a feed to get them, until the channel is dropped.
fn keep_chatting(emulator: &Emulator, seed: u64, rate: f64, ended: &mpsc::Receiver<()>) {
    let mut events = chat::Generator::new(seed);
    let pause = Duration::from_secs_f64(1.0 / rate);
    while ended.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
        if emulator.feeds().iter().any(|feed| !feed.foreign) || !emulator.v1_feeds().is_empty() {
            emulator.publish(events.next());
        }
    }
}

/// Tells when stdin has come to its end. What is read there is thrown away.
fn watch_stdin() -> oneshot::Receiver<()> {
    let (closing, closed) = oneshot::channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while matches!(io::stdin().lock().read(&mut buffer), Ok(count) if count > 0) {}
        drop(closing);
    });
    closed
}
