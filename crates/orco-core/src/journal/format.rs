//! The bytes of the journal. All numbers are little-endian.
//!
//! ```text
//! header  "ORCOJNL" version u8 | generation u64 | settled u64 | checksum u32
//! frame   marker u32 | length u32 | sequence u64 | synced u64 | previous u32 | checksum u32 | payload
//! payload for each change: kind u8 | key length u32 | (value length u32) | key | (value)
//! ```
//!
//! `generation` counts the times the file was replaced. `settled` is the length it had when it was put in place:
//! header and snapshot, durable before the file had its name. A frame's checksum covers all of it but itself;
//! `previous` is the checksum of the frame before (of the header, for the first), so a frame that is stale, missing or in
//! another's place breaks the chain, while each can still be checked by itself. `synced` is the sequence of the last
//! frame that was known to be durable when this one was written.

use super::checksum;

/// What every version begins with.
pub(super) const MAGIC: [u8; 7] = *b"ORCOJNL";
/// The version, an ASCII digit.
pub(super) const VERSION: u8 = b'1';
/// Length of the header.
pub(super) const HEADER_LEN: usize = 28;
/// Length of a frame without its payload.
pub(super) const FRAME_LEN: usize = 32;
/// What frames begin with. Its first and last byte occur in no UTF-8, so no text holds one.
pub(super) const MARKER: [u8; 4] = [0xf5, b'O', b'R', 0xff];
/// Where a frame's checksum is.
const CHECKSUM: usize = 28;
/// A sequence beyond this is nonsense.
const LAST_SEQUENCE: u64 = 1 << 62;

const DELETE: u8 = 0;
const SET: u8 = 1;

/// One change of a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// What is changed.
    pub key: Box<str>,
    /// Its new value; `None` takes it out.
    pub value: Option<Box<[u8]>>,
}

impl Change {
    /// The key has this value from now on.
    pub fn set(key: impl Into<Box<str>>, value: impl Into<Box<[u8]>>) -> Self {
        Self { key: key.into(), value: Some(value.into()) }
    }

    /// The key is gone.
    pub fn delete(key: impl Into<Box<str>>) -> Self {
        Self { key: key.into(), value: None }
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Header {
    pub(super) generation: u64,
    pub(super) settled: u64,
}

/// Why a file's beginning is no header of ours.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum NoHeader {
    Damaged,
    Version(u8),
}

impl Header {
    pub(super) fn encode(self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[..7].copy_from_slice(&MAGIC);
        bytes[7] = VERSION;
        bytes[8..16].copy_from_slice(&self.generation.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.settled.to_le_bytes());
        let sum = checksum::extend(0, &bytes[..24]);
        bytes[24..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// The header and its checksum.
    pub(super) fn decode(bytes: &[u8]) -> Result<(Self, u32), NoHeader> {
        let (Some(generation), Some(settled), Some(sum)) = (u64_at(bytes, 8), u64_at(bytes, 16), u32_at(bytes, 24))
        else {
            return Err(NoHeader::Damaged);
        };
        let header = Self { generation, settled };
        let ours = header.encode();
        if bytes.starts_with(&ours) {
            return Ok((header, sum));
        }
        // Ours but for a damaged version is not another version.
        let is_ours = bytes.get(8..HEADER_LEN) == ours.get(8..);
        match bytes.strip_prefix(&MAGIC) {
            Some([theirs, ..]) if *theirs != VERSION && !is_ours => Err(NoHeader::Version(*theirs)),
            _ => Err(NoHeader::Damaged),
        }
    }
}

/// A frame whose checksum is right.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    pub(super) sequence: u64,
    pub(super) synced: u64,
    pub(super) previous: u32,
    pub(super) checksum: u32,
    pub(super) payload: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The frame these bytes begin with.
    pub(super) fn decode(bytes: &'a [u8]) -> Result<Self, &'static str> {
        if !bytes.starts_with(&MARKER) {
            return Err("there should be a frame");
        }
        let fields =
            (u32_at(bytes, 4), u64_at(bytes, 8), u64_at(bytes, 16), u32_at(bytes, 24), u32_at(bytes, CHECKSUM));
        let (Some(length), Some(sequence), Some(synced), Some(previous), Some(sum)) = fields else {
            return Err("the frame is cut off");
        };
        let payload = usize::try_from(length).ok().and_then(|length| bytes.get(FRAME_LEN..)?.get(..length));
        let Some(payload) = payload else { return Err("the frame is cut off") };
        if checksum::extend(checksum::extend(0, &bytes[..CHECKSUM]), payload) != sum {
            return Err("the frame's checksum is wrong");
        }
        if sequence > LAST_SEQUENCE || synced > sequence {
            return Err("the frame makes no sense");
        }
        Ok(Self { sequence, synced, previous, checksum: sum, payload })
    }

    pub(super) const fn len(&self) -> usize {
        FRAME_LEN + self.payload.len()
    }

    /// Its changes, key and value; `None` for what makes no sense, and nothing after it.
    pub(super) const fn changes(&self) -> Changes<'a> {
        Changes { rest: self.payload }
    }
}

pub(super) struct Changes<'a> {
    rest: &'a [u8],
}

impl<'a> Changes<'a> {
    fn take(&mut self, len: u32) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(usize::try_from(len).ok()?)?;
        self.rest = rest;
        Some(taken)
    }

    fn length(&mut self) -> Option<u32> {
        let (length, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(u32::from_le_bytes(*length))
    }

    fn change(&mut self) -> Option<(&'a str, Option<&'a [u8]>)> {
        let (kind, rest) = self.rest.split_first()?;
        self.rest = rest;
        let key = self.length()?;
        let value = match *kind {
            DELETE => None,
            SET => Some(self.length()?),
            _ => return None,
        };
        let key = str::from_utf8(self.take(key)?).ok()?;
        match value {
            None => Some((key, None)),
            Some(value) => Some((key, Some(self.take(value)?))),
        }
    }
}

impl<'a> Iterator for Changes<'a> {
    type Item = Option<(&'a str, Option<&'a [u8]>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let change = self.change();
        if change.is_none() {
            self.rest = &[];
        }
        Some(change)
    }
}

/// The bytes that a key with this value takes in a payload.
pub(super) const fn size(key: &str, value: &[u8]) -> u64 {
    9 + key.len() as u64 + value.len() as u64
}

/// What a frame says of its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) sequence: u64,
    pub(super) synced: u64,
    pub(super) previous: u32,
}

/// Appends a frame with these changes and gives its checksum. `None`, and nothing is appended: it would be too long.
pub(super) fn encode<'a>(
    out: &mut Vec<u8>,
    place: Place,
    changes: impl Iterator<Item = (&'a str, Option<&'a [u8]>)>,
) -> Option<u32> {
    let start = out.len();
    let sum = encode_at(out, start, place, changes);
    if sum.is_none() {
        out.truncate(start);
    }
    sum
}

fn encode_at<'a>(
    out: &mut Vec<u8>,
    start: usize,
    place: Place,
    changes: impl Iterator<Item = (&'a str, Option<&'a [u8]>)>,
) -> Option<u32> {
    out.resize(start + FRAME_LEN, 0);
    for (key, value) in changes {
        out.push(if value.is_some() { SET } else { DELETE });
        out.extend_from_slice(&u32::try_from(key.len()).ok()?.to_le_bytes());
        if let Some(value) = value {
            out.extend_from_slice(&u32::try_from(value.len()).ok()?.to_le_bytes());
        }
        out.extend_from_slice(key.as_bytes());
        out.extend_from_slice(value.unwrap_or_default());
    }
    let (head, payload) = out.get_mut(start..)?.split_first_chunk_mut::<FRAME_LEN>()?;
    head[..4].copy_from_slice(&MARKER);
    head[4..8].copy_from_slice(&u32::try_from(payload.len()).ok()?.to_le_bytes());
    head[8..16].copy_from_slice(&place.sequence.to_le_bytes());
    head[16..24].copy_from_slice(&place.synced.to_le_bytes());
    head[24..28].copy_from_slice(&place.previous.to_le_bytes());
    let sum = checksum::extend(checksum::extend(0, &head[..CHECKSUM]), payload);
    head[CHECKSUM..].copy_from_slice(&sum.to_le_bytes());
    Some(sum)
}
