//! Answers written out step by step.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Barrier};
use std::time::Duration;

/// The pace of what is sent byte by byte.
const TICK: Duration = Duration::from_millis(100);

#[derive(Debug, Clone)]
enum Step {
    Send(Vec<u8>),
    /// The same bytes so many times, made as they are sent so that they cost this process no memory.
    Repeat(Vec<u8>, usize),
    /// The same bytes again and again, one at a time, until the client hangs up.
    Trickle(Vec<u8>),
    /// Waits for the test.
    Meet(Arc<Barrier>),
    /// Answers are over, but the connection is open: until the client hangs up.
    Hold,
    /// The same with the end of the answers sent.
    HalfClose,
    Close,
    Reset,
}

/// The steps of an answer. After the last one the next request is served, unless the connection has ended.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    steps: Vec<Step>,
    pub(super) before_body: bool,
}

/// Starts an answer with these bytes.
pub fn send(bytes: impl Into<Vec<u8>>) -> Answer {
    Answer::default().send(bytes)
}

/// Starts an answer that sends nothing yet.
pub fn silence() -> Answer {
    Answer::default()
}

impl Answer {
    fn then(mut self, step: Step) -> Answer {
        self.steps.push(step);
        self
    }

    pub fn send(self, bytes: impl Into<Vec<u8>>) -> Answer {
        self.then(Step::Send(bytes.into()))
    }

    pub fn repeat(self, bytes: impl Into<Vec<u8>>, times: usize) -> Answer {
        self.then(Step::Repeat(bytes.into(), times))
    }

    pub fn trickle(self, bytes: impl Into<Vec<u8>>) -> Answer {
        self.then(Step::Trickle(bytes.into()))
    }

    pub fn meet(self, test: &Arc<Barrier>) -> Answer {
        self.then(Step::Meet(Arc::clone(test)))
    }

    pub fn hold(self) -> Answer {
        self.then(Step::Hold)
    }

    pub fn half_close(self) -> Answer {
        self.then(Step::HalfClose)
    }

    pub fn close(self) -> Answer {
        self.then(Step::Close)
    }

    pub fn reset(self) -> Answer {
        self.then(Step::Reset)
    }

    /// Sent when the head of the request is there, and its body left unread.
    pub fn before_body(mut self) -> Answer {
        self.before_body = true;
        self
    }

    /// Plays the steps; whether the connection lives on.
    pub(super) fn play(self, stream: &mut TcpStream) -> io::Result<bool> {
        for step in self.steps {
            match step {
                Step::Send(bytes) => stream.write_all(&bytes)?,
                Step::Repeat(bytes, times) => repeat(stream, &bytes, times)?,
                Step::Trickle(bytes) => return trickle(stream, &bytes).map(|()| false),
                Step::Meet(test) => drop(test.wait()),
                Step::Hold => return io::copy(stream, &mut io::sink()).map(|_| false),
                Step::HalfClose => {
                    stream.shutdown(Shutdown::Write)?;
                    return io::copy(stream, &mut io::sink()).map(|_| false);
                }
                Step::Close => return stream.shutdown(Shutdown::Both).map(|()| false),
                Step::Reset => {
                    socket2::SockRef::from(&*stream).set_linger(Some(Duration::ZERO))?;
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

fn repeat(stream: &mut TcpStream, bytes: &[u8], times: usize) -> io::Result<()> {
    let at_once = (64 << 10) / bytes.len() + 1;
    let block = bytes.repeat(at_once.min(times));
    for _ in 0..times / at_once {
        stream.write_all(&block)?;
    }
    stream.write_all(&block[..times % at_once * bytes.len()])
}

fn trickle(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    stream.set_read_timeout(Some(TICK))?;
    for byte in bytes.iter().cycle() {
        stream.write_all(&[*byte])?;
        match stream.read(&mut [0]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            _ => break,
        }
    }
    Ok(())
}

/// A head with this status line, these header lines and the length of the body, and the body.
pub fn response(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}
