//! The output of a command: the last part of it.

use std::{
    fs::File,
    io::{ErrorKind, Read},
    os::fd::{AsRawFd, OwnedFd, RawFd},
};

/// So much of the end is kept.
pub(super) const KEPT: usize = 64 << 10;

/// The read end of a command's pipe and what has come through it.
#[derive(Debug)]
pub(super) struct Capture {
    pipe: Option<File>,
    tail: Vec<u8>,
    /// What came before the tail, in bytes.
    omitted: u64,
}

impl Capture {
    pub(super) fn new(pipe: OwnedFd) -> Self {
        Self { pipe: Some(pipe.into()), tail: Vec::new(), omitted: 0 }
    }

    /// The descriptor to wait for, until the output has ended.
    pub(super) fn raw(&self) -> Option<RawFd> {
        self.pipe.as_ref().map(AsRawFd::as_raw_fd)
    }

    /// Takes what waits in the pipe, at most a few reads' worth: a chatty command must not delay others.
    pub(super) fn read(&mut self) {
        let mut piece = [0; 16 << 10];
        for _ in 0..8 {
            let Some(pipe) = &mut self.pipe else { return };
            match pipe.read(&mut piece) {
                Ok(0) => self.pipe = None,
                Ok(count) => self.append(&piece[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => self.pipe = None,
            }
        }
    }

    fn append(&mut self, piece: &[u8]) {
        self.tail.extend_from_slice(piece);
        if self.tail.len() > 2 * KEPT {
            self.cut();
        }
    }

    fn cut(&mut self) {
        let surplus = self.tail.len().saturating_sub(KEPT);
        self.tail.drain(..surplus);
        self.omitted += surplus as u64;
    }

    /// The end of the output, once nobody writes any more, and how many bytes came before it.
    pub(super) fn finish(mut self) -> (Box<[u8]>, u64) {
        // A pipe holds at most 1 MiB: this ends.
        for _ in 0..16 {
            self.read();
        }
        self.cut();
        (self.tail.into(), self.omitted)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Write;

    use super::*;

    #[test]
    fn the_end_is_kept_and_the_start_is_not() {
        let (read, write) = crate::sys::pipe().unwrap();
        let mut write = File::from(write);
        let mut capture = Capture::new(read);
        for round in 0..10u8 {
            write.write_all(&vec![round; 32 << 10]).unwrap();
            capture.read();
        }
        write.write_all(b"the end").unwrap();
        drop(write);
        let (output, omitted) = capture.finish();
        assert_eq!((output.len(), omitted), (KEPT, 10 * (32 << 10) + 7 - KEPT as u64));
        assert!(output.ends_with(b"the end"));
        assert_eq!(output[0], 8);
    }
}
