//! Where texts and variables come from.

use std::{fs::File, io, io::Read, path::Path};

/// The most that is read of any file.
pub(super) const LARGEST: u64 = 4 << 20;

/// What a stack file may look at: other files, and variables.
pub trait Sources {
    /// The content of a file. Of one that is larger than 4 MiB the beginning is enough, as long as it is longer than
    /// 4 MiB itself.
    ///
    /// # Errors
    /// When it cannot be read.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// The value of a variable of the environment, if it is set and text.
    fn var(&self, name: &str) -> Option<String>;
}

/// The file system and this process's environment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Sources for Disk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let mut bytes = Vec::new();
        file.take(LARGEST + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn var(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}
