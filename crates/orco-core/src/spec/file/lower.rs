//! From the tree to the model.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Component, Path as FilePath, PathBuf},
};

use super::{
    lower_service,
    view::{Layers, View},
};
use crate::{
    model::{ServiceName, StackName},
    spec::{
        Command, Logging, Service, code,
        rules::{self, Finding},
        value, vars,
        yaml::{Node, Path, Span},
    },
};

/// Gives what env files say.
pub(crate) trait EnvFiles {
    /// The variables of a file, in its order; none where it cannot be read (then it has reported that).
    fn variables(&mut self, file: &FilePath, at: Span, path: &Path) -> Vec<(String, String)>;
}

/// What came of a tree.
pub(crate) struct Lowered {
    pub(crate) name: Option<StackName>,
    pub(crate) workdir: PathBuf,
    pub(crate) services: Vec<Service>,
    pub(crate) logging: Logging,
    /// Keys under `services` that are no services.
    pub(crate) broken: BTreeSet<String>,
    pub(crate) findings: Vec<Finding>,
}

/// What every step of it needs.
pub(super) struct Lowering<'a> {
    pub(super) workdir: PathBuf,
    pub(super) defaults: View<'a>,
    /// Variables of `defaults.env`.
    pub(super) env: BTreeMap<String, Option<String>>,
    pub(super) env_files: &'a mut dyn EnvFiles,
    pub(super) findings: Vec<Finding>,
}

/// The model of a tree that has been looked at. `folder`: that of the stack file, absolute.
pub(crate) fn lower(root: &Node, folder: &FilePath, env_files: &mut dyn EnvFiles) -> Lowered {
    let file = View(Some(root));
    let workdir = join(folder, file.get("stack").get("workdir").text().unwrap_or("."));
    let defaults = file.get("defaults");
    let mut lowering =
        Lowering { workdir: workdir.clone(), defaults, env: BTreeMap::new(), env_files, findings: Vec::new() };
    lowering.env = lowering.env(defaults.get("env"));
    let mut services = Vec::new();
    let mut broken = BTreeSet::new();
    for entry in file.get("services").0.map(Node::entries).unwrap_or_default() {
        match ServiceName::new(&entry.key) {
            Ok(name) => services.push(lower_service::service(name, &entry.value, &mut lowering)),
            Err(_) => drop(broken.insert(entry.key.to_string())),
        }
    }
    let name = file.get("stack").get("name").text().map(str::to_owned);
    let name = name.unwrap_or_else(|| tidy(folder.file_name().and_then(|name| name.to_str()).unwrap_or_default()));
    let directory = file.get("logging").get("directory").text().map(|directory| join(&workdir, directory));
    let logging = Logging { directory, ..lower_service::logging(file.get("logging")) };
    rules::check_logging(&logging, &Path::of(["logging"]), &mut lowering.findings);
    Lowered { name: StackName::new(&name).ok(), workdir, services, logging, broken, findings: lowering.findings }
}

/// A folder's name as the name of a stack.
fn tidy(folder: &str) -> String {
    let lower = folder.to_ascii_lowercase();
    let plain: String =
        lower.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).take(63).collect();
    match plain.trim_matches(['-', '_']) {
        "" => "stack".to_owned(),
        name => name.to_owned(),
    }
}

/// `path` seen from `folder`, without `.` and `..` where that needs no look at the disk.
pub(crate) fn join(folder: &FilePath, path: impl AsRef<FilePath>) -> PathBuf {
    let mut joined = PathBuf::new();
    for part in folder.join(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(joined.components().next_back(), Some(Component::Normal(_))) => {
                joined.pop();
            }
            part => joined.push(part),
        }
    }
    joined
}

impl<'a> Lowering<'a> {
    pub(super) fn join(&self, path: &str) -> PathBuf {
        join(&self.workdir, path)
    }

    /// A part of a service with the same part of the defaults behind it.
    pub(super) fn layers(&self, service: View<'a>, key: &str) -> Layers<'a> {
        Layers { own: service.get(key), base: self.defaults.get(key) }
    }

    pub(super) fn env(&self, map: View<'_>) -> BTreeMap<String, Option<String>> {
        let entries = map.0.map(Node::entries).unwrap_or_default();
        entries.iter().map(|entry| (entry.key.to_string(), View(Some(&entry.value)).string())).collect()
    }

    /// The keys `command` and `shell` of a mapping.
    pub(super) fn command(&mut self, map: View<'_>, path: &Path) -> Option<Command> {
        let view = map.get("command");
        let node = view.0.filter(|node| !node.tainted())?;
        let shell = map.get("shell").bool().unwrap_or(false);
        let path = path.clone().key("command");
        let argv = match (view.text(), shell) {
            (Some(text), true) => vec!["/bin/sh".to_owned(), "-c".to_owned(), text.to_owned()],
            (Some(text), false) => {
                self.warn_of_shell(text, &path);
                match value::split_command(text) {
                    Ok(argv) => argv,
                    Err(flaw) => {
                        let finding = Finding::error(flaw.code, path, flaw.message);
                        self.findings.push(Finding { help: flaw.help, ..finding });
                        return None;
                    }
                }
            }
            (None, true) => {
                let message = "with `shell: true` a command is one text, not a list".to_owned();
                self.findings.push(Finding::error(code::BAD_COMMAND, path, message));
                return None;
            }
            (None, false) => node.items().iter().filter_map(|item| item.text().map(str::to_owned)).collect(),
        };
        if argv.first().is_none_or(String::is_empty) {
            self.findings.push(Finding::error(code::BAD_COMMAND, path, "the command is empty".to_owned()));
            return None;
        }
        Some(Command { argv })
    }

    fn warn_of_shell(&mut self, text: &str, path: &Path) {
        if let Some(word) = value::shell_words(text) {
            let message = format!("`{word}` is passed on as an argument: no shell runs");
            let finding = Finding::warning(code::SHELL_SYNTAX, path.clone(), message);
            self.findings.push(finding.help("`shell: true` beside the command runs it with `/bin/sh -c`"));
        }
    }

    /// What the env files of a service say, in their order. A `$` in them is only that.
    pub(super) fn env_files(&mut self, service: View<'_>, path: &Path) -> Vec<(String, Option<String>)> {
        let mut all = Vec::new();
        for (index, node) in service.get("envFromFile").many() {
            let Some(text) = View(Some(node)).text() else { continue };
            let file = self.join(text);
            let path = path.clone().key("envFromFile").index(index);
            let variables = self.env_files.variables(&file, node.span, &path);
            all.extend(variables.into_iter().map(|(name, value)| (name, Some(vars::literal(&value)))));
        }
        all
    }
}
