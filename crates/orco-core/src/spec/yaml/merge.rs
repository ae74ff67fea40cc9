//! Deep merge of an included file with the file that includes it.

use std::{collections::HashMap, sync::Arc};

use super::{Entry, Node, Span, Value};

/// `over` wins; mappings are merged key by key, everything else is replaced. Keys keep the order in which they appear,
/// those of `base` first.
pub(crate) fn merge(base: Node, over: Node) -> Node {
    let value = match (base.value, over.value) {
        (Value::Map(entries), Value::Map(wins)) => Value::Map(merge_entries(entries, wins)),
        (_, value) => value,
    };
    Node { span: over.span, value, bad: over.bad }
}

fn merge_entries(mut entries: Vec<Entry>, wins: Vec<Entry>) -> Vec<Entry> {
    let places: HashMap<Arc<str>, usize> = entries.iter().enumerate().map(|(i, e)| (e.key.clone(), i)).collect();
    for entry in wins {
        match places.get(&entry.key) {
            None => entries.push(entry),
            Some(&place) => {
                let slot = &mut entries[place];
                let hollow = Node::new(Span::default(), Value::Seq(Vec::new()));
                let old = std::mem::replace(&mut slot.value, hollow);
                slot.key_span = entry.key_span;
                slot.value = merge(old, entry.value);
            }
        }
    }
    entries
}
