//! One question to a container engine: HTTP/1.0 without keep-alive, so that the answer ends with the stream and comes
//! in one piece.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::net::UnixStream,
    },
    path::Path,
    time::{Duration, Instant},
};

use nix::sys::{
    socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, setsockopt, socket, sockopt::SendTimeout},
    time::{TimeVal, TimeValLike},
};

use super::order::EngineHost;

/// A longer answer is nonsense.
const LONGEST: usize = 32 << 20;

const PIECE: usize = 64 << 10;

/// What the engine said.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

/// Asks, and waits for the whole answer, for this long.
pub(super) fn ask(host: &EngineHost, method: &str, target: &str, patience: Duration) -> io::Result<Answer> {
    let until = Instant::now() + patience;
    let mut line = Line::open(host, patience)?;
    line.set_timeout(until)?;
    // Old engines want a Host, although this version of the protocol has none.
    let request = format!("{method} {target} HTTP/1.0\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    line.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    loop {
        line.set_timeout(until)?;
        let before = bytes.len();
        bytes.resize(before + PIECE, 0);
        let count = match line.read(&mut bytes[before..]) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {
                bytes.truncate(before);
                continue;
            }
            count => count?,
        };
        bytes.truncate(before + count);
        if let Some(answer) = answer(&bytes, count == 0)? {
            return Ok(answer);
        }
    }
}

enum Line {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Line {
    fn open(host: &EngineHost, patience: Duration) -> io::Result<Self> {
        match host {
            EngineHost::Unix(path) => unix(path, patience).map(Self::Unix),
            EngineHost::Tcp(address) => {
                let mut last = io::Error::from(ErrorKind::AddrNotAvailable);
                for address in address.to_socket_addrs()? {
                    match TcpStream::connect_timeout(&address, patience) {
                        Ok(stream) => return Ok(Self::Tcp(stream)),
                        Err(error) => last = error,
                    }
                }
                Err(last)
            }
        }
    }

    /// Of the next call, so that the whole takes no longer.
    fn set_timeout(&self, until: Instant) -> io::Result<()> {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        match self {
            Self::Unix(stream) => stream.set_read_timeout(Some(left)).and(stream.set_write_timeout(Some(left))),
            Self::Tcp(stream) => stream.set_read_timeout(Some(left)).and(stream.set_write_timeout(Some(left))),
        }
    }
}

/// connect(2) waits for ever where the engine does not accept and its queue is full, unless a timeout is set before.
fn unix(path: &Path, patience: Duration) -> io::Result<UnixStream> {
    let stream: OwnedFd = socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    let millis = i64::try_from(patience.as_millis()).unwrap_or(i64::MAX / 1000).max(1);
    setsockopt(&stream, SendTimeout, &TimeVal::milliseconds(millis))?;
    connect(stream.as_raw_fd(), &UnixAddr::new(path)?)?;
    Ok(stream.into())
}

impl Read for Line {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.read(buffer),
            Self::Tcp(stream) => stream.read(buffer),
        }
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.write(bytes),
            Self::Tcp(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The answer, once all of it is there. One that is cut off is none.
fn answer(bytes: &[u8], ended: bool) -> io::Result<Option<Answer>> {
    let nonsense = || io::Error::from(ErrorKind::InvalidData);
    if bytes.len() > LONGEST {
        return Err(nonsense());
    }
    let cut = || if ended { Err(io::Error::from(ErrorKind::UnexpectedEof)) } else { Ok(None) };
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return cut() };
    let head = std::str::from_utf8(&bytes[..end]).map_err(|_| nonsense())?;
    let mut lines = head.split("\r\n");
    let first = lines.next().filter(|line| line.starts_with("HTTP/1.")).ok_or_else(nonsense)?;
    let status: u16 = first.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(nonsense)?;
    let mut length = None;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            length = Some(value.trim().parse::<usize>().map_err(|_| nonsense())?);
        }
        // Nobody may answer so to this version of the protocol.
        if name.eq_ignore_ascii_case("transfer-encoding") && !value.trim().eq_ignore_ascii_case("identity") {
            return Err(nonsense());
        }
    }
    let body = &bytes[end + 4..];
    let body = match length {
        _ if matches!(status, 204 | 304) => &[],
        Some(length) if body.len() >= length => &body[..length],
        Some(_) => return cut(),
        None if ended => body,
        None => return Ok(None),
    };
    Ok(Some(Answer { status, body: body.to_vec() }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_answer_is_whole_or_none() {
        let text = b"HTTP/1.0 200 OK\r\nContent-length: 5\r\nX: y\r\n\r\nhello";
        for at in 0..text.len() {
            assert_eq!(answer(&text[..at], false).unwrap(), None);
            assert!(answer(&text[..at], true).is_err(), "{at}");
        }
        let whole = Some(Answer { status: 200, body: b"hello".to_vec() });
        assert_eq!(answer(text, false).unwrap(), whole);
        assert_eq!(answer(&[text, &b" and more"[..]].concat(), false).unwrap(), whole);
    }

    #[test]
    fn without_a_length_it_ends_with_the_stream() {
        let text = b"HTTP/1.1 404 Not Found\r\n\r\nnobody";
        assert_eq!(answer(text, false).unwrap(), None);
        assert_eq!(answer(text, true).unwrap(), Some(Answer { status: 404, body: b"nobody".to_vec() }));
        let nothing = b"HTTP/1.1 204 No Content\r\n\r\n";
        assert_eq!(answer(nothing, false).unwrap(), Some(Answer { status: 204, body: Vec::new() }));
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        let pieces = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
        let cases = ["SSH-2.0\r\n\r\n", "HTTP/1.0 x\r\n\r\n", "HTTP/1.0 200\r\nContent-Length: -1\r\n\r\n", pieces];
        for text in cases {
            assert!(answer(text.as_bytes(), true).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_comes_is_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), ended in any::<bool>()) {
            let _ = answer(&bytes, ended);
            let _ = answer(&[b"HTTP/1.0 200 OK\r\n", &bytes[..]].concat(), ended);
        }
    }
}
