//! The keeper's end of the socket. It never blocks; many frames go through one call.

use std::{
    io::{ErrorKind, Read, Write},
    os::{
        fd::{AsRawFd, OwnedFd, RawFd},
        unix::net::UnixStream,
    },
};

use crate::wire::{Frames, Hello, Order, Report, VERSION, frame};

/// One read takes at most this much.
const PIECE: usize = 128 << 10;

/// With so much unsent, no more orders are read: the engine has to listen first.
const FULL: usize = 8 << 20;

#[derive(Debug)]
pub(super) struct Talk {
    /// `None`: there is nobody.
    socket: Option<UnixStream>,
    incoming: Frames,
    outgoing: Vec<u8>,
    open: bool,
    nonsense: bool,
    /// The engine has said who it is.
    greeted: bool,
}

/// The first words of an engine.
#[derive(Debug)]
pub(super) enum Greeting {
    Hello(Hello),
    /// Of another version.
    Stranger(u8),
}

impl Talk {
    pub(super) fn new(socket: OwnedFd) -> std::io::Result<Self> {
        let socket = UnixStream::from(socket);
        socket.set_nonblocking(true)?;
        Ok(Self { socket: Some(socket), open: true, ..Self::silent() })
    }

    /// With nobody.
    pub(super) fn silent() -> Self {
        Self {
            socket: None,
            incoming: Frames::default(),
            outgoing: Vec::new(),
            open: false,
            nonsense: false,
            greeted: false,
        }
    }

    /// To be waited for, while it is open.
    pub(super) fn raw(&self) -> RawFd {
        self.socket.as_ref().filter(|_| self.open).map_or(-1, AsRawFd::as_raw_fd)
    }

    /// Whether it was closed for what the engine said.
    pub(super) const fn is_nonsense(&self) -> bool {
        self.nonsense
    }

    /// Sends what the socket takes, and says no more.
    pub(super) fn hang_up(&mut self) {
        self.flush();
        self.close();
        self.incoming = Frames::default();
        if let Some(socket) = self.socket.take() {
            let _ = socket.shutdown(std::net::Shutdown::Both);
        }
    }

    /// The engine's first words, once they are there.
    pub(super) fn greeting(&mut self) -> Option<Greeting> {
        let greeting = match self.incoming.version() {
            Ok(None) => None,
            Ok(Some(VERSION)) => match self.next()? {
                Order::Hello { hello } => Some(Greeting::Hello(hello)),
                _ => None,
            },
            Ok(Some(version)) => Some(Greeting::Stranger(version)),
            Err(_) => self.give_up(),
        };
        self.greeted |= greeting.is_some();
        greeting
    }

    /// Nonsense: nothing good can come after it.
    fn give_up<T>(&mut self) -> Option<T> {
        self.nonsense = true;
        self.incoming = Frames::default();
        self.close();
        None
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

    /// Reads once. A closed socket closes the talk. Whether there may be more.
    pub(super) fn read(&mut self) -> bool {
        let Some(socket) = self.socket.as_ref().filter(|_| self.open) else { return false };
        let room = self.incoming.room();
        match socket.take(PIECE as u64).read_to_end(room) {
            // Only the end of the stream lets it come to less than it may take.
            Ok(count) if count < PIECE => self.close(),
            Ok(_) => return true,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(_) => self.close(),
        }
        false
    }

    /// The next order. Nonsense is answered like the engine's death.
    pub(super) fn next(&mut self) -> Option<Order> {
        match self.incoming.next() {
            Ok(order) => order,
            Err(_) => self.give_up(),
        }
    }

    /// Says it, some time soon. Who has not greeted yet hears nothing, for the first it expects is our own greeting; it
    /// learns then what there is.
    pub(super) fn tell(&mut self, report: &Report) {
        if self.open && self.greeted {
            frame(report, &mut self.outgoing);
        }
    }

    /// Sends what the socket takes.
    pub(super) fn flush(&mut self) {
        let Some(mut socket) = self.socket.as_ref() else { return };
        let mut sent = 0;
        while sent < self.outgoing.len() {
            match socket.write(&self.outgoing[sent..]) {
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
