//! The store's log: records of 64 bytes, each with a checksum of its own.
//!
//! A record that was cut by a kill ends the log; one whose checksum does not fit is passed over and
//! counted. Neither can make a wrong byte be served: an entry's bytes have a checksum too.

use crate::fingerprint::Fingerprint;

/// Bytes of a record and of the header.
pub(super) const RECORD: usize = 64;
/// The form of log and directory that this engine knows.
pub(super) const FORM: u32 = 1;
const MAGIC: [u8; 16] = *b"eyemap artifacts";

/// What a record says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Record {
    /// An artifact came in.
    Put {
        fingerprint: Fingerprint,
        entry: Logged,
    },
    /// An artifact that was in when the log was written anew, in the slot that the policy knows.
    Kept {
        fingerprint: Fingerprint,
        entry: Logged,
        slot: u32,
        hits: u8,
    },
    /// It was asked for.
    Hit {
        fingerprint: Fingerprint,
        at_ms: u64,
    },
    /// It left otherwise than by the policy's decision.
    Removed {
        fingerprint: Fingerprint,
        at_ms: u64,
    },
    /// What processes did, added up.
    Totals(Totals),
}

/// What is known of an artifact.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Logged {
    /// The first half of the BLAKE3 of its fingerprint and bytes.
    pub(super) check: [u8; 16],
    pub(super) bytes: u64,
    pub(super) cost_ns: f32,
    /// When it came in, or was last asked for: milliseconds since 1970.
    pub(super) at_ms: u64,
}

/// What processes did with a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Artifacts that were found.
    pub hits: u64,
    /// Artifacts that were not.
    pub misses: u64,
    /// Artifacts that came in.
    pub puts: u64,
    /// Artifacts or records that were damaged and are gone.
    pub damaged: u64,
    /// What drawing the found ones again would have cost, in nanoseconds.
    pub saved_ns: u64,
}

impl std::ops::AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        let add = |ours: &mut u64, theirs: u64| *ours = ours.saturating_add(theirs);
        add(&mut self.hits, other.hits);
        add(&mut self.misses, other.misses);
        add(&mut self.puts, other.puts);
        add(&mut self.damaged, other.damaged);
        add(&mut self.saved_ns, other.saved_ns);
    }
}

/// Fields are written in a fixed order, little-endian.
struct Writer([u8; RECORD], usize);

impl Writer {
    fn put(&mut self, bytes: &[u8]) {
        self.0[self.1..self.1 + bytes.len()].copy_from_slice(bytes);
        self.1 += bytes.len();
    }

    fn sealed(mut self) -> [u8; RECORD] {
        let seal = seal(&self.0);
        self.0[RECORD - 4..].copy_from_slice(&seal);
        self.0
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (taken, rest) = self.0.split_at(N);
        self.0 = rest;
        let mut bytes = [0; N];
        bytes.copy_from_slice(taken);
        bytes
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }
}

/// Checksum of a record's first 60 bytes.
fn seal(record: &[u8; RECORD]) -> [u8; 4] {
    let hash = blake3::hash(&record[..RECORD - 4]);
    let mut seal = [0; 4];
    seal.copy_from_slice(&hash.as_bytes()[..4]);
    seal
}

impl Record {
    pub(super) fn to_bytes(self) -> [u8; RECORD] {
        let mut out = Writer([0; RECORD], 0);
        let (kind, hits, slot) = match self {
            Self::Put { .. } => (1, 0, 0),
            Self::Kept { slot, hits, .. } => (2, hits, slot),
            Self::Hit { .. } => (3, 0, 0),
            Self::Removed { .. } => (4, 0, 0),
            Self::Totals(_) => (5, 0, 0),
        };
        out.put(&[kind, hits, 0, 0]);
        out.put(&u32::to_le_bytes(slot));
        match self {
            Self::Put { fingerprint, entry }
            | Self::Kept {
                fingerprint, entry, ..
            } => {
                out.put(&fingerprint.to_bytes());
                out.put(&entry.check);
                out.put(&entry.bytes.to_le_bytes());
                out.put(&entry.cost_ns.to_le_bytes());
                out.put(&entry.at_ms.to_le_bytes());
            }
            Self::Hit { fingerprint, at_ms } | Self::Removed { fingerprint, at_ms } => {
                out.put(&fingerprint.to_bytes());
                out.put(&at_ms.to_le_bytes());
            }
            Self::Totals(totals) => {
                let Totals {
                    hits,
                    misses,
                    puts,
                    damaged,
                    saved_ns,
                } = totals;
                for number in [hits, misses, puts, damaged, saved_ns] {
                    out.put(&number.to_le_bytes());
                }
            }
        }
        out.sealed()
    }

    /// None when the checksum does not fit or the kind is not known.
    pub(super) fn from_bytes(bytes: &[u8; RECORD]) -> Option<Self> {
        if bytes[RECORD - 4..] != seal(bytes) {
            return None;
        }
        let mut input = Reader(bytes);
        let [kind, hits, ..] = input.take::<4>();
        let slot = u32::from_le_bytes(input.take());
        if kind == 5 {
            return Some(Self::Totals(Totals {
                hits: input.u64(),
                misses: input.u64(),
                puts: input.u64(),
                damaged: input.u64(),
                saved_ns: input.u64(),
            }));
        }
        let fingerprint = Fingerprint::from_bytes(input.take());
        let mut entry = || Logged {
            check: input.take(),
            bytes: input.u64(),
            cost_ns: f32::from_le_bytes(input.take()),
            at_ms: input.u64(),
        };
        Some(match kind {
            1 => Self::Put {
                fingerprint,
                entry: entry(),
            },
            2 => Self::Kept {
                fingerprint,
                entry: entry(),
                slot,
                hits,
            },
            3 => Self::Hit {
                fingerprint,
                at_ms: input.u64(),
            },
            4 => Self::Removed {
                fingerprint,
                at_ms: input.u64(),
            },
            _ => return None,
        })
    }
}

/// The first 64 bytes of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Header {
    /// The form of the store.
    pub(super) form: u32,
    /// Rises each time the log is written anew.
    pub(super) generation: u64,
    /// Which policy, with its options, the kept state belongs to: half of a BLAKE3.
    pub(super) policy: [u8; 16],
    /// Half of the BLAKE3 of the policy's state in the file beside the log; zero without one.
    pub(super) state: [u8; 16],
}

impl Header {
    pub(super) fn to_bytes(self) -> [u8; RECORD] {
        let mut out = Writer([0; RECORD], 0);
        out.put(&MAGIC);
        out.put(&self.form.to_le_bytes());
        out.put(&self.generation.to_le_bytes());
        out.put(&self.policy);
        out.put(&self.state);
        out.sealed()
    }

    /// None when these are not the first bytes of a log, or are damaged.
    pub(super) fn from_bytes(bytes: &[u8; RECORD]) -> Option<Self> {
        let mut input = Reader(bytes);
        let fits = input.take() == MAGIC && bytes[RECORD - 4..] == seal(bytes);
        fits.then(|| Self {
            form: u32::from_le_bytes(input.take()),
            generation: input.u64(),
            policy: input.take(),
            state: input.take(),
        })
    }
}

/// The first half of a BLAKE3.
pub(super) fn half(hash: &blake3::Hash) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&hash.as_bytes()[..16]);
    half
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records() -> Vec<Record> {
        let fingerprint = Fingerprint::from_bytes(*b"0123456789abcdef");
        let entry = Logged {
            check: [7; 16],
            bytes: u64::MAX,
            cost_ns: 1.5e9,
            at_ms: 3,
        };
        vec![
            Record::Put { fingerprint, entry },
            Record::Kept {
                fingerprint,
                entry,
                slot: u32::MAX,
                hits: 255,
            },
            Record::Hit {
                fingerprint,
                at_ms: 9,
            },
            Record::Removed {
                fingerprint,
                at_ms: 8,
            },
            Record::Totals(Totals {
                hits: 1,
                misses: 2,
                puts: 3,
                damaged: 4,
                saved_ns: u64::MAX,
            }),
        ]
    }

    #[test]
    fn records_come_back_and_any_flipped_bit_is_noticed() {
        for record in records() {
            let bytes = record.to_bytes();
            assert_eq!(Record::from_bytes(&bytes), Some(record));
            for bit in 0..RECORD * 8 {
                let mut flipped = bytes;
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(
                    Record::from_bytes(&flipped),
                    None,
                    "bit {bit} of {record:?}"
                );
            }
        }
    }

    #[test]
    fn a_header_comes_back_and_any_flipped_bit_is_noticed() {
        let header = Header {
            form: 1,
            generation: 2,
            policy: [3; 16],
            state: [4; 16],
        };
        let bytes = header.to_bytes();
        assert_eq!(Header::from_bytes(&bytes), Some(header));
        for bit in 0..RECORD * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::from_bytes(&flipped), None, "bit {bit}");
        }
    }
}
