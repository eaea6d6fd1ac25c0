//! Who has a locked file, as the file says.

use std::path::Path;
use std::sync::OnceLock;

pub(super) struct Holder {
    process: u32,
    /// Tells this process from one of the same number elsewhere, as in another container.
    nonce: u64,
    host: String,
    program: String,
}

impl Holder {
    pub(super) fn this_process() -> Holder {
        static NONCE: OnceLock<u64> = OnceLock::new();
        let system = rustix::system::uname();
        let program = std::env::current_exe().unwrap_or_default();
        Holder {
            process: std::process::id(),
            nonce: *NONCE.get_or_init(|| fastrand::u64(..)),
            host: one_word(&system.nodename().to_string_lossy()),
            program: one_word(&program.file_name().unwrap_or_default().to_string_lossy()),
        }
    }

    pub(super) fn to_text(&self) -> String {
        let Holder {
            process,
            nonce,
            host,
            program,
        } = self;
        format!("{process} {nonce:016x} {host} {program}\n")
    }

    pub(super) fn parse(text: &str) -> Option<Holder> {
        let mut words = text.split_whitespace();
        Some(Holder {
            process: words.next()?.parse().ok()?,
            nonce: u64::from_str_radix(words.next()?, 16).ok()?,
            host: words.next()?.to_owned(),
            program: words.next()?.to_owned(),
        })
    }

    /// As it is told to `own`, another or the same.
    pub(super) fn shown_to(&self, own: &Holder) -> String {
        let Holder {
            process, host, program, ..
        } = self;
        if (self.nonce, *process) == (own.nonce, own.process) {
            return "another feed of this process".to_owned();
        }
        if *host != own.host {
            return format!("process {process} ({program}) on {host}");
        }
        let there = Path::new(&format!("/proc/{process}")).exists();
        if there || !Path::new("/proc/self").exists() {
            return format!("process {process} ({program})");
        }
        format!(
            "process {process} ({program}), which is not to be seen here: it may be in another container, or it has ended and a \
             process that it forked holds on to the file"
        )
    }
}

fn one_word(text: &str) -> String {
    let fits = |c: &char| !c.is_control() && !c.is_whitespace();
    let word: String = text.chars().filter(fits).take(100).collect();
    if word.is_empty() { "-".to_owned() } else { word }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_the_file_is_told_apart() {
        let own = Holder::this_process();
        let other = |text: &str| Holder::parse(text).map(|holder| holder.shown_to(&own));
        assert_eq!(other(&own.to_text()).as_deref(), Some("another feed of this process"));
        // The same number, elsewhere.
        let host = own.host.as_str();
        let elsewhere = other(&format!("{} 0 {host} bot", own.process)).expect("a holder");
        assert_eq!(elsewhere, format!("process {} (bot)", own.process));
        assert_eq!(
            other("7 0 another-host bot").as_deref(),
            Some("process 7 (bot) on another-host")
        );
        let gone = other(&format!("4294967295 0 {host} bot")).expect("a holder");
        assert!(gone.contains("not to be seen here"), "{gone}");
        for damaged in ["", "x", "1", "1 0", "1 0 host", "1 zz host bot"] {
            assert_eq!(other(damaged), None, "{damaged}");
        }
    }
}
