//! The layout of a segment on disk.
//!
//! An instance's output is a run of segments `STEM.N.log` (raw bytes of stdout and stderr in the order
//! in which they came) with indexes `STEM.N.idx`, N from 0, STEM = `REPLICA.RUN`, in the directory of
//! its service. An index is a header and entries of fixed size, all numbers little-endian:
//!
//! ```text
//! header  8 bytes  magic "ORCOIDX1"
//!         u64      offset, within the instance's output, of this segment's first byte
//! entry   u64      offset within the instance's output
//!         u64      Unix time in microseconds
//!         u8       kind: 0 stdout, 1 stderr, 2 gap, 3 footer
//!         u8       footer: streams with an unfinished line (bit 0 stdout, bit 1 stderr); else 0
//!         u32      footer: FNV-1a hash of the other bytes, for nobody looks twice at what it says; else 0
//!         2 bytes  0
//!         u64      gap: bytes that could not be stored; footer: line ends up to the end of this
//!                  segment, counted from the instance's first byte
//! ```
//!
//! A stream entry says: from this offset on, the bytes came from this stream at this time. It is
//! written before its bytes, and every segment begins with one. A gap takes up no offsets. The next
//! segment is created only when everything of the one before is written. The footer is the last entry
//! of a closed segment; the engine appends it some time after the segment was closed. A torn last entry
//! is ignored.
//!
//! `STEM.N.map` says how many lines come before some places in a segment, so that who begins there need not count them
//! (`milestones.rs`); it may be missing.
//!
//! `STEM.gone` counts what retention has deleted; it is replaced before the segment is unlinked, so
//! that a reader that misses a segment finds the count there.

use std::fmt;

/// The first bytes of an index.
pub const MAGIC: [u8; 8] = *b"ORCOIDX1";
/// Bytes of an index's header.
pub const HEADER_LEN: usize = 16;
/// Bytes of an index entry.
pub const ENTRY_LEN: usize = 32;
/// A segment that has grown to this many bytes is closed.
pub const SEGMENT_BYTES: u64 = 16 << 20;

/// The header of a segment's index.
pub const fn encode_header(begin: u64) -> [u8; HEADER_LEN] {
    let mut out = [0; HEADER_LEN];
    let (magic, rest) = out.split_at_mut(8);
    magic.copy_from_slice(&MAGIC);
    rest.copy_from_slice(&begin.to_le_bytes());
    out
}

/// The offset at which the segment begins; `None` where this is no (whole) header.
pub fn decode_header(bytes: &[u8]) -> Option<u64> {
    let header = bytes.get(..HEADER_LEN)?;
    (header[..8] == MAGIC).then(|| number(&header[8..]))
}

/// What an entry says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Bytes of stdout follow.
    Stdout,
    /// Bytes of stderr follow.
    Stderr,
    /// So many bytes were lost here.
    Gap(u64),
    /// The segment is closed.
    Footer {
        /// Line ends up to here, from the instance's first byte.
        lines: u64,
        /// Streams with an unfinished line.
        open: Open,
    },
}

/// Which streams have an unfinished line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Open {
    /// stdout has.
    pub stdout: bool,
    /// stderr has.
    pub stderr: bool,
}

impl Open {
    /// As bits.
    pub const fn bits(self) -> u8 {
        self.stdout as u8 | (self.stderr as u8) << 1
    }

    /// From bits; others than the two are ignored.
    pub const fn from_bits(bits: u8) -> Self {
        Self { stdout: bits & 1 != 0, stderr: bits & 2 != 0 }
    }

    /// How many.
    pub const fn count(self) -> u64 {
        self.stdout as u64 + self.stderr as u64
    }
}

/// An index entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The offset within the instance's output.
    pub offset: u64,
    /// Unix time in microseconds.
    pub micros: u64,
    /// What it says.
    pub kind: Kind,
}

impl Entry {
    /// The bytes on disk.
    pub fn encode(&self) -> [u8; ENTRY_LEN] {
        let (kind, open, arg) = match self.kind {
            Kind::Stdout => (0, 0, 0),
            Kind::Stderr => (1, 0, 0),
            Kind::Gap(bytes) => (2, 0, bytes),
            Kind::Footer { lines, open } => (3, open.bits(), lines),
        };
        let mut out = [0; ENTRY_LEN];
        out[..8].copy_from_slice(&self.offset.to_le_bytes());
        out[8..16].copy_from_slice(&self.micros.to_le_bytes());
        out[16] = kind;
        out[17] = open;
        out[24..].copy_from_slice(&arg.to_le_bytes());
        if kind == 3 {
            let check = hash_around(&out);
            out[18..22].copy_from_slice(&check.to_le_bytes());
        }
        out
    }

    /// Reads an entry; `None` where the bytes are none.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..ENTRY_LEN)?;
        let arg = number(&bytes[24..]);
        let kind = match bytes[16] {
            0 => Kind::Stdout,
            1 => Kind::Stderr,
            2 => Kind::Gap(arg),
            // One of which a machine that went down kept a part is none.
            3 if bytes[18..22] == hash_around(bytes).to_le_bytes() => {
                Kind::Footer { lines: arg, open: Open::from_bits(bytes[17]) }
            }
            _ => return None,
        };
        Some(Self { offset: number(bytes), micros: number(&bytes[8..]), kind })
    }
}

/// Over an entry without the hash itself.
fn hash_around(entry: &[u8]) -> u32 {
    hash(entry[..18].iter().chain(&entry[22..]))
}

/// FNV-1a.
pub(super) fn hash<'a>(bytes: impl IntoIterator<Item = &'a u8>) -> u32 {
    bytes.into_iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// The number in the first eight bytes.
pub(super) fn number(bytes: &[u8]) -> u64 {
    let mut eight = [0; 8];
    eight.copy_from_slice(&bytes[..8]);
    u64::from_le_bytes(eight)
}

/// `REPLICA.RUN`: the name of an instance within its service's directory.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Stem {
    /// The replica.
    pub replica: u32,
    /// The incarnation's number.
    pub run: u32,
}

impl Stem {
    /// Reads what `Display` writes.
    pub fn parse(text: &str) -> Option<Self> {
        let (replica, run) = text.split_once('.')?;
        Some(Self { replica: plain(replica)?, run: plain(run)? })
    }

    /// The name of a segment's bytes.
    pub fn log(self, n: u64) -> String {
        format!("{self}.{n}.log")
    }

    /// The name of a segment's index.
    pub fn idx(self, n: u64) -> String {
        format!("{self}.{n}.idx")
    }

    /// The name of a segment's milestones.
    pub fn map(self, n: u64) -> String {
        format!("{self}.{n}.map")
    }

    /// The name of the mark from which another engine goes on.
    pub fn at(self) -> String {
        format!("{self}.at")
    }

    /// The name of the count of what was deleted.
    pub fn gone(self) -> String {
        format!("{self}.gone")
    }
}

impl fmt::Display for Stem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.replica, self.run)
    }
}

/// Digits as we write them: no sign, no leading zeros.
fn plain<T: std::str::FromStr + ToString>(text: &str) -> Option<T> {
    text.parse().ok().filter(|n: &T| n.to_string() == text)
}

/// What a file in a service's log directory is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum FileName {
    /// A segment's bytes.
    Log(Stem, u64),
    /// A segment's index.
    Idx(Stem, u64),
    /// A segment's milestones.
    Map(Stem, u64),
    /// What is gone of an instance.
    Gone(Stem),
    /// What is gone of a replica's forgotten instances.
    Folded(u32),
}

impl FileName {
    /// Reads a file name; `None` for strangers.
    pub fn parse(name: &str) -> Option<Self> {
        if let Some(rest) = name.strip_suffix(".gone") {
            return Stem::parse(rest).map(Self::Gone).or_else(|| plain(rest).map(Self::Folded));
        }
        let (rest, ending) = name.rsplit_once('.')?;
        let (stem, n) = rest.rsplit_once('.')?;
        let (stem, n) = (Stem::parse(stem)?, plain(n)?);
        match ending {
            "log" => Some(Self::Log(stem, n)),
            "idx" => Some(Self::Idx(stem, n)),
            "map" => Some(Self::Map(stem, n)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_and_headers_come_back() {
        let open = Open { stdout: true, stderr: false };
        for kind in [Kind::Stdout, Kind::Stderr, Kind::Gap(7), Kind::Footer { lines: u64::MAX, open }] {
            let entry = Entry { offset: 1 << 40, micros: 1_700_000_000_000_001, kind };
            assert_eq!(Entry::decode(&entry.encode()), Some(entry));
            assert_eq!(Entry::decode(&entry.encode()[..31]), None);
        }
        assert_eq!(decode_header(&encode_header(77)), Some(77));
        assert_eq!(decode_header(&encode_header(77)[..15]), None);
        assert_eq!(decode_header(b"ORCOIDX2........"), None);
    }

    #[test]
    fn the_layout_is_the_documented_one() {
        let entry = Entry { offset: 0x0102, micros: 0x0304, kind: Kind::Gap(0x0506) };
        let mut want = [0; 32];
        (want[0], want[1], want[8], want[9], want[16], want[24], want[25]) = (2, 1, 4, 3, 2, 6, 5);
        assert_eq!(entry.encode(), want);
    }

    #[test]
    fn file_names() {
        let stem = Stem { replica: 3, run: 12 };
        assert_eq!(FileName::parse(&stem.log(0)), Some(FileName::Log(stem, 0)));
        assert_eq!(FileName::parse(&stem.idx(41)), Some(FileName::Idx(stem, 41)));
        assert_eq!(FileName::parse(&stem.map(7)), Some(FileName::Map(stem, 7)));
        assert_eq!(FileName::parse(&stem.gone()), Some(FileName::Gone(stem)));
        assert_eq!(FileName::parse("3.gone"), Some(FileName::Folded(3)));
        for stranger in ["", "a", ".log", "1.log", "1.2.log", "01.2.3.log", "1.2.+3.log", "1.2.3.tmp", "-1.2.3.log"] {
            assert_eq!(FileName::parse(stranger), None, "{stranger}");
        }
    }
}
