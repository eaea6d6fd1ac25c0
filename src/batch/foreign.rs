//! Which parts of a text are not plain ASCII, and whether they are UTF-8.
//!
//! Most parts are ASCII, which whoever passes over them sees at no cost. What is not is looked at once more, together with its
//! neighbours that are not either.

use super::scan::Malformed;

#[derive(Default)]
pub(super) struct Foreign {
    /// Where the parts begin that are to be looked at; nothing if the latest one was ASCII.
    since: Option<usize>,
    /// The first place that is not UTF-8.
    wrong_at: Option<usize>,
}

impl Foreign {
    /// The next part of the text starts there.
    pub(super) fn note(&mut self, text: &[u8], start: usize, is_ascii: bool) {
        if !is_ascii {
            self.since.get_or_insert(start);
        } else if let Some(since) = self.since.take() {
            self.check(text, since, start);
        }
    }

    /// The parts up to `start` are noted, and the rest of the text is to be looked at.
    pub(super) fn check_rest(&mut self, text: &[u8], start: usize) -> Result<(), Malformed> {
        let since = self.since.take().unwrap_or(start.min(text.len()));
        self.check(text, since, text.len());
        match self.wrong_at {
            None => Ok(()),
            Some(at) => Err(Malformed {
                at,
                expected: "valid UTF-8",
            }),
        }
    }

    /// What stands before and after these bytes is ASCII, or the text's end.
    fn check(&mut self, text: &[u8], start: usize, end: usize) {
        if self.wrong_at.is_none()
            && let Err(error) = std::str::from_utf8(&text[start..end])
        {
            self.wrong_at = Some(start + error.valid_up_to());
        }
    }
}
