//! The hash of what the columns of a map are and hold, taken piece by piece.
//!
//! A map that fits in memory and one that does not have the same fingerprint, so pieces have a fixed
//! length, and nothing is hashed that is known only after all pieces.

use eyemap_abi::job::ColumnStatus;

use super::Fingerprint;
use crate::{fingerprint::Hash, model::Column};

/// Columns in a piece; the last one may have fewer. Batches of columns begin with a piece.
pub(super) const PIECE: usize = 4096;

/// Hashes where columns lie.
#[derive(Debug)]
pub(super) struct Places(Hash);

impl Places {
    /// Begins with all that the places have in common.
    pub(super) fn new(common: &[&str]) -> Self {
        let mut hash = Hash::new();
        common.iter().for_each(|text| hash.text(text));
        Self(hash)
    }

    /// Takes columns, places in px on the canvas, and what a column is without a row.
    pub(super) fn add(&mut self, hex: [&[i32]; 2], places: [&[f64]; 2], absent: &[ColumnStatus]) {
        let [hex1, hex2] = hex.map(|numbers| numbers.chunks(PIECE));
        let [x, y] = places.map(|numbers| numbers.chunks(PIECE));
        let pieces = hex1.zip(hex2).zip(x.zip(y)).zip(absent.chunks(PIECE));
        for (((hex1, hex2), (x, y)), absent) in pieces {
            self.0.integers(hex1);
            self.0.integers(hex2);
            self.0.floats(x);
            self.0.values(absent, y);
        }
    }

    pub(super) fn finish(&self) -> blake3::Hash {
        self.0.whole()
    }
}

/// Hashes what columns hold.
#[derive(Debug)]
pub(super) struct Content {
    values: Hash,
    layers: Option<Hash>,
}

impl Content {
    pub(super) fn new() -> Self {
        Self {
            values: Hash::new(),
            layers: None,
        }
    }

    /// Takes statuses and values of hexagons.
    pub(super) fn values(&mut self, status: &[ColumnStatus], value: &[f64]) {
        for (status, value) in status.chunks(PIECE).zip(value.chunks(PIECE)) {
            self.values.values(status, value);
        }
    }

    /// Takes columns that have rows, and the values of their layers. Rows belong to columns by order.
    pub(super) fn layers(&mut self, columns: &[Column], layers: &[f64]) {
        let hash = self.layers.get_or_insert_with(Hash::new);
        let n = layers.len() / columns.len().max(1);
        if n == 0 {
            return;
        }
        for (columns, layers) in columns.chunks(PIECE).zip(layers.chunks(PIECE * n)) {
            let places: Vec<i32> = columns.iter().flat_map(|c| [c.hex1, c.hex2]).collect();
            hash.integers(&places);
            hash.floats(layers);
        }
    }

    /// Takes layers that were hashed beside.
    pub(super) fn take_layers(&mut self, other: Self) {
        self.layers = other.layers;
    }

    /// Takes together what columns hold and a hash of where they lie.
    pub(super) fn finish(&self, places: blake3::Hash, with_layers: bool) -> Fingerprint {
        let mut hash = Hash::new();
        hash.numbers([*places.as_bytes()].into_iter());
        hash.fingerprint(self.values.finish());
        if let Some(layers) = self.layers.as_ref().filter(|_| with_layers) {
            hash.fingerprint(layers.finish());
        }
        hash.finish()
    }
}
