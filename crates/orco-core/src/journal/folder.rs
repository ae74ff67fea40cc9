//! The journal in a folder of the file system.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use super::medium::Medium;

/// The file's name in the stack's state directory.
const FILE: &str = "journal";
/// What is going to replace it; a leftover means nothing.
const STAGED: &str = "journal.new";

/// A stack's state directory: the journal is the file `journal` in it, mode 0600.
///
/// Only one process may write it: who holds the state lock.
#[derive(Debug)]
pub struct Folder {
    folder: PathBuf,
    path: PathBuf,
    file: Option<File>,
    staged: Option<File>,
}

impl Folder {
    /// This directory, which must exist when the journal is written.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        Self { path: folder.join(FILE), folder, file: None, staged: None }
    }

    fn open(&mut self) -> io::Result<&File> {
        let file = match self.file.take() {
            Some(file) => file,
            None => {
                let file = OpenOptions::new().read(true).write(true).open(&self.path)?;
                // Anything else could block, or has no end.
                if !file.metadata()?.is_file() {
                    return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
                }
                file
            }
        };
        Ok(self.file.insert(file))
    }
}

impl Medium for Folder {
    fn file(&self) -> &Path {
        &self.path
    }

    fn read(&mut self) -> io::Result<Vec<u8>> {
        self.file = None;
        let mut file = match self.open() {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        self.open()?.write_at(bytes, offset)
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.open()?.set_len(len)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.open()?.sync_data()
    }

    fn stage(&mut self, content: &[u8]) -> io::Result<()> {
        self.staged = None;
        let path = self.folder.join(STAGED);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let mut file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        let written = file.write_all(content).and_then(|()| file.sync_all());
        if let Err(error) = written {
            // On a full disk its bytes are missed elsewhere. If this fails too, the next stage tries again.
            let _ = fs::remove_file(&path);
            return Err(error);
        }
        self.staged = Some(file);
        Ok(())
    }

    fn publish(&mut self) -> io::Result<()> {
        let Some(file) = self.staged.take() else {
            return Err(io::Error::new(io::ErrorKind::NotFound, "nothing is staged"));
        };
        fs::rename(self.folder.join(STAGED), &self.path)?;
        // From here on the old file has no name, whatever becomes of the directory.
        self.file = Some(file);
        File::open(&self.folder)?.sync_all()
    }
}
