//! The names of settings, as people write and read them.

/// As much of a name as may be shown. What stands where a name should be can be a secret; a name is short and plain.
pub(super) fn shown(name: &str) -> String {
    let plain = |c: &char| c.is_alphanumeric() || "-_.".contains(*c);
    let mut start: String = name.chars().take_while(plain).take(40).collect();
    if start.len() < name.len() {
        start.push_str("...");
    }
    start
}

/// The known name that a name was most likely meant to be.
pub(super) fn nearest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    let lower = name.to_lowercase();
    known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(&lower, &known.to_lowercase()), *known))
        .filter(|(distance, known)| *distance <= known.len().max(name.len()) / 3)
        .min()
        .map(|(_, known)| known)
}

/// Whether a text can be a name that the service gives, such as that of a type.
pub(super) fn is_plain_name(text: &str) -> bool {
    (1..=100).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
