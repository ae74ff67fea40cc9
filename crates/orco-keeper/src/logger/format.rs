//! The bytes of an index file: a header, then entries, all little-endian.

/// The length of the header.
pub(crate) const HEADER: usize = 16;
/// The length of an entry.
pub(crate) const ENTRY: usize = 32;

const MAGIC: [u8; 8] = *b"ORCOIDX1";

/// From here on, bytes came from standard output.
pub(crate) const STDOUT: u8 = 0;
/// From here on, bytes came from standard error.
pub(crate) const STDERR: u8 = 1;
/// Here bytes are missing.
pub(crate) const GAP: u8 = 2;

/// The header of a segment that begins at this byte of the instance's output.
pub(crate) fn header(begin: u64) -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..].copy_from_slice(&begin.to_le_bytes());
    bytes
}

/// An entry: at this offset and time (microseconds since 1970) something begins.
pub(crate) fn entry(offset: u64, micros: u64, kind: u8, argument: u64) -> [u8; ENTRY] {
    let mut bytes = [0; ENTRY];
    bytes[..8].copy_from_slice(&offset.to_le_bytes());
    bytes[8..16].copy_from_slice(&micros.to_le_bytes());
    bytes[16] = kind;
    bytes[24..].copy_from_slice(&argument.to_le_bytes());
    bytes
}
