//! Requests that no well-behaved client would send.

use orco_api::place::Place;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }
}

pub async fn request(place: &Place, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut stream = UnixStream::connect(place.socket()).await.unwrap();
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    // HTTP/1.0: the end of the connection is the end of the body, so that nothing needs decoding.
    let request = format!("{method} {path} HTTP/1.0\r\nHost: x\r\nContent-Length: {length}\r\n{headers}\r\n{body}");
    // The server may answer, and hang up, before it has read a body that is too large.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all).await;
    let at = all.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or_else(|| panic!("no head for {path}"));
    let head = String::from_utf8(all[..at].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head, body: all[at + 4..].to_vec() }
}
