//! Where the journal's bytes are.

use std::{fmt, io, path::Path};

/// The place of the journal's bytes: a file that can be appended to, and replaced as a whole.
///
/// The journal is its only user. Any call may fail, and may then have had part of its effect; what exactly is said at
/// each. None is repeated by the medium on its own for anything but `EINTR`.
pub trait Medium: fmt::Debug + Send {
    /// The file, for messages.
    fn file(&self) -> &Path;

    /// All bytes; none if there is no file.
    ///
    /// # Errors
    /// When it cannot be read.
    fn read(&mut self) -> io::Result<Vec<u8>>;

    /// Writes at this offset, which is the file's end, and says how many bytes it took (as `pwrite(2)`).
    ///
    /// # Errors
    /// Then any part of the bytes may be in the file.
    fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize>;

    /// Cuts the file to this length.
    ///
    /// # Errors
    /// Then the file may have either length.
    fn truncate(&mut self, len: u64) -> io::Result<()>;

    /// Makes what was written durable (as `fdatasync(2)`).
    ///
    /// # Errors
    /// Then nothing written since the last good call is durable, and a later good call says nothing about it.
    fn sync(&mut self) -> io::Result<()>;

    /// Writes a new file beside the old one and makes its content durable. The old one stays as it is.
    ///
    /// # Errors
    /// Then there is nothing to publish.
    fn stage(&mut self, content: &[u8]) -> io::Result<()>;

    /// Puts the staged file in the old one's place, durably; later calls are about the new one.
    ///
    /// # Errors
    /// Then either of them may be in place, now and after a power cut.
    fn publish(&mut self) -> io::Result<()>;
}
