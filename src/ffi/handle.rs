//! The opaque type that C sees.

/// A feed. The handle is looked up and checked in every call, so a closed one, NULL or garbage is answered with a
/// status. It is never freed and never used again: a few kilobytes remain for each feed that was ever created.
#[allow(non_camel_case_types)]
pub struct datafeed {
    _opaque: [u8; 0],
}
