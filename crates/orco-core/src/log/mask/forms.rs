//! The forms in which a value may be printed.

use std::collections::BTreeSet;

use super::{SHORTEST, base64};

/// All of them that are long enough to be told from other text: each line as it is, the whole as programs write it into
/// JSON and other quotes, and in base64.
pub(super) fn forms(value: &str) -> BTreeSet<Vec<u8>> {
    let whole = value.trim();
    if whole.len() < SHORTEST {
        return BTreeSet::new();
    }
    let quoted = serde_json::to_string(whole).unwrap_or_default();
    let quoted = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    let mut found: BTreeSet<Vec<u8>> = whole.lines().map(|line| line.trim().as_bytes().to_vec()).collect();
    found.insert(quoted.as_bytes().to_vec());
    found.insert(quoted.replace('/', "\\/").into_bytes());
    found.extend(base64::forms(whole.as_bytes()));
    found.retain(|form| form.len() >= SHORTEST);
    found
}
