//! What the emulator's books of each event say to the judge.

use std::collections::BTreeSet;

use datafeed_emulator::{EventBook, V1EventBook};

use crate::judge::{Evidence, Gone};

/// Of Datafeed 2: `published` by number, `deaths` of all feeds, and for how many accounts, which have it in common.
pub fn of_v2(published: &[u64], deaths: &[u64], books: &[EventBook], accounts: usize) -> Evidence {
    let mut gone = never_there(published);
    let mut confirmed = vec![false; published.len()];
    for book in books {
        let number = book.sequence as usize;
        confirmed[number] |= book.acknowledged;
        let death = deaths.iter().copied().find(|death| *death >= published[number]);
        let at = death.filter(|_| book.removed).unwrap_or(u64::MAX);
        let gone = &mut gone[number];
        gone.at = gone.at.max(at);
        let behind = published.partition_point(|published| *published <= gone.at) - 1;
        gone.behind = u32::try_from(behind).unwrap_or(u32::MAX);
    }
    Evidence {
        published: published.to_vec(),
        confirmed,
        gone: vec![gone; accounts],
    }
}

/// Of Datafeed 1: for accounts that have read these feeds. An event that was not handed out is gone when its feed expires,
/// or when the bot has another one in place of that feed.
pub fn of_v1(published: &[u64], books: &[V1EventBook], feeds_of_accounts: &[BTreeSet<String>]) -> Evidence {
    let of_account = |feeds: &BTreeSet<String>| {
        let mut gone = never_there(published);
        let own = || books.iter().filter(|book| feeds.contains(&book.feed));
        let made: BTreeSet<u64> = own().map(|book| book.feed_made_ms).collect();
        for book in own() {
            let replaced = made.range(book.feed_made_ms + 1..).next().copied();
            let unread = || book.expired_ms.into_iter().chain(replaced).min();
            let at = book.handed_out_ms.or_else(unread).unwrap_or(u64::MAX);
            let gone = &mut gone[book.sequence as usize];
            // In several feeds, one after the other: the last one counts.
            if at >= gone.at {
                gone.at = at;
                gone.taken_by = book.handed_out_ms.map(|_| reader(book));
            }
        }
        gone
    };
    Evidence {
        published: published.to_vec(),
        confirmed: Vec::new(),
        gone: feeds_of_accounts.iter().map(of_account).collect(),
    }
}

/// The number of the process whose read took it; 0: the read did not say.
fn reader(book: &V1EventBook) -> u32 {
    let named = book.reader.as_deref().and_then(|reader| reader.parse().ok());
    named.unwrap_or_default()
}

/// Until it is known better, an event was gone as soon as it was published.
fn never_there(published: &[u64]) -> Vec<Gone> {
    let numbered = (0..).zip(published);
    numbered
        .map(|(number, at)| Gone {
            at: *at,
            behind: number,
            taken_by: None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLISHED: [u64; 4] = [0, 10, 20, 30];

    fn at(gone: &[Gone]) -> Vec<u64> {
        gone.iter().skip(1).map(|gone| gone.at).collect()
    }

    #[test]
    fn events_of_version_2_are_gone_with_their_feed_only() {
        let book = |sequence, acknowledged, removed| EventBook {
            feed: "a".into(),
            sequence,
            handed_out: 1,
            acknowledged,
            removed,
        };
        let books = [book(1, true, false), book(2, false, true)];
        let evidence = of_v2(&PUBLISHED, &[5, 25, 40], &books, 2);
        assert_eq!(evidence.confirmed, [false, true, false, false]);
        assert_eq!(
            at(&evidence.gone[1]),
            [u64::MAX, 25, 30],
            "there, gone, and never there"
        );
        let behind: Vec<u32> = evidence.gone[0].iter().skip(2).map(|gone| gone.behind).collect();
        assert_eq!(behind, [2, 3], "what was published before the death went with it");
    }

    fn book(
        feed: &str,
        sequence: u64,
        handed_out_ms: Option<u64>,
        reader: Option<&str>,
        expired_ms: Option<u64>,
    ) -> V1EventBook {
        V1EventBook {
            feed: feed.into(),
            feed_made_ms: if feed == "first" { 5 } else { 25 },
            sequence,
            handed_out_ms,
            lost: false,
            reader: reader.map(str::to_owned),
            expired_ms,
        }
    }

    #[test]
    fn events_of_version_1_are_gone_when_they_were_read_and_when_their_feed_was_left() {
        let book = |feed, sequence, handed_out_ms, expired_ms| book(feed, sequence, handed_out_ms, None, expired_ms);
        let books = [
            book("first", 1, Some(12), None),
            // Long after the bot has left it.
            book("first", 2, None, Some(90)),
            book("second", 3, None, None),
        ];
        let feeds = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let evidence = of_v1(&PUBLISHED, &books, &[feeds(&["first", "second"]), feeds(&["first"])]);
        assert_eq!(at(&evidence.gone[0]), [12, 25, u64::MAX]);
        assert_eq!(at(&evidence.gone[1]), [12, 90, 30], "which had no other");
    }

    #[test]
    fn events_of_version_1_were_taken_by_the_process_that_the_read_named() {
        let books = [
            book("first", 1, Some(12), Some("4"), None),
            book("first", 2, Some(22), None, None),
            book("first", 3, Some(32), Some("4"), None),
            // From the feed before the process with the number 5 has read it again; and here nobody has.
            book("second", 1, Some(42), Some("5"), None),
            book("second", 3, None, None, Some(52)),
        ];
        let feeds = ["first", "second"].map(str::to_owned).into_iter().collect();
        let evidence = of_v1(&PUBLISHED, &books, &[feeds]);
        let taken_by = evidence.gone[0].iter().skip(1).map(|gone| gone.taken_by);
        assert_eq!(taken_by.collect::<Vec<_>>(), [Some(5), Some(0), None]);
    }
}
