//! The columns that an atlas file lists, in two or three bytes each, so that an atlas of millions of
//! columns takes little memory whatever the order of its rows.

use std::collections::BTreeMap;

use eyemap_abi::job::Side;
use roaring::RoaringTreemap;

use super::{packed::Packed, rows::region_and_side, visits::row_of};
use crate::model::Column;

/// Columns by part, see [`super::rows::Key::part`].
#[derive(Debug, Default)]
pub(super) struct Listing(BTreeMap<u8, RoaringTreemap>);

/// A column as a number that is larger where the column comes later.
fn packed(column: Column) -> u64 {
    let rising = |number: i32| u64::from(number as u32 ^ 1 << 31);
    rising(column.hex1) << 32 | rising(column.hex2)
}

fn unpacked(number: u64) -> Column {
    let signed = |number: u64| (number as u32 ^ 1 << 31) as i32;
    Column {
        hex1: signed(number >> 32),
        hex2: signed(number),
    }
}

impl Listing {
    /// Adds a column; false if it was there.
    pub(super) fn insert(&mut self, part: u8, column: Column) -> bool {
        self.0.entry(part).or_default().insert(packed(column))
    }

    pub(super) fn has(&self, part: u8, column: Column) -> bool {
        let columns = self.0.get(&part);
        columns.is_some_and(|columns| columns.contains(packed(column)))
    }

    /// Number of columns, one for each region that they exist in.
    pub(super) fn len(&self) -> u64 {
        self.0.values().map(RoaringTreemap::len).sum()
    }

    /// Number of columns of the side that has more.
    pub(super) fn most_columns(&self) -> u64 {
        let of = |side: Side| {
            let mut all = RoaringTreemap::new();
            let parts = self.0.iter();
            parts
                .filter(|(part, _)| region_and_side(**part).1 == side)
                .for_each(|(_, columns)| all |= columns);
            all.len()
        };
        of(Side::Left).max(of(Side::Right))
    }

    /// All columns, part by part, rising.
    pub(super) fn columns(&self) -> impl Iterator<Item = (u8, Column)> + '_ {
        let parts = self.0.iter();
        parts
            .flat_map(|(&part, columns)| columns.iter().map(move |number| (part, unpacked(number))))
    }

    /// The columns of each part as sorted rows.
    pub(super) fn packed(&self) -> impl Iterator<Item = Packed> + '_ {
        self.0.iter().map(|(&part, columns)| {
            let (region, side) = region_and_side(part);
            let mut rows = Packed::default();
            for number in columns {
                rows.push(&row_of(side, region as u8, unpacked(number)), &[]);
            }
            rows
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn columns_come_out_rising_and_as_they_went_in(
            columns in prop::collection::btree_set((0..4_u8, any::<i32>(), -3..3_i32), 0..40)
        ) {
            let mut listing = Listing::default();
            for &(part, hex1, hex2) in columns.iter().rev() {
                let column = Column { hex1, hex2 };
                prop_assert!(!listing.has(part, column));
                prop_assert!(listing.insert(part, column));
                prop_assert!(!listing.insert(part, column) && listing.has(part, column));
            }
            let found: Vec<_> = listing.columns().map(|(part, c)| (part, c.hex1, c.hex2)).collect();
            prop_assert!(found.iter().eq(&columns));
            prop_assert_eq!(listing.len(), columns.len() as u64);
            prop_assert!(listing.packed().all(|rows| rows.is_sorted()));
        }
    }
}
