//! Which file is run? Settled here, with the service's own PATH and directory, so that the keeper needs neither.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs, io,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::{Path, PathBuf},
};

use orco_core::runtime::RuntimeError;

/// Where programs are looked for if there is no PATH.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// What a shell says of a program that is there and cannot be executed, and of one that is not there.
pub(crate) const EXISTS: u8 = 126;
pub(crate) const MISSING: u8 = 127;

/// The PATH that the program gets.
pub(crate) fn search_path<'a>(env: &'a BTreeMap<String, Option<String>>, inherited: Option<&'a OsStr>) -> &'a OsStr {
    match env.get("PATH") {
        Some(Some(path)) => OsStr::new(path),
        Some(None) => OsStr::new(DEFAULT_PATH),
        None => inherited.unwrap_or(OsStr::new(DEFAULT_PATH)),
    }
}

/// The file of a program: by its path, from the working directory, or by its name, from the search path.
pub(crate) fn resolve(name: &str, workdir: &Path, path: &OsStr) -> Result<PathBuf, RuntimeError> {
    let refused = |why: &str, code| RuntimeError::refused(format!("cannot run {name}: {why}")).with_shell_code(code);
    if name.contains('/') {
        let file = workdir.join(name);
        return match check(&file) {
            Ok(()) => Ok(file),
            Err(why) => Err(refused(&why, if file.exists() { EXISTS } else { MISSING })),
        };
    }
    let mut found_one = None;
    for folder in path.as_bytes().split(|byte| *byte == b':') {
        // An empty part means the working directory, as it always did.
        let file = workdir.join(OsStr::from_bytes(folder)).join(name);
        match check(&file) {
            Ok(()) => return Ok(file),
            Err(why) if file.exists() => found_one = found_one.or(Some((file, why))),
            Err(_) => {}
        }
    }
    Err(match found_one {
        Some((file, why)) => refused(&format!("{}: {why}", file.display()), EXISTS),
        None => refused(&format!("not found in PATH ({})", short(path)), MISSING),
    })
}

/// A search path as a message can bear it: each folder once, and not more than the first four.
fn short(path: &OsStr) -> String {
    let mut folders: Vec<_> = Vec::new();
    for folder in path.as_bytes().split(|byte| *byte == b':') {
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    let shown: Vec<_> = folders.iter().take(4).map(|folder| OsStr::from_bytes(folder).to_string_lossy()).collect();
    match folders.len() - shown.len() {
        0 => shown.join(":"),
        more => format!("{} and {more} more", shown.join(":")),
    }
}

/// Whether it is a file that somebody may execute.
fn check(file: &Path) -> Result<(), String> {
    match fs::metadata(file) {
        Ok(data) if data.is_dir() => Err("it is a directory".to_owned()),
        Ok(data) if data.permissions().mode() & 0o111 == 0 => Err("it is not executable".to_owned()),
        Ok(_) => Ok(()),
        Err(error) => Err(words(&error)),
    }
}

/// The working directory exists.
pub(crate) fn check_workdir(dir: &Path) -> Result<(), RuntimeError> {
    let refused = |why: String| RuntimeError::refused(format!("cannot enter {}: {why}", dir.display()));
    match fs::metadata(dir) {
        Ok(data) if data.is_dir() => Ok(()),
        Ok(_) => Err(refused("not a directory".to_owned())),
        Err(error) => Err(refused(words(&error))),
    }
}

/// The system's words, lower-case, without the number.
fn words(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(number) => nix::errno::Errno::from_raw(number).desc().to_lowercase(),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn text(result: Result<PathBuf, RuntimeError>) -> String {
        result.map_or_else(|error| error.to_string(), |path| path.display().to_string())
    }

    #[test]
    fn names_go_through_the_path_and_paths_start_at_the_directory() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        for (name, mode) in [("bin/tool", 0o755), ("bin/plain", 0o644), ("here", 0o755)] {
            let file = root.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, "").unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        }
        let cases = [
            ("tool", "/nowhere:bin", "ROOT/bin/tool"),
            ("here", "bin:", "ROOT/here"),
            ("./here", "", "ROOT/./here"),
            ("bin/tool", "/nowhere", "ROOT/bin/tool"),
            ("/bin/sh", "", "/bin/sh"),
            ("tool", "/nowhere", "cannot run tool: not found in PATH (/nowhere)"),
            ("tool", "/n:/o:/n:/p:/q", "cannot run tool: not found in PATH (/n:/o:/p:/q)"),
            ("tool", "/n:/o:/p:/q:/r:/s:/n", "cannot run tool: not found in PATH (/n:/o:/p:/q and 2 more)"),
            ("./gone", "bin", "cannot run ./gone: no such file or directory"),
            ("./bin", "bin", "cannot run ./bin: it is a directory"),
            ("./here/x", "bin", "cannot run ./here/x: not a directory"),
            ("plain", "bin", "cannot run plain: ROOT/bin/plain: it is not executable"),
        ];
        for (name, path, expect) in cases {
            let found = text(resolve(name, root, OsStr::new(path)));
            assert_eq!(found.replace(root.to_str().unwrap(), "ROOT"), expect, "{name} in {path}");
            let code = resolve(name, root, OsStr::new(path)).err().and_then(|error| error.shell_code());
            let missing = ["not found", "no such file", "not a directory"].iter().any(|text| expect.contains(text));
            let expected = expect.starts_with("cannot run").then_some(if missing { MISSING } else { EXISTS });
            assert_eq!(code, expected, "{name} in {path}");
        }
    }

    #[test]
    fn the_services_own_path_wins() {
        let own = BTreeMap::from([("PATH".to_owned(), Some("/own".to_owned()))]);
        let removed = BTreeMap::from([("PATH".to_owned(), None)]);
        let none = BTreeMap::new();
        let inherited = Some(OsStr::new("/inherited"));
        assert_eq!(search_path(&own, inherited), "/own");
        assert_eq!(search_path(&removed, inherited), DEFAULT_PATH);
        assert_eq!(search_path(&none, inherited), "/inherited");
        assert_eq!(search_path(&none, None), DEFAULT_PATH);
    }
}
