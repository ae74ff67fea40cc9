//! Opens a connection, and says in a few words why it could not.

use std::io;

use tokio::net::{TcpStream, lookup_host};

use crate::address::Place;

/// Connects to the first address that answers. `Err` has a short lower-case reason.
pub(crate) async fn connect(place: &Place) -> Result<TcpStream, String> {
    let addresses = match place {
        Place::Addresses(addresses) => addresses.clone(),
        Place::Name(host, port) => {
            lookup_host((host.as_str(), *port)).await.map_err(|_| format!("no address for `{host}`"))?.collect()
        }
    };
    let mut first = None;
    for address in addresses {
        let tried = TcpStream::connect(address).await.and_then(refuse_itself);
        match tried {
            Ok(stream) => return Ok(stream),
            Err(error) => first = first.or(Some(error)),
        }
    }
    Err(first.map_or_else(|| "no address".to_owned(), |error| reason(&error)))
}

/// Where nobody listens on a port of the ephemeral range, the kernel may connect a socket to itself.
fn refuse_itself(stream: TcpStream) -> io::Result<TcpStream> {
    if stream.local_addr()? == stream.peer_addr()? {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    Ok(stream)
}

/// An error in a few lower-case words.
pub(crate) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::ConnectionReset => "connection reset".to_owned(),
        io::ErrorKind::ConnectionAborted => "connection aborted".to_owned(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => "connection closed".to_owned(),
        io::ErrorKind::TimedOut => "timeout".to_owned(),
        io::ErrorKind::HostUnreachable => "host unreachable".to_owned(),
        io::ErrorKind::NetworkUnreachable => "network unreachable".to_owned(),
        _ => {
            let text = error.to_string().to_lowercase();
            text.split(" (os error").next().unwrap_or_default().to_owned()
        }
    }
}
