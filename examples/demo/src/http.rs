//! HTTP/1.1, one request per connection: enough for a demo, a browser and a probe.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream, ToSocketAddrs},
    sync::Arc,
    thread,
    time::Duration,
};

use crate::Result;

/// Longest request or answer that is read.
const MOST: u64 = 64 * 1024;
/// No peer may keep us waiting longer than this.
const PATIENCE: Duration = Duration::from_secs(2);

/// What was asked.
#[derive(Debug)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The path without its query.
    pub path: String,
}

/// What is answered.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The body's type.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

impl Response {
    /// Plain text.
    pub fn text(status: u16, body: impl Into<String>) -> Self {
        Self { status, content_type: "text/plain; charset=utf-8", body: body.into() }
    }
}

/// Answers requests on `listen` (`host:port`) with `answer` for ever, each connection in a thread.
///
/// # Errors
/// When the address cannot be bound.
pub fn serve(listen: &str, answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Result<()> {
    let listener = TcpListener::bind(listen).map_err(|e| format!("cannot listen on {listen}: {e}"))?;
    let answer = Arc::new(answer);
    for stream in listener.incoming() {
        let Ok(stream) = stream else { continue };
        let answer = Arc::clone(&answer);
        // A client that breaks off is its own business; where there is no thread to be had, it is turned away.
        let _ = thread::Builder::new().spawn(move || drop(converse(stream, answer.as_ref())));
    }
    Ok(())
}

fn converse(stream: TcpStream, answer: &dyn Fn(&Request) -> Response) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new((&stream).take(MOST));
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut header = String::new();
    while reader.read_line(&mut header)? > 2 {
        header.clear();
    }
    let mut words = first.split_whitespace();
    let response = match (words.next(), words.next()) {
        (Some(method), Some(target)) => {
            let path = target.split('?').next().unwrap_or(target);
            answer(&Request { method: method.to_owned(), path: path.to_owned() })
        }
        _ => Response::text(400, "bad request\n"),
    };
    let Response { status, content_type, body } = response;
    write!(
        &stream,
        "HTTP/1.1 {status} {}\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        if status < 400 { "OK" } else { "Failed" },
        body.len(),
    )
}

/// The body of `http://ADDRESS/path`, if its status is 200.
///
/// # Errors
/// When nobody answers in time, or with another status.
pub fn get(address: &str, path: &str) -> Result<String> {
    let resolved = address.to_socket_addrs()?.next().ok_or("no such address")?;
    let mut stream = TcpStream::connect_timeout(&resolved, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.take(MOST).read_to_string(&mut text)?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or("not an HTTP answer")?;
    match head.split_whitespace().nth(1) {
        Some("200") => Ok(body.to_owned()),
        status => Err(format!("status {}", status.unwrap_or("missing")).into()),
    }
}
