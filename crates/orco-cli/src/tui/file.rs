//! A file of log lines that the user asked for.

use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::news::Saved;

/// To open one of the others may wait for ever, or end who knows where.
const OTHER: &str = "it is there, and no regular file";

/// Writes a file as a new one, or in the place of another only if that is said. Blocking. A file that could not be
/// written whole does not stay.
pub fn write(path: String, text: &str, replace: bool) -> Saved {
    let at = place(&path);
    let opened = match replace {
        true if !is_regular(&at) => Err(io::Error::other(OTHER)),
        true => fs::File::create(&at),
        false => fs::File::create_new(&at),
    };
    let written = match opened {
        Ok(mut file) => file.write_all(text.as_bytes()).inspect_err(|_| {
            // Why it could not be written is what there is to tell.
            let _ = fs::remove_file(&at);
        }),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && is_regular(&at) => return Saved::Exists(path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(io::Error::other(OTHER)),
        Err(error) => Err(error),
    };
    match written {
        Ok(()) => Saved::Done { path, bytes: text.len() },
        Err(error) => Saved::Failed { path, why: error.to_string() },
    }
}

/// Also where there is nothing, and where a link leads to one.
fn is_regular(at: &Path) -> bool {
    fs::metadata(at).map_or_else(|error| error.kind() == io::ErrorKind::NotFound, |found| found.is_file())
}

/// `~/` is what people type.
fn place(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), env::var_os("HOME")) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn never_over_another_unless_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.log").to_string_lossy().into_owned();
        assert_eq!(write(path.clone(), "one", false), Saved::Done { path: path.clone(), bytes: 3 });
        assert_eq!(write(path.clone(), "two", false), Saved::Exists(path.clone()));
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        assert_eq!(write(path.clone(), "three", true), Saved::Done { path: path.clone(), bytes: 5 });
        assert_eq!(fs::read_to_string(&path).unwrap(), "three");
        let pipe = dir.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        for other in [dir.path(), &pipe] {
            for replace in [false, true] {
                let saved = write(other.to_string_lossy().into_owned(), "x", replace);
                assert!(matches!(&saved, Saved::Failed { why, .. } if why == OTHER), "{saved:?}");
            }
        }
        let lost = dir.path().join("none/x.log").to_string_lossy().into_owned();
        assert!(matches!(write(lost, "x", false), Saved::Failed { .. }));
    }
}
