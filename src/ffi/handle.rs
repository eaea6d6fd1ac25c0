//! The opaque type that C sees.

/// A feed. The handle is looked up and checked in every call, so a closed one, NULL or garbage is answered with a
/// status. It is never freed and never used again: a few kilobytes remain for each feed that was ever created, and 2 MiB at most
/// for all of a process, which the answers of the next ones are received in.
#[allow(non_camel_case_types)]
pub struct datafeed {
    _opaque: [u8; 0],
}
