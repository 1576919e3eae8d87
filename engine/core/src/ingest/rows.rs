//! Rows of a table as they are sorted: where each belongs, and which it is in the file.

use eyemap_abi::job::Side;

use crate::model::Column;

/// Where a row belongs within its cell type. The order is the order in which parts are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Key {
    /// Twice the region's index, plus one on the right.
    pub(super) part: u8,
    pub(super) hex1: i32,
    pub(super) hex2: i32,
    pub(super) layer: u16,
    /// Index of the metric in a tall table; 0 otherwise.
    pub(super) metric: u8,
}

impl Key {
    pub(super) const fn column(&self) -> Column {
        Column {
            hex1: self.hex1,
            hex2: self.hex2,
        }
    }
}

/// The part of a [`Key`], of a region's index below 64 and a side.
pub(super) const fn part_of(region: u8, side: Side) -> u8 {
    region << 1 | matches!(side, Side::Right) as u8
}

/// The region's index and the side of a part.
pub(super) const fn region_and_side(part: u8) -> (usize, Side) {
    let side = if part & 1 == 1 {
        Side::Right
    } else {
        Side::Left
    };
    ((part >> 1) as usize, side)
}

/// A row, without its values. Rows of a cell type are in order when they rise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Row {
    pub(super) key: Key,
    /// Id of the body; 0 in tables without bodies.
    pub(super) body: u64,
    /// Which row of which file it is, see [`Numbers`].
    pub(super) number: u64,
}

impl Row {
    /// Whether two rows say something about the same thing.
    pub(super) fn repeats(&self, other: &Self) -> bool {
        (self.key, self.body) == (other.key, other.body)
    }
}

/// Two rows that say the same thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Duplicate {
    pub(super) first: u64,
    pub(super) second: u64,
}

/// Bits of a number that count rows or lines; a file with more is refused.
const ROW_BITS: u32 = 40;

/// Numbers rows over several files: rising with the file, then with the row.
pub(super) struct Numbers;

impl Numbers {
    /// The number of a line or row of a file.
    pub(super) const fn of(file: usize, row: u64) -> u64 {
        // More than a trillion rows in one file, or 16 million files, do not occur.
        (file as u64) << ROW_BITS | row & ((1 << ROW_BITS) - 1)
    }

    /// The file, and the line or row in it.
    pub(super) const fn split(number: u64) -> (usize, u64) {
        (
            (number >> ROW_BITS) as usize,
            number & ((1 << ROW_BITS) - 1),
        )
    }
}
