//! The columns that rows name, as they are read: in memory, or on disk where they are too many.

use std::{collections::HashMap, io};

use eyemap_abi::job::{Extent, Side};

use super::{
    atlas::{AtlasIndex, Standing},
    collect::sorted,
    error::Objection,
    listing::Listing,
    merge::Merge,
    packed::Packed,
    rows::{Key, Row, region_and_side},
    spill::{Run, Spill},
};
use crate::model::{Column, SideAtlas};

/// More rows than this are sorted and written.
const MOST_ROWS: usize = 1 << 15;

/// For the left and the right side the regions of each column, as bits.
#[derive(Debug, Default)]
pub(super) struct Sides(pub(super) [HashMap<Column, u64>; 2]);

impl Sides {
    pub(super) fn insert(&mut self, part: u8, column: Column) {
        let (region, side) = region_and_side(part);
        *self.0[side as usize].entry(column).or_default() |= 1 << region;
    }

    pub(super) fn join(&mut self, other: Self) {
        for (ours, theirs) in self.0.iter_mut().zip(other.0) {
            for (column, bits) in theirs {
                *ours.entry(column).or_default() |= bits;
            }
        }
    }

    /// Number of columns, one for each region that they exist in.
    pub(super) fn len(&self) -> usize {
        let bits = self.0.iter().flat_map(HashMap::values);
        bits.map(|bits| bits.count_ones() as usize).sum()
    }

    /// Number of columns of the side that has more.
    fn most_columns(&self) -> usize {
        self.0.iter().map(HashMap::len).max().unwrap_or(0)
    }

    fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        let sides = [Side::Left, Side::Right].into_iter().zip(&self.0);
        let columns = sides.flat_map(|(side, columns)| columns.iter().map(move |c| (side, c)));
        columns.flat_map(|(side, (&column, &bits))| {
            let regions = (0..64).filter(move |region| bits >> region & 1 == 1);
            regions.map(move |region| row_of(side, region, column))
        })
    }
}

/// A column of a region as a row, so that all regions of a column follow each other.
pub(super) fn row_of(side: Side, region: u8, column: Column) -> Row {
    let key = Key {
        part: side as u8,
        hex1: column.hex1,
        hex2: column.hex2,
        layer: 0,
        metric: region,
    };
    Row {
        key,
        ..Row::default()
    }
}

/// The columns that one thread saw and that no atlas lists.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) sides: Sides,
    wide: Option<WideColumns>,
}

impl Seen {
    /// Whether columns are on disk.
    pub(super) const fn is_wide(&self) -> bool {
        self.wide.is_some()
    }
}

/// Looks at the column of each row.
#[derive(Debug)]
pub(super) struct Visits<'a> {
    index: &'a AtlasIndex,
    spill: &'a Spill,
    /// The column of the row before: neighbouring rows mostly share theirs.
    latest: Option<(u8, Column)>,
    pub(super) seen: Seen,
}

/// Why a column cannot be visited.
pub(super) enum NoVisit {
    Refused(Objection),
    Disk(io::Error),
}

impl<'a> Visits<'a> {
    pub(super) fn new(index: &'a AtlasIndex, spill: &'a Spill) -> Self {
        Self {
            index,
            spill,
            latest: None,
            seen: Seen::default(),
        }
    }

    /// Notes that a row of the table lies in a column.
    pub(super) fn visit(&mut self, part: u8, column: Column) -> Result<(), NoVisit> {
        if self.latest == Some((part, column)) {
            return Ok(());
        }
        self.latest = Some((part, column));
        match self.index.standing(part, column) {
            Ok(Standing::Known) => Ok(()),
            Ok(Standing::New) => self.add(part, column).map_err(NoVisit::Disk),
            Err(objection) => Err(NoVisit::Refused(objection)),
        }
    }

    /// Writes the last columns, if others are on disk.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        match &mut self.seen.wide {
            Some(wide) => wide.write(self.spill),
            None => Ok(()),
        }
    }

    fn add(&mut self, part: u8, column: Column) -> io::Result<()> {
        if let Some(wide) = &mut self.seen.wide {
            let (region, side) = region_and_side(part);
            return wide.add(row_of(side, region as u8, column), self.spill);
        }
        self.seen.sides.insert(part, column);
        if self.index.is_wide(self.seen.sides.most_columns()) {
            let sides = std::mem::take(&mut self.seen.sides);
            let mut wide = WideColumns::default();
            for row in sides.rows() {
                wide.add(row, self.spill)?;
            }
            self.seen.wide = Some(wide);
        }
        Ok(())
    }
}

/// Columns that are not held: packed rows, and sorted runs of such on disk.
#[derive(Debug, Default)]
pub(crate) struct WideColumns {
    packed: Vec<Packed>,
    runs: Vec<Run>,
}

impl WideColumns {
    /// What it takes in memory.
    pub(super) fn bytes(&self) -> usize {
        self.packed.iter().map(Packed::capacity).sum()
    }

    /// Takes all together.
    pub(super) fn of(listed: &Listing, seen: &[Seen]) -> io::Result<Self> {
        let mut all = Self::default();
        all.packed.extend(listed.packed());
        for seen in seen {
            let mut packed = Packed::default();
            seen.sides.rows().for_each(|row| packed.push(&row, &[]));
            all.packed.push(sorted(packed, 0)?);
            if let Some(wide) = &seen.wide {
                all.packed.extend_from_slice(&wide.packed);
                all.runs.extend_from_slice(&wide.runs);
            }
        }
        Ok(all)
    }

    fn add(&mut self, row: Row, spill: &Spill) -> io::Result<()> {
        if self.packed.is_empty() {
            self.packed.push(Packed::default());
        }
        let packed = &mut self.packed[0];
        packed.push(&row, &[]);
        if packed.len() >= MOST_ROWS {
            self.write(spill)?;
        }
        Ok(())
    }

    fn write(&mut self, spill: &Spill) -> io::Result<()> {
        for packed in std::mem::take(&mut self.packed) {
            let distinct = distinct(packed)?;
            let bytes = distinct.bytes().len() as u64;
            let offset = spill.append(distinct.bytes())?;
            self.runs.push(Run { offset, bytes });
        }
        Ok(())
    }

    /// The columns of a side, rising, with the regions that they exist in.
    pub(crate) fn side<'a>(&'a self, side: Side, spill: &'a Spill) -> io::Result<WideSide<'a>> {
        Ok(WideSide {
            merge: Merge::new(&self.packed, (&self.runs, spill), 0)?,
            side: side as u8,
            next: None,
        })
    }

    /// What is known of each side as a whole.
    pub(super) fn summaries(
        &self,
        spill: &Spill,
        n_regions: usize,
    ) -> io::Result<(SideAtlas, SideAtlas)> {
        let of = |side| {
            let (mut columns, mut failed) = (self.side(side, spill)?, None);
            let mut counts = vec![0; n_regions];
            let each = std::iter::from_fn(|| match columns.next() {
                Ok(next) => next.map(|(column, bits)| {
                    for (region, count) in counts.iter_mut().enumerate() {
                        *count += bits >> region & 1;
                    }
                    (column.hex1, column.hex2)
                }),
                Err(error) => {
                    failed = Some(error);
                    None
                }
            });
            let extent = Extent::of(each);
            let summary = SideAtlas {
                counts,
                extent,
                wide: true,
                ..SideAtlas::default()
            };
            failed.map_or(Ok(summary), Err)
        };
        Ok((of(Side::Left)?, of(Side::Right)?))
    }
}

/// Sorted, each row once.
fn distinct(packed: Packed) -> io::Result<Packed> {
    let all = sorted(packed, 0)?;
    let mut out = Packed::with_capacity(all.bytes().len());
    let (mut rows, mut none, mut last) = (all.unpack(0), Vec::new(), None);
    while let Some(row) = rows.next(&mut none)? {
        if last != Some(row) {
            out.push(&row, &[]);
        }
        last = Some(row);
    }
    Ok(out)
}

/// Reads the columns of one side.
#[derive(Debug)]
pub(crate) struct WideSide<'a> {
    merge: Merge<'a>,
    side: u8,
    next: Option<Row>,
}

impl WideSide<'_> {
    /// The next column and its regions, as bits.
    pub(crate) fn next(&mut self) -> io::Result<Option<(Column, u64)>> {
        let mut none = Vec::new();
        let mut row = match self.next.take() {
            Some(row) => Some(row),
            None => self.merge.next(&mut none)?,
        };
        while row.is_some_and(|row| row.key.part < self.side) {
            row = self.merge.next(&mut none)?;
        }
        let Some(first) = row.filter(|row| row.key.part == self.side) else {
            return Ok(None);
        };
        let mut bits = 1 << first.key.metric;
        while let Some(row) = self.merge.next(&mut none)? {
            if (row.key.part, row.key.column()) != (first.key.part, first.key.column()) {
                self.next = Some(row);
                break;
            }
            bits |= 1 << row.key.metric;
        }
        Ok(Some((first.key.column(), bits)))
    }
}
