//! Whether the write-ahead log is whole.
//!
//! SQLite takes a log up to the first frame that is not right, and forgets the rest without a word: after a crash that is
//! the transaction that was being written. After damage it may be many that were finished, which is told by their commit
//! marks. The format is that of <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// The first word of a log; the lowest bit tells how its sums are made.
const MAGIC: u32 = 0x377f_0682;

/// The log as it was before the database was opened.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// Bytes of a file that is no log.
    strange: u64,
    /// The number of the last frame that ends a transaction, counted from 1.
    last_commit: u64,
}

impl Log {
    pub(super) fn read(path: &Path) -> io::Result<Log> {
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Log::default()),
            other => other?,
        };
        let length = file.metadata()?.len();
        if length < HEADER as u64 {
            // So much is written at once with the first transaction.
            return Ok(Log::default());
        }
        let mut reader = BufReader::new(file);
        let mut header = [0; HEADER];
        reader.read_exact(&mut header)?;
        if !is_head(&header) {
            return Ok(Log {
                strange: length,
                ..Log::default()
            });
        }
        let page = word(&header, 8);
        let salts = &header[16..24];
        let mut log = Log::default();
        let mut frame = [0; FRAME_HEADER];
        // The end of the process may have left a part of a frame at the end.
        let frames = (length - HEADER as u64) / (FRAME_HEADER as u64 + u64::from(page));
        for number in 1..=frames {
            reader.read_exact(&mut frame)?;
            // Frames of other salts are of a log before this one, whose place it has taken.
            let ends_transaction = word(&frame, 4) != 0;
            if ends_transaction && frame[8..16] == *salts {
                log.last_commit = number;
            }
            reader.seek_relative(page.into())?;
        }
        Ok(log)
    }

    /// `frames`: how many the database has taken.
    pub(super) fn is_whole(&self, frames: u64) -> Result<(), String> {
        if self.strange > 0 {
            return Err(format!("its log of {} bytes has no head", self.strange));
        }
        if self.last_commit > frames {
            return Err(format!(
                "its log has finished transactions up to frame {}, of which only {frames} can be read",
                self.last_commit
            ));
        }
        Ok(())
    }
}

/// Whether a log begins so: with its first word, and at the end the sums of what is before them.
fn is_head(header: &[u8; HEADER]) -> bool {
    let magic = word(header, 0);
    let read = match magic & 1 {
        1 => u32::from_be_bytes,
        _ => u32::from_le_bytes,
    };
    let mut sums = [0_u32; 2];
    for pair in header[..24].chunks_exact(8) {
        let [one, other] = [&pair[..4], &pair[4..]].map(|bytes| read(bytes.try_into().expect("four bytes")));
        sums[0] = sums[0].wrapping_add(one).wrapping_add(sums[1]);
        sums[1] = sums[1].wrapping_add(other).wrapping_add(sums[0]);
    }
    magic & !1 == MAGIC && sums == [word(header, 24), word(header, 28)]
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
