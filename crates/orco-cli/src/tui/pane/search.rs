//! Searching what is held, in steps: the newest records first, new ones as they come.

use regex::{Regex, RegexBuilder};

use super::{ring::Id, shown::Shown};

/// A compiled pattern takes at most this much memory.
const PATTERN_BYTES: usize = 1 << 20;
/// Matches painted in one record; a pattern that matches everywhere paints enough with that.
const PAINTED: usize = 2_000;

/// Where to go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    Next,
    Previous,
}

/// What came of looking for the next one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// This one; `wrapped` if the search went on at the other end.
    At { id: Id, wrapped: bool },
    /// There is none.
    Nothing,
    /// Nobody has looked everywhere yet.
    NotYet,
}

/// How much one step may do.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    pub records: usize,
    pub bytes: usize,
}

impl Budget {
    /// A few milliseconds.
    pub const STEP: Self = Self { records: 4_000, bytes: 512 << 10 };

    const fn is_left(self) -> bool {
        self.records > 0 && self.bytes > 0
    }

    fn take(&mut self, bytes: usize) {
        self.records = self.records.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes + 64);
    }
}

/// A search.
#[derive(Debug)]
pub struct Search {
    pub pattern: String,
    regex: Regex,
    /// The records in which it matches, of those looked at.
    hits: Shown,
    /// All from here on are looked at,
    low: Id,
    /// up to but without this.
    high: Id,
    /// Where to go as soon as somebody has looked.
    pub wanted: Option<Way>,
}

/// Compiles a pattern; without capital letters of its own it takes any case.
fn compile(pattern: &str) -> Result<Regex, String> {
    let mut escaped = false;
    let capital = pattern.chars().any(|c| {
        let own = c.is_uppercase() && !escaped;
        escaped = c == '\\' && !escaped;
        own
    });
    RegexBuilder::new(pattern)
        .case_insensitive(!capital)
        .size_limit(PATTERN_BYTES)
        .dfa_size_limit(PATTERN_BYTES)
        .build()
        // Its last line says what; those before point into the pattern.
        .map_err(|error| error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned())
}

impl Search {
    /// Begins to search; nothing is looked at yet, and the first steps begin before `end`.
    ///
    /// # Errors
    /// What is wrong with the pattern.
    pub fn new(pattern: &str, end: Id) -> Result<Self, String> {
        let regex = compile(pattern)?;
        let hits = Shown::default();
        Ok(Self { pattern: pattern.to_owned(), regex, hits, low: end, high: end, wanted: None })
    }

    /// Begins anew, with what is shown now.
    pub fn again(&mut self, end: Id) {
        self.hits.clear();
        (self.low, self.high) = (end, end);
    }

    /// Whether there is something of it in a text.
    pub fn is_in(&self, text: &str) -> bool {
        self.regex.find_iter(text).any(|found| !found.is_empty())
    }

    /// Where it is in a text (bytes).
    pub fn ranges(&self, text: &str) -> Vec<(usize, usize)> {
        let all = self.regex.find_iter(text).filter(|found| !found.is_empty());
        all.take(PAINTED).map(|found| (found.start(), found.end())).collect()
    }

    /// Forgets those that are not held any more.
    pub fn drop_before(&mut self, first: Id) {
        self.hits.drop_before(first);
        self.low = self.low.max(first);
        self.high = self.high.max(first);
    }

    /// Looks once more at a record that has changed.
    pub fn recheck(&mut self, id: Id, matches: bool) {
        if (self.low..self.high).contains(&id) {
            self.hits.set(id, matches);
        }
    }

    /// Looks at some more. `look` says whether a record matches, and how many bytes that was.
    pub fn step(&mut self, shown: &Shown, end: Id, budget: Budget, look: impl Fn(&Self, Id) -> (bool, usize)) {
        let mut budget = budget;
        while self.high < end && budget.is_left() {
            let next = shown.at_or_after(self.high).filter(|id| *id < end);
            self.high = next.map_or(end, |id| id + 1);
            if let Some(id) = next {
                let (matches, bytes) = look(self, id);
                budget.take(bytes);
                self.hits.set(id, matches);
            }
        }
        while budget.is_left() {
            let Some(id) = shown.before(self.low) else {
                self.low = 0;
                return;
            };
            let (matches, bytes) = look(self, id);
            budget.take(bytes);
            if matches {
                self.hits.set(id, true);
            }
            self.low = id;
        }
    }

    /// Whether all was looked at.
    pub fn is_done(&self, shown: &Shown, end: Id) -> bool {
        self.high == end && shown.before(self.low).is_none()
    }

    /// The next one from a record on, which itself does not count.
    pub fn find(&self, way: Way, from: Option<Id>, shown: &Shown, end: Id) -> Found {
        let done = self.is_done(shown, end);
        let (found, sure) = match way {
            Way::Next => {
                let start = from.map_or(0, |id| id.saturating_add(1));
                (self.hits.at_or_after(start), shown.at_or_after(start).is_none_or(|id| id >= self.low))
            }
            // What is not looked at yet is above, or newer than anybody could have seen.
            Way::Previous => (self.hits.before(from.unwrap_or(Id::MAX)), true),
        };
        match (found, way) {
            (Some(id), _) if sure => Found::At { id, wrapped: false },
            _ if !done => Found::NotYet,
            (Some(id), _) => Found::At { id, wrapped: false },
            (None, Way::Next) => self.wrapped(self.hits.first()),
            (None, Way::Previous) => self.wrapped(self.hits.last()),
        }
    }

    const fn wrapped(&self, id: Option<Id>) -> Found {
        match id {
            Some(id) => Found::At { id, wrapped: true },
            None => Found::Nothing,
        }
    }

    /// `3/17`, with the place of this record if it is one of them; `17+` while it goes on. The newest few, which nobody
    /// has looked at yet, are not told: there are always some in a flood.
    pub fn count(&self, at: Option<Id>, shown: &Shown) -> String {
        let more = if shown.before(self.low).is_none() { "" } else { "+" };
        match at.filter(|id| self.hits.contains(*id)) {
            // Until all was looked at, nobody knows how many are before it.
            Some(id) if more.is_empty() => format!("{}/{}", self.hits.rank(id) + 1, self.hits.len()),
            _ => format!("{}{more}", self.hits.len()),
        }
    }
}
