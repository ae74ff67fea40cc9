//! Whether a text has the characters of another in their order, and how well.

/// How well `pattern` fits: higher is better; `None`: not at all. Capitals do not count.
pub fn score(pattern: &str, text: &str) -> Option<i32> {
    let pattern: Vec<char> = pattern.chars().flat_map(char::to_lowercase).collect();
    let text: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
    // From each place where it may begin; texts are names and short lines.
    let starts = (0..text.len()).filter(|at| pattern.first() == text.get(*at));
    let best = starts.filter_map(|start| from(&pattern, &text, start)).max();
    if pattern.is_empty() { Some(0) } else { best }
}

fn from(pattern: &[char], text: &[char], start: usize) -> Option<i32> {
    let mut score = 0;
    let mut at = start;
    let mut last = None;
    for c in pattern {
        let found = at + text.get(at..)?.iter().position(|other| other == c)?;
        let begins = found == 0 || text.get(found - 1).is_some_and(|before| !before.is_alphanumeric());
        score += match (last.is_some_and(|last| last + 1 == found), begins) {
            (true, _) => 8,
            (false, true) => 6,
            (false, false) => 1,
        };
        // What begins with it comes first, and shorter before longer.
        if found == 0 {
            score += 16;
        }
        last = Some(found);
        at = found + 1;
    }
    Some(score - i32::try_from(text.len().min(64)).unwrap_or(64) / 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_comes_first() {
        for (pattern, better, worse) in [
            ("re", "restart", "start redis"),
            ("api", "api", "api-gateway"),
            ("ag", "api-gateway", "storage"),
            ("ST", "stop", "restart"),
            ("dbw", "db-writer", "dashboard-worker"),
        ] {
            assert!(score(pattern, better) > score(pattern, worse), "{pattern}: {better} before {worse}");
            assert!(score(pattern, worse).is_some(), "{pattern} fits {worse}");
        }
        assert_eq!(score("xyz", "restart"), None);
        assert_eq!(score("tss", "sst"), None);
        assert_eq!(score("", "whatever"), Some(0));
        assert_eq!(score("a", ""), None);
    }
}
