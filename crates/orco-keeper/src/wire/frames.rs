//! Frames in a stream of bytes: a length, then that many bytes. Many fit in one read or write.

use super::codec::{Malformed, Wire};

/// The longest frame. Linux takes at most 6 MiB of arguments and environment.
pub(crate) const MAX_FRAME: usize = 8 << 20;

const PREFIX: usize = size_of::<u32>();

/// A buffer that has grown beyond this is given back when it is empty.
const KEPT: usize = 64 << 10;

/// Appends a value as one frame.
pub(crate) fn frame<T: Wire>(value: &T, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; PREFIX]);
    value.put(out);
    let length = u32::try_from(out.len() - start - PREFIX).unwrap_or(u32::MAX);
    out[start..start + PREFIX].copy_from_slice(&length.to_le_bytes());
}

/// Bytes that have arrived and are not read yet.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    bytes: Vec<u8>,
    start: usize,
}

impl Frames {
    /// The buffer to append arriving bytes to.
    pub(crate) fn room(&mut self) -> &mut Vec<u8> {
        self.bytes.drain(..self.start);
        self.start = 0;
        if self.bytes.is_empty() && self.bytes.capacity() > KEPT {
            self.bytes = Vec::new();
        }
        &mut self.bytes
    }

    /// The version in the first frame, as soon as it is there. Both sides begin with a frame whose number is 0 and
    /// whose first field is the version, in every version: what follows may differ.
    pub(crate) fn version(&self) -> Result<Option<u8>, Malformed> {
        match self.bytes[self.start..].get(PREFIX..) {
            None | Some([] | [0]) => Ok(None),
            Some([0, version, ..]) => Ok(Some(*version)),
            Some(_) => Err(Malformed),
        }
    }

    /// The next whole frame, if it is there.
    pub(crate) fn next<T: Wire>(&mut self) -> Result<Option<T>, Malformed> {
        let mut rest = &self.bytes[self.start..];
        let Ok(length) = u32::take(&mut rest) else { return Ok(None) };
        let length = usize::try_from(length).map_err(|_| Malformed)?;
        if length > MAX_FRAME {
            return Err(Malformed);
        }
        let Some(mut body) = rest.get(..length) else { return Ok(None) };
        let value = T::take(&mut body)?;
        if !body.is_empty() {
            return Err(Malformed);
        }
        self.start += PREFIX + length;
        Ok(Some(value))
    }
}
