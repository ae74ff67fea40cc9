//! The help: the key table, by context.

use super::keys::{Binding, Context, TABLE};

/// A line of the help.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HelpLine {
    /// Between two contexts.
    Gap,
    /// Where the following keys have a meaning.
    Title(&'static str),
    /// Keys, and what they do.
    Keys(String, &'static str),
}

/// All of it, the context in which help was asked for first, then what works anywhere. Without what nobody may do.
pub fn lines(here: Context, read_only: bool) -> Vec<HelpLine> {
    let mut contexts = vec![here];
    contexts.extend(Some(Context::Anywhere).filter(|_| here != Context::Anywhere));
    contexts.extend(Context::ALL.into_iter().filter(|context| *context != here && *context != Context::Anywhere));
    let mut lines = Vec::new();
    for context in contexts {
        let fits = |line: &&Binding| line.context == context && !(read_only && line.action.changes());
        let mut keys = TABLE.iter().filter(fits).peekable();
        if keys.peek().is_none() {
            continue;
        }
        if !lines.is_empty() {
            lines.push(HelpLine::Gap);
        }
        lines.push(HelpLine::Title(context.title()));
        for line in keys {
            let labels: Vec<_> = line.keys.iter().map(|key| key.label()).collect();
            lines.push(HelpLine::Keys(labels.join(" "), line.help));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_there_once_and_changes_only_where_they_may_be_made() {
        for here in Context::ALL {
            let all = lines(here, false);
            assert_eq!(all.first(), Some(&HelpLine::Title(here.title())));
            let keys = |lines: &[HelpLine]| lines.iter().filter(|line| matches!(line, HelpLine::Keys(..))).count();
            assert_eq!(keys(&all), TABLE.len());
            let changes = TABLE.iter().filter(|line| line.action.changes()).count();
            assert!(changes >= 5);
            assert_eq!(keys(&lines(here, true)), TABLE.len() - changes);
        }
    }
}
