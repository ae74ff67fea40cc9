//! Where in the tree: `services.api.dependsOn[1].target`.

use std::fmt;

use super::{Node, Span, Value};

/// One step down.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

/// A way from the root. Not every way leads somewhere: a value may come from a default.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Path(pub(crate) Vec<Step>);

impl Path {
    pub(crate) fn of<const N: usize>(keys: [&str; N]) -> Self {
        Self(keys.iter().map(|key| Step::Key((*key).to_owned())).collect())
    }

    #[must_use]
    pub(crate) fn key(mut self, key: &str) -> Self {
        self.0.push(Step::Key(key.to_owned()));
        self
    }

    #[must_use]
    pub(crate) fn index(mut self, index: usize) -> Self {
        self.0.push(Step::Index(index));
        self
    }

    /// This path and then the other.
    #[must_use]
    pub(crate) fn join(mut self, rest: &Self) -> Self {
        self.0.extend_from_slice(&rest.0);
        self
    }

    /// The deepest node on the way.
    pub(crate) fn walk<'a>(&self, root: &'a Node) -> Place<'a> {
        let mut place = Place { node: root, key: None, complete: true };
        for step in &self.0 {
            let next = match (step, &place.node.value) {
                (Step::Key(key), _) => place.node.entry(key).map(|entry| (&entry.value, Some(entry.key_span))),
                (Step::Index(index), Value::Seq(items)) => items.get(*index).map(|item| (item, None)),
                // One thing where a list is possible stands for the list of it.
                (Step::Index(0), _) => Some((place.node, place.key)),
                (Step::Index(_), _) => None,
            };
            match next {
                Some((node, key)) => place = Place { node, key, complete: true },
                None => return Place { complete: false, ..place },
            }
        }
        place
    }
}

/// Where a path leads.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) node: &'a Node,
    /// The key it stands behind.
    key: Option<Span>,
    /// The path has come to its end.
    pub(crate) complete: bool,
}

impl Place<'_> {
    /// What to point at: a value, or the key of something larger.
    pub(crate) fn span(&self) -> Span {
        match (&self.node.value, self.key) {
            (Value::Scalar(_), _) if !self.node.is_null() => self.node.span,
            (_, Some(key)) => key,
            (_, None) => self.node.span,
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) => {
                    if i > 0 {
                        f.write_str(".")?;
                    }
                    match key.contains(['.', '[', ' ']) || key.is_empty() {
                        true => write!(f, "\"{}\"", key.escape_debug())?,
                        false => f.write_str(key)?,
                    }
                }
            }
        }
        Ok(())
    }
}

/// A path under construction on the stack: nothing is allocated until a diagnostic needs it.
#[derive(Clone, Copy)]
pub(crate) enum Trail<'a> {
    Root,
    Key(&'a Trail<'a>, &'a str),
    Index(&'a Trail<'a>, usize),
}

impl Trail<'_> {
    pub(crate) fn path(&self) -> Path {
        match self {
            Self::Root => Path::default(),
            Self::Key(parent, key) => parent.path().key(key),
            Self::Index(parent, index) => parent.path().index(*index),
        }
    }
}
