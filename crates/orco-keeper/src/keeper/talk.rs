//! The keeper's end of the socket. It never blocks; many frames go through one call.

use std::{
    io::{ErrorKind, Read, Write},
    os::{
        fd::{AsRawFd, OwnedFd, RawFd},
        unix::net::UnixStream,
    },
};

use crate::wire::{Frames, Order, Report, frame};

/// One read takes at most this much.
const PIECE: usize = 128 << 10;

/// With so much unsent, no more orders are read: the engine has to listen first.
const FULL: usize = 8 << 20;

#[derive(Debug)]
pub(super) struct Talk {
    socket: UnixStream,
    incoming: Frames,
    outgoing: Vec<u8>,
    open: bool,
}

impl Talk {
    pub(super) fn new(socket: OwnedFd) -> std::io::Result<Self> {
        let socket = UnixStream::from(socket);
        socket.set_nonblocking(true)?;
        Ok(Self { socket, incoming: Frames::default(), outgoing: Vec::new(), open: true })
    }

    pub(super) fn raw(&self) -> RawFd {
        self.socket.as_raw_fd()
    }

    /// Whether the engine is still there.
    pub(super) const fn is_open(&self) -> bool {
        self.open
    }

    /// The engine is gone; nothing more is said.
    pub(super) fn close(&mut self) {
        self.open = false;
        self.outgoing = Vec::new();
    }

    /// What to wait for on the socket.
    pub(super) fn interest(&self) -> i16 {
        let write = if self.outgoing.is_empty() { 0 } else { libc::POLLOUT };
        let read = if self.outgoing.len() < FULL { libc::POLLIN } else { 0 };
        read | write
    }

    /// Reads once. A closed socket closes the talk.
    pub(super) fn read(&mut self) {
        let room = self.incoming.room();
        match (&self.socket).take(PIECE as u64).read_to_end(room) {
            // Only the end of the stream lets it come to less than it may take.
            Ok(count) if count < PIECE => self.close(),
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(_) => self.close(),
        }
    }

    /// The next order. Nonsense is answered like the engine's death: nothing good can come after it.
    pub(super) fn next(&mut self) -> Option<Order> {
        let order = self.incoming.next();
        order.unwrap_or_else(|_| {
            self.close();
            None
        })
    }

    /// Says it, some time soon.
    pub(super) fn tell(&mut self, report: &Report) {
        if self.open {
            frame(report, &mut self.outgoing);
        }
    }

    /// Sends what the socket takes.
    pub(super) fn flush(&mut self) {
        let mut sent = 0;
        while sent < self.outgoing.len() {
            match (&self.socket).write(&self.outgoing[sent..]) {
                Ok(count) => sent += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return self.close(),
            }
        }
        self.outgoing.drain(..sent);
        if self.outgoing.is_empty() && self.outgoing.capacity() > PIECE {
            self.outgoing = Vec::new();
        }
    }
}
