//! Which containers are open around a place in the text.

/// Deepest nesting of arrays and objects in a value that is fit to be handed out: many a parser crashes on more. Real
/// events stay below 20.
pub(super) const MAX_DEPTH: usize = 512;

/// Levels whose kind fits into one word.
const LEVELS: usize = u64::BITS as usize;

/// One bit for each open container, the innermost lowest: set for an object, clear for an array.
#[derive(Default)]
pub(super) struct Nesting {
    innermost: u64,
    /// Full words, of those further out: at most a bit for each byte of the body.
    outer: Vec<u64>,
    depth: usize,
    too_deep: bool,
}

impl Nesting {
    #[inline(always)]
    pub(super) fn push(&mut self, object: bool) {
        if self.depth.is_multiple_of(LEVELS) {
            self.word_is_full();
        }
        self.innermost = self.innermost << 1 | u64::from(object);
        self.depth += 1;
    }

    #[cold]
    fn word_is_full(&mut self) {
        if self.depth > 0 {
            self.outer.push(self.innermost);
        }
        self.too_deep |= self.depth >= MAX_DEPTH;
    }

    #[inline(always)]
    pub(super) fn pop(&mut self) {
        self.depth -= 1;
        self.innermost >>= 1;
        if self.depth.is_multiple_of(LEVELS) {
            self.innermost = self.outer.pop().unwrap_or(0);
        }
    }

    #[inline(always)]
    pub(super) fn innermost_is_object(&self) -> Option<bool> {
        (self.depth > 0).then_some(self.innermost & 1 != 0)
    }

    /// Whether it ever went deeper than [`MAX_DEPTH`].
    pub(super) fn was_too_deep(&self) -> bool {
        self.too_deep
    }
}
