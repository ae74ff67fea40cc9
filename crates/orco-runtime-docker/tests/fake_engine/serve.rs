//! HTTP/1.1 by hand, so that it can be done wrong: one request per connection.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, UnixListener},
    task::JoinSet,
};

use super::script::{Answer, Piece, Script, frame};

pub enum Listener {
    Unix(UnixListener),
    Tcp(TcpListener),
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Serves until it is aborted; its connections end with it.
pub async fn serve(listener: Listener, script: Arc<Script>) {
    let mut connections = JoinSet::new();
    loop {
        let stream: Box<dyn Stream> = match &listener {
            Listener::Unix(listener) => Box::new(listener.accept().await.unwrap().0),
            Listener::Tcp(listener) => Box::new(listener.accept().await.unwrap().0),
        };
        let script = Arc::clone(&script);
        connections.spawn(async move {
            let _open = script.opened();
            // A client that leaves is none of our troubles.
            let _ = one(stream, &script).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn one(stream: Box<dyn Stream>, script: &Script) -> io::Result<()> {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let Some((head, rest)) = head(&mut reader).await? else { return Ok(()) };
    let mut words = head.lines().next().unwrap_or_default().split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    assert!(target.starts_with('/'), "not in origin form: {head}");
    assert!(head.to_ascii_lowercase().contains("\r\nhost: "), "no host: {head}");
    let (body, rest) = body(&head, rest, &mut reader).await?;
    let answer = script.answer(method, target, String::from_utf8_lossy(&body).into_owned());
    let saying = say(answer, &mut writer, &mut reader, rest);
    saying.await
}

type Reader = tokio::io::ReadHalf<Box<dyn Stream>>;
type Writer = tokio::io::WriteHalf<Box<dyn Stream>>;

/// The head, and what came after it.
async fn head(reader: &mut Reader) -> io::Result<Option<(String, Vec<u8>)>> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            return Ok(Some((String::from_utf8_lossy(&bytes).into_owned(), rest)));
        }
        if reader.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    }
}

/// The body, and what came after it. Clients of ours name its length.
async fn body(head: &str, mut rest: Vec<u8>, reader: &mut Reader) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
    });
    let length = length.unwrap_or(0);
    while rest.len() < length {
        if reader.read_buf(&mut rest).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let after = rest.split_off(length);
    Ok((rest, after))
}

async fn say(mut answer: Answer, writer: &mut Writer, reader: &mut Reader, early: Vec<u8>) -> io::Result<()> {
    while let Answer::After(pause, later) = answer {
        pause_or_leave(pause, reader).await?;
        answer = *later;
    }
    match answer {
        Answer::Json(value) => whole(writer, 200, value.to_string().as_bytes()).await,
        Answer::Body(status, bytes) => whole(writer, status, &bytes).await,
        Answer::Refuse(status, message) => {
            whole(writer, status, serde_json::json!({ "message": message }).to_string().as_bytes()).await
        }
        Answer::Hang => left(reader).await,
        Answer::Drop => Ok(()),
        Answer::Short(value) => {
            let text = value.to_string();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", text.len());
            writer.write_all(head.as_bytes()).await?;
            writer.write_all(&text.as_bytes()[..text.len() / 2]).await
        }
        Answer::Stream(pieces) => stream(writer, reader, pieces).await,
        Answer::Echo => echo(writer, reader, early).await,
        Answer::After(..) => unreachable!("unwrapped above"),
    }
}

async fn whole(writer: &mut Writer, status: u16, body: &[u8]) -> io::Result<()> {
    // Statuses without a body must not have one.
    let head = match status {
        204 | 304 => format!("HTTP/1.1 {status} X\r\nConnection: close\r\n\r\n"),
        _ => format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        ),
    };
    writer.write_all(head.as_bytes()).await?;
    if !matches!(status, 204 | 304) {
        writer.write_all(body).await?;
    }
    writer.flush().await
}

async fn stream(writer: &mut Writer, reader: &mut Reader, pieces: Vec<Piece>) -> io::Result<()> {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    writer.write_all(head.as_bytes()).await?;
    for piece in pieces {
        match piece {
            Piece::Bytes(bytes) => {
                writer.write_all(format!("{:x}\r\n", bytes.len()).as_bytes()).await?;
                writer.write_all(&bytes).await?;
                writer.write_all(b"\r\n").await?;
                writer.flush().await?;
            }
            Piece::Pause(pause) => pause_or_leave(pause, reader).await?,
            Piece::Cut => return Ok(()),
            Piece::Open => return left(reader).await,
        }
    }
    writer.write_all(b"0\r\n\r\n").await?;
    writer.flush().await
}

async fn echo(writer: &mut Writer, reader: &mut Reader, mut early: Vec<u8>) -> io::Result<()> {
    let head = "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\n\
                Upgrade: tcp\r\n\r\n";
    writer.write_all(head.as_bytes()).await?;
    loop {
        if !early.is_empty() {
            writer.write_all(&frame(1, &early)).await?;
            early.clear();
        }
        if reader.read_buf(&mut early).await? == 0 {
            return writer.shutdown().await;
        }
    }
}

/// Until the client has left.
async fn left(reader: &mut Reader) -> io::Result<()> {
    while reader.read_buf(&mut Vec::new()).await? > 0 {}
    Ok(())
}

async fn pause_or_leave(pause: Duration, reader: &mut Reader) -> io::Result<()> {
    // Both are cancel-safe; a byte that is read here belongs to nobody.
    tokio::select! {
        () = tokio::time::sleep(pause) => Ok(()),
        _ = left(reader) => Err(io::ErrorKind::BrokenPipe.into()),
    }
}
