//! One load from beginning to end.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
};

use super::{Loaded, Rejected, Sources, env_files::EnvReader, tree::Chain};
use crate::spec::{
    Diagnostic, Known, Service, Severity, SourceMap, Stack, code,
    file::{self, Lowered, STACK_FILE, Shape, Ty, Use},
    rules::{self, Finding, Subject},
    yaml::{Budget, Node, Path as YamlPath, Trail},
};

/// Services in one stack.
const SERVICES: usize = 10_000;
/// Bytes that all services together may get from one `defaults`, or from env files.
pub(super) const SHARED: usize = 128 << 20;

/// The state of one load.
pub(super) struct Run<'a> {
    pub(super) sources: &'a dyn Sources,
    known: &'a Known,
    pub(super) map: SourceMap,
    pub(super) out: Vec<Diagnostic>,
    pub(super) budget: Budget,
    pub(super) included: usize,
    /// The variables used so far.
    pub(super) used: BTreeMap<String, String>,
    /// A part of the tree is missing, so nothing can be said about the whole.
    pub(super) incomplete: bool,
    dotenv: BTreeMap<String, String>,
    /// The file's folder as the user named it.
    folder: PathBuf,
}

impl<'a> Run<'a> {
    pub(super) fn new(sources: &'a dyn Sources, known: &'a Known, path: &Path) -> Self {
        Self {
            sources,
            known,
            map: SourceMap::default(),
            out: Vec::new(),
            budget: Budget::default(),
            included: 0,
            used: BTreeMap::new(),
            incomplete: false,
            dotenv: BTreeMap::new(),
            folder: path.parent().unwrap_or(Path::new("")).to_owned(),
        }
    }

    /// The environment wins over `.env`.
    pub(super) fn var(&self, name: &str) -> Option<String> {
        self.sources.var(name).or_else(|| self.dotenv.get(name).cloned())
    }

    pub(super) fn load(mut self, path: &Path) -> Result<Loaded, Rejected> {
        self.read_dotenv();
        let Some(mut tree) = self.tree(&Chain::root(path), None) else {
            return Err(self.reject());
        };
        let uses = self.shape(&mut tree);
        if let Some(diagnostic) = too_much(&tree) {
            self.out.push(diagnostic);
            return Err(self.reject());
        }
        let lowered = self.lower(&tree);
        if !self.incomplete {
            let subject = Subject { services: &lowered.services, known: self.known, broken: &lowered.broken };
            let mut findings = rules::check(&subject);
            findings.splice(0..0, lowered.findings.iter().cloned());
            self.place(findings, &tree);
        }
        self.uses(&uses, &lowered);
        self.finish(lowered)
    }

    fn read_dotenv(&mut self) {
        let file = self.folder.join(".env");
        let mut reader = EnvReader::new(self.sources, &mut self.map, (&self.folder, &self.folder));
        let Ok(variables) = reader.read(&file) else { return };
        // Other programs read this file too, and may understand more.
        let warnings = std::mem::take(&mut reader.out);
        self.out.extend(warnings.into_iter().map(|found| Diagnostic { severity: Severity::Warning, ..found }));
        self.dotenv.extend(variables);
    }

    fn shape(&mut self, tree: &mut Node) -> Vec<Use> {
        let var = |name: &str| self.var(name);
        let mut shape = Shape::new(&self.map, self.known.probes().unwrap_or_default(), &var);
        shape.check(tree, &Ty::Table(&STACK_FILE), &Trail::Root);
        let Shape { out, used, uses, .. } = shape;
        self.out.extend(out);
        self.used.extend(used);
        uses
    }

    fn lower(&mut self, tree: &Node) -> Lowered {
        // The only look at the process's own folder: without it a stack would change its meaning with it.
        let folder = match self.folder.as_os_str().is_empty() {
            true => std::path::absolute("."),
            false => std::path::absolute(&self.folder),
        };
        let folder = folder.unwrap_or_else(|_| self.folder.clone());
        let mut reader = EnvReader::new(self.sources, &mut self.map, (&folder, &self.folder));
        let lowered = file::lower(tree, &folder, &mut reader);
        self.out.append(&mut reader.out);
        lowered
    }

    /// Finds out where in the files each finding is. What follows from something that was reported is dropped.
    fn place(&mut self, findings: Vec<Finding>, tree: &Node) {
        let mut bad_commands = BTreeSet::new();
        for mut finding in findings {
            if !finding.path.walk(tree).complete
                && let Some(path) = finding.default_path()
                && path.walk(tree).complete
            {
                finding.path = path;
            }
            let place = finding.path.walk(tree);
            let known = if place.complete { place.node.tainted() } else { place.node.bad };
            let path = finding.path.to_string();
            let unread = finding.code == code::NO_COMMAND
                && (bad_commands.contains(&path) || file::misspelt(place.node, &["command", "image"]));
            if known || unread {
                continue;
            }
            if finding.code == code::BAD_COMMAND {
                bad_commands.insert(path);
            }
            let mut labels = vec![self.map.label(place.span(), "")];
            labels.extend(finding.more.iter().map(|(path, text)| self.map.label(path.walk(tree).span(), text.clone())));
            self.out.push(Diagnostic { labels, ..finding.into_diagnostic() });
        }
    }

    /// One note for each field that has no effect yet, however often it is used; an error for each field of containers
    /// on a process.
    fn uses(&mut self, uses: &[Use], lowered: &Lowered) {
        let processes: BTreeMap<&str, &Service> =
            lowered.services.iter().filter(|s| s.is_process()).map(|s| (s.name.as_str(), s)).collect();
        let mut by_key: BTreeMap<&str, (usize, &Use)> = BTreeMap::new();
        for used in uses {
            if !used.containers_only {
                by_key.entry(used.key).or_insert((0, used)).0 += 1;
                continue;
            }
            let Some(process) = used.service.as_deref().and_then(|name| processes.get(name)) else { continue };
            // An image and no command: then the command is what is missing.
            if used.key != "image" || process.command.is_some() {
                let finding = rules::container_only(process.name.as_str(), used.key, YamlPath::default());
                let found = finding.into_diagnostic().at(used.path.clone());
                self.out.push(found.label(self.map.label(used.span, "")));
            }
        }
        for (key, (count, first)) in by_key {
            let message = format!("`{key}` has no effect yet");
            let mut note = Diagnostic::note(code::NO_EFFECT_YET, message).at(first.path.clone());
            note.labels.push(self.map.label(first.span, ""));
            if count > 1 {
                note = note.help(format!("it is used in {count} places"));
            }
            self.out.push(note);
        }
    }

    fn finish(mut self, lowered: Lowered) -> Result<Loaded, Rejected> {
        let invalid = self.out.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
        let (Some(name), false) = (lowered.name, invalid) else {
            return Err(self.reject());
        };
        self.sort();
        let services = lowered.services.into_iter().map(std::sync::Arc::new).collect();
        let stack =
            Stack::assume_valid(name, lowered.workdir, services, self.out.clone()).with_logging(lowered.logging);
        Ok(Loaded { stack, diagnostics: self.out, sources: self.map, variables: self.used })
    }

    fn reject(mut self) -> Rejected {
        self.sort();
        Rejected { diagnostics: self.out, sources: self.map }
    }

    /// In the order of the files; what was found in the same place twice (in `defaults`, once per service) once.
    fn sort(&mut self) {
        let files: BTreeMap<PathBuf, usize> =
            self.map.files().enumerate().map(|(index, (path, _))| (path.to_owned(), index)).collect();
        self.out.sort_by_cached_key(|diagnostic| {
            let first = diagnostic.labels.first();
            first.map(|label| (files.get(&label.file).copied(), label.range.start))
        });
        let mut seen = BTreeSet::new();
        self.out.retain(|diagnostic| {
            let place = diagnostic.labels.first().map(|label| (label.file.clone(), label.range.start));
            place.is_none() || seen.insert((place, diagnostic.code, diagnostic.message.clone()))
        });
    }
}

/// What no computer should be asked to hold.
fn too_much(tree: &Node) -> Option<Diagnostic> {
    let count = tree.get("services").map_or(0, |services| services.entries().len());
    if count > SERVICES {
        let message = format!("{count} services: a stack may have {SERVICES}");
        return Some(Diagnostic::error(code::TOO_MANY_SERVICES, message).at("services"));
    }
    let shared = tree.get("defaults").map_or(0, Node::weight);
    (shared.saturating_mul(count) > SHARED).then(|| {
        let message = format!("`defaults` are too large for {count} services");
        Diagnostic::error(code::TOO_LARGE, message).at("defaults")
    })
}

/// Why a file cannot be read, as a fragment.
pub(super) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "it does not exist".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::IsADirectory => "it is a directory".to_owned(),
        _ => error.to_string(),
    }
}
