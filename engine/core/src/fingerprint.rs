//! The fingerprint: 128 bits over everything that a picture depends on.
//!
//! Engine version, plugin ids, versions and file hashes, their configurations and side tables, the
//! jobs (with the statistics of their scopes), the columns and the values. Names and tables are
//! hostile, so it is BLAKE3, cut to 128 bits: nobody can make two maps collide on purpose.

use std::fmt;

use eyemap_abi::job::ColumnStatus;

use crate::cache::CacheKey;

/// A 128-bit hash, written as 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(u128);

impl Fingerprint {
    /// The fingerprint of an artifact: of a scene, drawn by a writer with options.
    pub fn of_artifact(self, format: &str, options: &str) -> Self {
        let mut hash = Hash::new();
        hash.numbers([self.0.to_le_bytes()].into_iter());
        hash.text(format);
        hash.text(options);
        hash.finish()
    }
}

impl Fingerprint {
    /// Of bytes alone.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        Self::half(&blake3::hash(bytes))
    }

    /// Of bytes alone, that came piece by piece.
    pub(crate) fn of_hasher(hasher: &blake3::Hasher) -> Self {
        Self::half(&hasher.finalize())
    }

    fn half(hash: &blake3::Hash) -> Self {
        let mut half = [0; 16];
        half.copy_from_slice(&hash.as_bytes()[..16]);
        Self::from_bytes(half)
    }

    /// From 32 hexadecimal digits.
    pub fn parse(digits: &str) -> Option<Self> {
        let plain = digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        plain.then(|| u128::from_str_radix(digits, 16).ok().map(Self))?
    }

    /// As 16 bytes, the first digits first.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// From 16 bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }
}

impl Fingerprint {
    /// Its last 64 bits: half of the bits of a good hash are a good hash.
    pub const fn short(self) -> u64 {
        self.0 as u64
    }
}

impl CacheKey for Fingerprint {
    fn key_hash(&self) -> u64 {
        self.short()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Every part is preceded by its length, so that no two sequences of parts read alike.
#[derive(Debug, Clone)]
pub(crate) struct Hash(blake3::Hasher);

impl Hash {
    pub(crate) fn new() -> Self {
        Self(blake3::Hasher::new())
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    pub(crate) fn numbers<const N: usize>(&mut self, numbers: impl Iterator<Item = [u8; N]>) {
        let bytes: Vec<u8> = numbers.flatten().collect();
        self.bytes(&bytes);
    }

    /// Bytes, as one piece.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.bytes(bytes);
    }

    pub(crate) fn values(&mut self, status: &[ColumnStatus], values: &[f64]) {
        let status: Vec<u8> = status.iter().map(|&status| status as u8).collect();
        self.bytes(&status);
        self.floats(values);
    }

    /// Whole numbers, as one piece.
    pub(crate) fn integers(&mut self, values: &[i32]) {
        self.bytes(bytemuck::cast_slice(values));
    }

    /// The bits of numbers, as one piece: long pieces are hashed many blocks at a time.
    pub(crate) fn floats(&mut self, values: &[f64]) {
        self.bytes(bytemuck::cast_slice(values));
    }

    pub(crate) fn fingerprint(&mut self, fingerprint: Fingerprint) {
        self.bytes(&fingerprint.to_bytes());
    }

    pub(crate) fn whole(&self) -> blake3::Hash {
        self.0.finalize()
    }

    pub(crate) fn finish(&self) -> Fingerprint {
        Fingerprint::half(&self.whole())
    }
}
