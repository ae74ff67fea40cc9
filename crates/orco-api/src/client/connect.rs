//! One connection per call: a Unix socket costs microseconds, and no call waits behind another.

use std::{io, path::Path, time::Duration};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use hyper::{Response, body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

use super::ClientError;

/// The pauses before it double: about four seconds in all.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// Sends one request and returns the head of its answer; the body follows by itself.
pub(super) async fn send(socket: &Path, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, ClientError> {
    let stream = dial(socket).await.map_err(|source| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            ClientError::NotRunning { socket: socket.to_owned() }
        }
        _ => ClientError::Unreachable { socket: socket.to_owned(), source },
    })?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(ClientError::lost)?;
    // Ends with the answer, or when the answer is dropped. Its error reaches the reader of the body.
    tokio::spawn(async move {
        let _ = connection.await;
    });
    sender.send_request(request).await.map_err(ClientError::lost)
}

/// Connects. Where the server's queue is full, a Unix socket does not wait by itself.
async fn dial(socket: &Path) -> io::Result<UnixStream> {
    let mut pause = Duration::from_millis(1);
    loop {
        match UnixStream::connect(socket).await {
            Err(e) if e.kind() == io::ErrorKind::WouldBlock && pause < LONGEST_PAUSE => {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            other => return other,
        }
    }
}
