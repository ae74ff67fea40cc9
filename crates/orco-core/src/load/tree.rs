//! From files to one tree: reading, includes, limits.

use std::path::{Path, PathBuf};

use super::run::Run;
use crate::spec::{
    Diagnostic, Label, code,
    file::{Shape, Ty, join},
    yaml::{self, Node, Span, Trail, Value},
};

/// Files that may be read for includes. A file may be included by several others and is read for each.
const INCLUDES: usize = 256;

/// A file that is being read, and who asked for it.
pub(super) struct Chain<'a> {
    path: &'a Path,
    from: Option<&'a Chain<'a>>,
}

impl<'a> Chain<'a> {
    pub(super) const fn root(path: &'a Path) -> Self {
        Self { path, from: None }
    }

    /// The files from `path` down to here and back to it, if it is among them.
    fn back_to(&self, path: &Path) -> Option<Vec<PathBuf>> {
        let mut way = vec![path.to_owned()];
        let mut at = Some(self);
        while let Some(chain) = at {
            way.push(chain.path.to_owned());
            if chain.path == path {
                way.reverse();
                return Some(way);
            }
            at = chain.from;
        }
        None
    }
}

impl Run<'_> {
    /// The tree of a file with everything it includes; `None` where it cannot be had, which has been reported.
    pub(super) fn tree(&mut self, chain: &Chain<'_>, asked_at: Option<(Span, &str)>) -> Option<Node> {
        let text = self.text(chain.path, asked_at)?;
        let file = self.map.add(chain.path.to_owned(), text);
        let Some(mut tree) = yaml::parse(file, &self.map, &mut self.budget, &mut self.out) else {
            self.incomplete = true;
            return None;
        };
        let Value::Map(entries) = &mut tree.value else { return Some(tree) };
        let Some(at) = entries.iter().position(|entry| &*entry.key == "includes") else { return Some(tree) };
        let mut includes = entries.remove(at).value;
        self.check_includes(&mut includes);
        let list = match &includes.value {
            Value::Seq(items) => items.as_slice(),
            Value::Scalar(_) | Value::Map(_) => std::slice::from_ref(&includes),
        };
        let mut base: Option<Node> = None;
        for (index, item) in list.iter().enumerate() {
            let Some(text) = item.text().filter(|_| !item.bad) else { continue };
            let included = self.include(chain, text, item.span, &format!("includes[{index}]"));
            base = match (base, included) {
                (Some(base), Some(over)) => Some(yaml::merge(base, over)),
                (base, over) => base.or(over),
            };
        }
        Some(match base {
            Some(base) => yaml::merge(base, tree),
            None => tree,
        })
    }

    fn check_includes(&mut self, includes: &mut Node) {
        let var = |name: &str| self.var(name);
        let mut shape = Shape::new(&self.map, &[], &var);
        let ty = Ty::OneOrMany(&Ty::Text);
        shape.check(includes, &ty, &Trail::Key(&Trail::Root, "includes"));
        let Shape { out, used, .. } = shape;
        self.incomplete |= !out.is_empty();
        self.out.extend(out);
        self.used.extend(used);
    }

    fn include(&mut self, chain: &Chain<'_>, text: &str, at: Span, yaml_path: &str) -> Option<Node> {
        let path = join(chain.path.parent().unwrap_or(Path::new("")), text);
        let refusal = if let Some(way) = chain.back_to(&path) {
            let way: Vec<_> = way.iter().map(|path| path.display().to_string()).collect();
            let message = format!("files include each other: {}", way.join(" -> "));
            Some(Diagnostic::error(code::INCLUDE_CYCLE, message).help("remove one of these includes"))
        } else if self.included == INCLUDES {
            Some(Diagnostic::error(code::INCLUDE_LIMIT, format!("more than {INCLUDES} includes")))
        } else {
            None
        };
        if let Some(refusal) = refusal {
            self.incomplete = true;
            self.out.push(refusal.at(yaml_path).label(self.map.label(at, "")));
            return None;
        }
        self.included += 1;
        self.tree(&Chain { path: &path, from: Some(chain) }, Some((at, yaml_path)))
    }

    fn text(&mut self, path: &Path, asked_at: Option<(Span, &str)>) -> Option<String> {
        let diagnostic = match self.sources.read(path) {
            Err(error) => {
                let kind = if asked_at.is_some() { code::INCLUDE_MISSING } else { code::UNREADABLE };
                Diagnostic::error(kind, format!("cannot read `{}`: {}", path.display(), super::run::reason(&error)))
            }
            Ok(bytes) if bytes.len() as u64 > super::disk::LARGEST => {
                Diagnostic::error(code::TOO_LARGE, format!("`{}` is larger than 4 MiB", path.display()))
                    .help("split it with `includes`")
            }
            Ok(bytes) => match decode(bytes) {
                Ok(text) => return Some(text),
                Err(diagnostic) => diagnostic.label(Label::new(path, 0..0, 1, 1, "")),
            },
        };
        self.incomplete = true;
        self.out.push(match asked_at {
            Some((span, yaml_path)) if diagnostic.labels.is_empty() => {
                diagnostic.at(yaml_path).label(self.map.label(span, ""))
            }
            _ => diagnostic,
        });
        None
    }
}

fn decode(bytes: Vec<u8>) -> Result<String, Diagnostic> {
    let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    let text = String::from_utf8(bytes).map_err(|error| {
        let message = format!("not UTF-8 text (byte {})", error.utf8_error().valid_up_to());
        let diagnostic = Diagnostic::error(code::NOT_UTF8, message);
        if utf16 { diagnostic.help("it looks like UTF-16: save it as UTF-8") } else { diagnostic }
    })?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}
