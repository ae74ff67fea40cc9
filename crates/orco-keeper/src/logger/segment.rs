//! One open segment: the bytes and their index. Everything is written at explicit offsets, so that an interrupted
//! write is simply done again.

use std::{
    ffi::OsStr,
    fs::{File, OpenOptions},
    io::{self, ErrorKind, Read},
    os::{
        fd::AsFd,
        unix::{
            ffi::OsStrExt,
            fs::{FileExt, OpenOptionsExt},
        },
    },
    path::PathBuf,
};

use nix::fcntl::{SpliceFFlags, splice};

use orco_core::log::format::{self, Entry};

/// The file of a segment with this ending.
pub(super) fn path(dir: &[u8], stem: &[u8], number: u32, end: &str) -> PathBuf {
    let mut name = OsStr::from_bytes(stem).to_owned();
    name.push(format!(".{number}.{end}"));
    PathBuf::from(OsStr::from_bytes(dir)).join(name)
}

#[derive(Debug)]
pub(super) struct Segment {
    data: File,
    index: File,
    length: u64,
    index_length: u64,
    /// Whether this file system takes pages straight from a pipe.
    splices: bool,
}

impl Segment {
    /// Makes segment `number`, beginning at byte `begin` of the instance's output.
    pub(super) fn create(dir: &[u8], stem: &[u8], number: u32, begin: u64) -> io::Result<Self> {
        let path = |end: &str| path(dir, stem, number, end);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let index = options.open(path("idx"))?;
        index.write_all_at(&format::encode_header(begin), 0)?;
        let data = options.open(path("log"))?;
        Ok(Self { data, index, length: 0, index_length: format::HEADER_LEN as u64, splices: true })
    }

    /// Goes on with a segment that another keeper has begun, behind its last byte and its last whole entry.
    pub(super) fn reopen(dir: &[u8], stem: &[u8], number: u32) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        let (data, index) =
            (options.open(path(dir, stem, number, "log"))?, options.open(path(dir, stem, number, "idx"))?);
        let (length, torn) = (data.metadata()?.len(), index.metadata()?.len());
        let (header, entry) = (format::HEADER_LEN as u64, format::ENTRY_LEN as u64);
        let entries = torn.checked_sub(header).ok_or(ErrorKind::InvalidData)? / entry;
        let index_length = header + entries * entry;
        if index_length < torn {
            index.set_len(index_length)?;
        }
        Ok(Self { data, index, length, index_length, splices: true })
    }

    pub(super) const fn length(&self) -> u64 {
        self.length
    }

    pub(super) fn note(&mut self, entry: Entry) -> io::Result<()> {
        self.index.write_all_at(&entry.encode(), self.index_length)?;
        self.index_length += format::ENTRY_LEN as u64;
        Ok(())
    }

    /// Moves up to `most` bytes out of the pipe. 0: the pipe has ended. `WouldBlock`: it is empty. Any other error:
    /// the disk does not take them, and they are still in the pipe (or, where copied, lost; see [`Moved`]).
    pub(super) fn take(&mut self, mut pipe: &File, most: usize) -> Result<usize, Moved> {
        if self.splices {
            let mut offset = self.length.cast_signed();
            let flags = SpliceFFlags::SPLICE_F_NONBLOCK | SpliceFFlags::SPLICE_F_MOVE;
            match splice(pipe.as_fd(), None, self.data.as_fd(), Some(&mut offset), most, flags) {
                Ok(count) => {
                    self.length += count as u64;
                    return Ok(count);
                }
                Err(nix::Error::EINVAL | nix::Error::ENOSYS) => self.splices = false,
                Err(error) => return Err(Moved { error: error.into(), lost: 0 }),
            }
        }
        let mut piece = [0; 16 << 10];
        let room = most.min(piece.len());
        let count = pipe.read(&mut piece[..room]).map_err(|error| Moved { error, lost: 0 })?;
        let written = self.data.write_all_at(&piece[..count], self.length);
        written.map_err(|error| Moved { error, lost: count as u64 })?;
        self.length += count as u64;
        Ok(count)
    }
}

/// Why bytes did not get into a segment, and how many have left the pipe all the same.
#[derive(Debug)]
pub(super) struct Moved {
    pub(super) error: io::Error,
    pub(super) lost: u64,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Write;

    use super::*;

    #[test]
    fn copied_or_spliced_the_bytes_are_the_same() {
        let dir = tempfile::tempdir().unwrap();
        for splices in [true, false] {
            let (read, write) = crate::sys::pipe().unwrap();
            let (read, mut write) = (File::from(read), File::from(write));
            let stem = format!("{splices}");
            let root = dir.path().as_os_str().as_bytes();
            let mut segment = Segment::create(root, stem.as_bytes(), 0, 0).unwrap();
            segment.splices = splices;
            write.write_all(b"one two").unwrap();
            assert_eq!(segment.take(&read, 4).unwrap(), 4);
            assert_eq!(segment.take(&read, 100).unwrap(), 3);
            assert_eq!(segment.take(&read, 100).unwrap_err().error.kind(), io::ErrorKind::WouldBlock);
            drop(write);
            assert_eq!(segment.take(&read, 100).unwrap(), 0);
            assert_eq!((segment.length(), segment.splices), (7, splices));
            assert_eq!(std::fs::read(dir.path().join(format!("{stem}.0.log"))).unwrap(), b"one two");
        }
    }
}
