//! What a bot writes down outside of itself, where it stays when the bot is killed: one line for each thing that
//! happens, each written with one call before the next thing is done.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::str::FromStr;

/// How a gap is written whose beginning is not known.
const UNKNOWN: &str = "unknown";

/// What a line ends with that was not finished.
const CUT_SHORT: &str = "#";

/// What was handed out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// An event of the service, by its number.
    Event(u32),
    /// The library's own event: something may be missing from one time, if it is known, to the
    /// other, in milliseconds since 1970.
    Gap { from: Option<u64>, to: u64, id: String },
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A process begins, at this time: the one of this number among those of its line that were started.
    Started { process: u32, at: u64 },
    /// The library handed it out.
    Took(What),
    /// It is about to be acknowledged. What comes of that is the next line, unless the process is killed between.
    Acknowledging(What),
    /// The library has answered OK.
    Acknowledged(What),
    /// The library has taken the acknowledgement, but a crash could undo it.
    NotStored(What),
    /// It was refused, and is to come again.
    Refused(What),
    /// What a killed process had begun to write: a write that reaches from one page into the next can be cut short.
    CutShort,
}

impl fmt::Display for What {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Event(number) => write!(formatter, "{number}"),
            What::Gap { from, to, id } => {
                let from = from.map_or(UNKNOWN.to_owned(), |from| from.to_string());
                write!(formatter, "gap/{from}/{to}/{id}")
            }
        }
    }
}

impl FromStr for What {
    type Err = String;

    fn from_str(text: &str) -> Result<What, String> {
        let wrong = || format!("neither an event nor a gap: {text:?}");
        let Some(gap) = text.strip_prefix("gap/") else {
            return text.parse().map(What::Event).map_err(|_| wrong());
        };
        let parts: Vec<&str> = gap.splitn(3, '/').collect();
        let [from, to, id] = parts[..] else { return Err(wrong()) };
        Ok(What::Gap {
            from: match from {
                UNKNOWN => None,
                from => Some(from.parse().map_err(|_| wrong())?),
            },
            to: to.parse().map_err(|_| wrong())?,
            id: id.to_owned(),
        })
    }
}

impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Line::Started { process, at } => write!(formatter, "started {process} {at}"),
            Line::Took(what) => write!(formatter, "took {what}"),
            Line::Acknowledging(what) => write!(formatter, "acknowledging {what}"),
            Line::Acknowledged(what) => write!(formatter, "acknowledged {what}"),
            Line::NotStored(what) => write!(formatter, "not-stored {what}"),
            Line::Refused(what) => write!(formatter, "refused {what}"),
            Line::CutShort => formatter.write_str(CUT_SHORT),
        }
    }
}

impl FromStr for Line {
    type Err = String;

    fn from_str(text: &str) -> Result<Line, String> {
        if text.ends_with(CUT_SHORT) {
            return Ok(Line::CutShort);
        }
        let wrong = || format!("no line of a bot's books: {text:?}");
        let (word, rest) = text.split_once(' ').ok_or_else(wrong)?;
        Ok(match word {
            "started" => {
                let (process, at) = rest.split_once(' ').ok_or_else(wrong)?;
                Line::Started {
                    process: process.parse().map_err(|_| wrong())?,
                    at: at.parse().map_err(|_| wrong())?,
                }
            }
            "took" => Line::Took(rest.parse()?),
            "acknowledging" => Line::Acknowledging(rest.parse()?),
            "acknowledged" => Line::Acknowledged(rest.parse()?),
            "not-stored" => Line::NotStored(rest.parse()?),
            "refused" => Line::Refused(rest.parse()?),
            _ => return Err(wrong()),
        })
    }
}

/// The books of one bot, which those of its line before it have begun.
#[derive(Debug)]
pub struct Books(File);

impl Books {
    /// Opens them, or begins them.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn open(path: &Path) -> io::Result<Books> {
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
        let mut last = [b'\n'];
        if file.seek(SeekFrom::End(-1)).is_ok() {
            file.read_exact(&mut last)?;
        }
        let mut books = Books(file);
        if last != [b'\n'] {
            books.write(&Line::CutShort)?;
        }
        Ok(books)
    }

    /// Writes a line. When it returns, the line outlives the process.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, line: &Line) -> io::Result<()> {
        // One string, so that it is one write.
        self.0.write_all(format!("{line}\n").as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let gap = |from| What::Gap {
            from,
            to: 2,
            id: "a/b".into(),
        };
        let started = Line::Started { process: 7, at: 8 };
        let of = |what: &What| {
            [
                Line::Took(what.clone()),
                Line::Acknowledging(what.clone()),
                Line::Acknowledged(what.clone()),
                Line::NotStored(what.clone()),
                Line::Refused(what.clone()),
            ]
        };
        for line in [started]
            .into_iter()
            .chain(of(&What::Event(9)))
            .chain(of(&gap(Some(1))))
            .chain(of(&gap(None)))
        {
            assert_eq!(line.to_string().parse(), Ok(line));
        }
        assert_eq!("acknowledging 1#".parse(), Ok(Line::CutShort), "of 17, perhaps");
        for wrong in ["", "took", "took x", "took gap/1/2", "taken 1", "started 1"] {
            assert!(wrong.parse::<Line>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_next_process_ends_the_line_that_was_cut_short() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for begun in ["", "took 1\n", "took 1\ntook"] {
            std::fs::write(file.path(), begun).unwrap();
            let started = Line::Started { process: 7, at: 8 };
            Books::open(file.path()).unwrap().write(&started).unwrap();
            let text = std::fs::read_to_string(file.path()).unwrap();
            let lines: Vec<Line> = text.lines().map(|line| line.parse().unwrap()).collect();
            assert_eq!(lines.last(), Some(&started));
            assert_eq!(
                lines.len(),
                begun.split('\n').filter(|line| !line.is_empty()).count() + 1
            );
        }
    }
}
