//! Log records as they come over the wire, going on when the engine is replaced.

use bytes::{Bytes, BytesMut};

use super::{
    Bodies, Client, ClientError, LogPosition, Position,
    again::again,
    away::{Away, Back},
    stream::LONGEST,
};
use crate::wire::LogRecord;

/// NDJSON in pieces of whole lines, each record once. For passing on: records are counted, not parsed.
#[derive(Debug)]
pub struct LogBytes {
    client: Client,
    position: LogPosition,
    at: At,
    /// New lines that come next.
    ready: Bytes,
    /// What is being read is the last.
    last: bool,
}

#[derive(Debug)]
enum At {
    /// With the beginning of a line.
    Reading(Bodies, BytesMut),
    Away(Away),
    Over,
}

impl LogBytes {
    pub(super) async fn open(client: &Client, position: LogPosition) -> Result<Self, ClientError> {
        let (path, last) = (position.path(false)?, position.is_over());
        let bodies = Bodies::new(again(|| client.stream(&path)).await?);
        Ok(Self {
            client: client.clone(),
            position,
            at: At::Reading(bodies, BytesMut::new()),
            ready: Bytes::new(),
            last,
        })
    }

    /// The next lines; `None` at the end. Cancel-safe.
    ///
    /// # Errors
    /// [`ClientError::Lost`] where the engine was lost and none came back, and others that no waiting would mend.
    pub async fn next(&mut self) -> Option<Result<Bytes, ClientError>> {
        loop {
            if !self.ready.is_empty() {
                return Some(Ok(std::mem::take(&mut self.ready)));
            }
            match &mut self.at {
                At::Over => return None,
                At::Reading(bodies, begun) => match bodies.next().await {
                    Some(Ok(bytes)) => {
                        let [line, lines] = whole_lines(begun, bytes);
                        if begun.len() > LONGEST {
                            return self.over(ClientError::Unexpected("a line without end".to_owned()));
                        }
                        let line = only_new(line, &mut self.position);
                        let lines = only_new(lines, &mut self.position);
                        match line.and_then(|line| Ok((line, lines?))) {
                            Ok((line, lines)) if line.is_empty() => self.ready = lines,
                            Ok((line, lines)) => {
                                self.ready = lines;
                                return Some(Ok(line));
                            }
                            Err(error) => return self.over(error),
                        }
                    }
                    Some(Err(error @ ClientError::Lost(_))) => self.at = At::Away(Away::new(Some(error))),
                    Some(Err(error)) => return self.over(error),
                    None if self.last => self.at = At::Over,
                    None => self.at = At::Away(Away::new(None)),
                },
                At::Away(away) => {
                    let path = match self.position.path(true) {
                        Ok(path) => path,
                        Err(error) => return self.over(error),
                    };
                    self.last = self.position.is_over();
                    match away.reconnect(&self.client, &path).await {
                        Ok(Back::Here(body)) => self.at = At::Reading(Bodies::new(body), BytesMut::new()),
                        Ok(Back::NotYet) => {}
                        Ok(Back::Over) => self.at = At::Over,
                        Err(error) => return self.over(error),
                    }
                }
            }
        }
    }

    fn over<T>(&mut self, error: ClientError) -> Option<Result<T, ClientError>> {
        self.at = At::Over;
        Some(Err(error))
    }
}

/// Takes the lines that are whole now: the one that had begun, and those behind it, which are not copied. The beginning
/// of the next one stays in `begun`.
fn whole_lines(begun: &mut BytesMut, mut bytes: Bytes) -> [Bytes; 2] {
    let mut first = Bytes::new();
    if !begun.is_empty() {
        let end = memchr::memchr(b'\n', &bytes).map_or(bytes.len(), |end| end + 1);
        begun.extend_from_slice(&bytes.split_to(end));
        if !begun.ends_with(b"\n") {
            return [first, bytes];
        }
        first = begun.split().freeze();
    }
    let end = memchr::memrchr(b'\n', &bytes).map_or(0, |last| last + 1);
    begun.extend_from_slice(&bytes.split_off(end));
    [first, bytes]
}

/// Leaves out what was there before; untouched where all is new.
fn only_new(lines: Bytes, position: &mut LogPosition) -> Result<Bytes, ClientError> {
    let mut kept: Option<BytesMut> = None;
    let mut from = 0;
    for end in memchr::memchr_iter(b'\n', &lines) {
        let line = &lines[from..=end];
        let is_new = match position.take_raw(line) {
            Some(is_new) => is_new,
            None => {
                let parsed = serde_json::from_slice::<LogRecord>(line);
                position.take(&parsed.map_err(|e| ClientError::Unexpected(e.to_string()))?)
            }
        };
        match (&mut kept, is_new) {
            (Some(kept), true) => kept.extend_from_slice(line),
            (None, false) => kept = Some(BytesMut::from(&lines[..from])),
            (Some(_), false) | (None, true) => {}
        }
        from = end + 1;
    }
    Ok(kept.map_or(lines, BytesMut::freeze))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::wire::LogsQuery;

    fn line(seq: u64) -> String {
        format!(
            "{{\"ts\":\"2026-01-02T03:04:05.678901Z\",\"service\":\"a\",\"replica\":0,\"level\":\"info\",\"msg\":\"x\",\"source\":\"stdout\",\"seq\":{seq},\"run\":1,\"fields\":null}}\n"
        )
    }

    #[test]
    fn lines_are_whole_however_they_come() {
        let text: String = (0..9).map(line).collect();
        for size in [1, 7, 150, 10_000] {
            let (mut begun, mut got) = (BytesMut::new(), Vec::new());
            for piece in text.as_bytes().chunks(size) {
                let whole = whole_lines(&mut begun, Bytes::copy_from_slice(piece));
                for lines in whole {
                    assert!(lines.is_empty() || lines.ends_with(b"\n"));
                    got.extend_from_slice(&lines);
                }
            }
            assert_eq!((got.as_slice(), begun.len()), (text.as_bytes(), 0), "{size}");
        }
    }

    #[test]
    fn what_was_there_is_left_out() {
        let mut position = LogPosition::new(LogsQuery::default());
        let first = Bytes::from([line(0), line(1)].concat());
        assert_eq!(only_new(first.clone(), &mut position).unwrap(), first);
        let again = Bytes::from([line(1), line(2), line(0), line(3)].concat());
        assert_eq!(only_new(again, &mut position).unwrap(), [line(2), line(3)].concat());
        // Another way to write it is read all the same.
        let other = Bytes::from(line(4).replace("\"ts\"", " \"ts\""));
        assert_eq!(only_new(other.clone(), &mut position).unwrap(), other);
        assert!(only_new(other, &mut position).unwrap().is_empty());
        assert!(only_new(Bytes::from_static(b"nonsense\n"), &mut position).is_err());
    }
}
