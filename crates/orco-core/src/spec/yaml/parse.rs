//! Text to tree, event by event, without recursion.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use granit_parser::{Event, Parser, ScalarStyle, Tag};

use super::{Entry, Node, Scalar, Span, Value, syntax};
use crate::spec::{Diagnostic, SourceMap, code, value::Flaw};

/// Levels of nesting.
const DEPTH: usize = 64;
/// What aliases may add, over all files of a stack.
const ALIAS_NODES: usize = 1_000_000;
const ALIAS_BYTES: usize = 64 << 20;

/// What is left of the limits that hold for all files together.
pub(crate) struct Budget {
    nodes: usize,
    bytes: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { nodes: ALIAS_NODES, bytes: ALIAS_BYTES }
    }
}

/// How much there is of a subtree.
#[derive(Clone, Copy, Default)]
struct Weight {
    nodes: usize,
    bytes: usize,
    height: usize,
}

impl Weight {
    fn add(&mut self, child: Self) {
        self.nodes += child.nodes;
        self.bytes += child.bytes;
        self.height = self.height.max(child.height + 1);
    }
}

/// A collection that is not complete yet.
struct Open {
    span: Span,
    anchor: usize,
    weight: Weight,
    content: Content,
}

enum Content {
    Seq(Vec<Node>),
    Map { entries: Vec<Entry>, seen: HashSet<Arc<str>>, key: Option<Key> },
}

/// A key that waits for its value.
enum Key {
    Good(Arc<str>, Span),
    /// Reported; its value is dropped.
    Bad,
}

/// The tree of a file of the map. All that can be found wrong in one pass is added to `out`; `None` where the text is no
/// YAML at all or a limit was passed.
pub(crate) fn parse(file: u32, sources: &SourceMap, budget: &mut Budget, out: &mut Vec<Diagnostic>) -> Option<Node> {
    let text = sources.text(file);
    let mut builder =
        Builder { file, sources, budget, out, open: Vec::new(), anchors: HashMap::new(), root: None, documents: 0 };
    let mut options = granit_parser::Options::default();
    options.set_emit_comments(false);
    for next in Parser::new_from_str_with_options(text, options) {
        let step = match next {
            Ok((event, span)) => {
                let range = span.byte_range().unwrap_or(0..0);
                builder.event(event, builder.span(range.start, range.end))
            }
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
                Err((syntax::explain(&error), builder.span(at, at)))
            }
        };
        if let Err((flaw, span)) = step {
            builder.report(flaw, span);
            return None;
        }
    }
    let end = builder.span(0, 0);
    Some(builder.root.unwrap_or_else(|| Node::new(end, Value::Scalar(Scalar { text: "".into(), plain: true }))))
}

/// What ends the reading of a file.
type Fatal = (Flaw, Span);

struct Builder<'a> {
    file: u32,
    sources: &'a SourceMap,
    budget: &'a mut Budget,
    out: &'a mut Vec<Diagnostic>,
    open: Vec<Open>,
    /// `None` while the anchored collection is not complete.
    anchors: HashMap<usize, Option<(Node, Weight)>>,
    root: Option<Node>,
    documents: usize,
}

impl Builder<'_> {
    fn span(&self, start: usize, end: usize) -> Span {
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span { file: self.file, start: offset(start), end: offset(end) }
    }

    fn report(&mut self, flaw: Flaw, span: Span) {
        let mut diagnostic = Diagnostic::error(flaw.code, flaw.message).label(self.sources.label(span, ""));
        diagnostic.help = flaw.help;
        self.out.push(diagnostic);
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Fatal> {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    let flaw = Flaw::new(code::DOCUMENTS, "a second document in one file");
                    return Err((flaw.help("a stack file is one document; use `includes` for several files"), span));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let quoted = tag.as_deref().is_some_and(|tag| tag.is_yaml_core_schema_tag("str"));
                self.tag(tag.as_deref(), span);
                if text.contains('\0') {
                    self.report(Flaw::new(code::NUL, "a NUL character").help("remove it"), span);
                }
                let plain = style == ScalarStyle::Plain && !quoted;
                let weight = Weight { nodes: 1, bytes: text.len(), height: 0 };
                let node = Node::new(span, Value::Scalar(Scalar { text: text.into(), plain }));
                self.anchor(anchor, &node, weight);
                self.node(node, weight);
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.start(Content::Seq(Vec::new()), anchor, tag.as_deref(), span)?
            }
            Event::MappingStart(_, anchor, tag) => {
                let content = Content::Map { entries: Vec::new(), seen: HashSet::new(), key: None };
                self.start(content, anchor, tag.as_deref(), span)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            Event::Alias(id) => self.alias(id, span)?,
            _ => {}
        }
        Ok(())
    }

    fn start(&mut self, content: Content, anchor: usize, tag: Option<&Tag>, span: Span) -> Result<(), Fatal> {
        self.tag(tag, span);
        if self.open.len() == DEPTH {
            return Err((Flaw::new(code::TOO_DEEP, "nested deeper than 64 levels"), span));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, None);
        }
        self.open.push(Open { span, anchor, weight: Weight { nodes: 1, ..Weight::default() }, content });
        Ok(())
    }

    fn end(&mut self, end: Span) {
        let Some(open) = self.open.pop() else { return };
        let value = match open.content {
            Content::Seq(items) => Value::Seq(items),
            Content::Map { entries, .. } => Value::Map(entries),
        };
        let node = Node::new(Span { end: end.end, ..open.span }, value);
        self.anchor(open.anchor, &node, open.weight);
        self.node(node, open.weight);
    }

    fn anchor(&mut self, anchor: usize, node: &Node, weight: Weight) {
        if anchor > 0 {
            self.anchors.insert(anchor, Some((node.clone(), weight)));
        }
    }

    fn alias(&mut self, id: usize, span: Span) -> Result<(), Fatal> {
        let Some(Some((node, weight))) = self.anchors.get(&id) else {
            return Err((Flaw::new(code::SYNTAX, "an alias to something that contains it"), span));
        };
        let left = (self.budget.nodes.checked_sub(weight.nodes), self.budget.bytes.checked_sub(weight.bytes));
        let (Some(nodes), Some(bytes)) = left else {
            let flaw = Flaw::new(code::ALIAS_EXPANSION, "aliases expand to more than a stack file may hold");
            return Err((flaw.help("put what services share into `defaults`"), span));
        };
        if self.open.len() + weight.height > DEPTH {
            return Err((Flaw::new(code::TOO_DEEP, "nested deeper than 64 levels through an alias"), span));
        }
        (self.budget.nodes, self.budget.bytes) = (nodes, bytes);
        let (node, weight) = (node.clone(), *weight);
        self.node(node, weight);
        Ok(())
    }

    /// Puts a complete node where it belongs.
    fn node(&mut self, node: Node, weight: Weight) {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return;
        };
        open.weight.add(weight);
        let (entries, seen, key) = match &mut open.content {
            Content::Seq(items) => return items.push(node),
            Content::Map { entries, seen, key } => (entries, seen, key),
        };
        match key.take() {
            Some(Key::Good(key, key_span)) => entries.push(Entry { key, key_span, value: node }),
            Some(Key::Bad) => {}
            None => {
                let span = node.span;
                let (good, flaw) = check_key(node, entries, seen, self.sources);
                *key = Some(good);
                if let Some((flaw, first)) = flaw {
                    let mut diagnostic = Diagnostic::error(flaw.code, flaw.message).label(self.sources.label(span, ""));
                    diagnostic.help = flaw.help;
                    diagnostic.labels.extend(first);
                    self.out.push(diagnostic);
                }
            }
        }
    }

    fn tag(&mut self, tag: Option<&Tag>, span: Span) {
        if let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema()) {
            let flaw = Flaw::new(code::UNKNOWN_TAG, format!("unknown tag `{}`", tag.original()));
            self.report(flaw.help("stack files need no tags"), span);
        }
    }
}

type Problem = (Flaw, Option<crate::spec::Label>);

fn check_key(
    node: Node,
    entries: &[Entry],
    seen: &mut HashSet<Arc<str>>,
    sources: &SourceMap,
) -> (Key, Option<Problem>) {
    let span = node.span;
    let Value::Scalar(Scalar { text, plain }) = node.value else {
        let message = format!("a key must be text, found {}", node.describe());
        return (Key::Bad, Some((Flaw::new(code::WRONG_TYPE, message), None)));
    };
    if plain && &*text == "<<" {
        let flaw = Flaw::new(code::MERGE_KEY, "merge keys (`<<`) are not part of the language");
        return (Key::Bad, Some((flaw.help("use `defaults`, `includes`, or an alias for the whole value"), None)));
    }
    if !first_time(&text, entries, seen) {
        let first = entries.iter().find(|entry| entry.key == text);
        let label = first.map(|entry| sources.label(entry.key_span, "first here"));
        let flaw = Flaw::new(code::DUPLICATE_KEY, format!("`{text}` is here twice"));
        return (Key::Bad, Some((flaw.help("remove or rename one of them"), label)));
    }
    (Key::Good(text, span), None)
}

/// Whether a mapping does not have the key yet. Small ones need no set.
fn first_time(key: &Arc<str>, entries: &[Entry], seen: &mut HashSet<Arc<str>>) -> bool {
    const SMALL: usize = 16;
    if entries.len() < SMALL {
        return entries.iter().all(|entry| entry.key != *key);
    }
    if seen.is_empty() {
        seen.extend(entries.iter().map(|entry| entry.key.clone()));
    }
    seen.insert(key.clone())
}
