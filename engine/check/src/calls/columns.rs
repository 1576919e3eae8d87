//! Columns of a map to ask about, with attributes of every type.

use std::ops::Range;

use eyemap_abi::{
    ColumnData, TableColumn,
    abi_stable::std_types::{RSlice, RStr},
    job::ColumnStatus,
};

use crate::seeded::Seeded;

/// Names of the attributes, as the golden vectors' jobs list them.
const ATTRIBUTES: [&str; 3] = ["ommatidium", "area_um2", "note"];
/// Texts that mean something elsewhere.
const NOTES: [&str; 6] = ["dorsal rim", "", "<b>", "{value}", "\u{202e}x", "a\nb"];

/// Columns; all vectors have one length.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Columns {
    pub(super) hex1: Vec<i32>,
    pub(super) hex2: Vec<i32>,
    /// 0 where the status is not `HasData`.
    pub(super) values: Vec<f64>,
    pub(super) status: Vec<u8>,
    ommatidia: Vec<i64>,
    areas: Vec<f64>,
    notes: Vec<&'static str>,
    valid: Vec<u8>,
}

/// Columns as a call lends them; a call that is to be refused has arrays of several lengths.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inputs<'a> {
    /// 0 for whole columns, else a layer.
    pub(super) layer: u32,
    pub(super) hex1: &'a [i32],
    pub(super) hex2: &'a [i32],
    pub(super) values: &'a [f64],
    pub(super) status: &'a [u8],
    pub(super) attributes: &'a [TableColumn<'a>],
}

/// From a thousandth to a billion, each power of two as often: no range of numbers is so small that a million
/// columns miss it.
fn any_magnitude(seeded: &mut Seeded) -> f64 {
    let power = seeded.below(40) as i32 - 10;
    (1.0 + seeded.unit()) * 2f64.powi(power)
}

impl Columns {
    /// Columns of an eye with counts, fractions, numbers of every magnitude, zeros and a few negative numbers, of
    /// every status.
    pub(super) fn random(seeded: &mut Seeded, len: usize) -> Self {
        let mut columns = Self::with_capacity(len);
        for _ in 0..len {
            let (hex1, hex2) = (seeded.below(45) as i32 - 5, seeded.below(45) as i32 - 5);
            let status = match seeded.below(16) {
                0 => ColumnStatus::NoData,
                1 => ColumnStatus::NotInRegion,
                2 => ColumnStatus::Unknown,
                _ => ColumnStatus::HasData,
            };
            let value = match seeded.below(8) {
                0 => 0.0,
                1 => seeded.unit() * 30.0 - 5.0,
                2 => seeded.below(1 << 20) as f64,
                3 => any_magnitude(seeded),
                _ => seeded.below(40) as f64,
            };
            columns.push(hex1, hex2, value, status);
        }
        columns
    }

    pub(super) fn with_capacity(len: usize) -> Self {
        Self {
            hex1: Vec::with_capacity(len),
            hex2: Vec::with_capacity(len),
            values: Vec::with_capacity(len),
            status: Vec::with_capacity(len),
            ommatidia: Vec::with_capacity(len),
            areas: Vec::with_capacity(len),
            notes: Vec::with_capacity(len),
            valid: Vec::with_capacity(len),
        }
    }

    /// Adds a column; what it has besides follows from its number.
    pub(super) fn push(&mut self, hex1: i32, hex2: i32, value: f64, status: ColumnStatus) {
        let number = self.len();
        self.hex1.push(hex1);
        self.hex2.push(hex2);
        let has_data = status == ColumnStatus::HasData;
        self.values.push(if has_data { value } else { 0.0 });
        self.status.push(status as u8);
        self.ommatidia.push(number as i64);
        self.areas.push(number as f64 * 0.25);
        self.notes.push(NOTES[number % NOTES.len()]);
        self.valid.push(u8::from(number % 9 != 8));
    }

    pub(super) const fn len(&self) -> usize {
        self.hex1.len()
    }

    /// The columns from the last to the first.
    pub(super) fn reversed(&self) -> Self {
        let mut columns = self.clone();
        columns.hex1.reverse();
        columns.hex2.reverse();
        columns.values.reverse();
        columns.status.reverse();
        columns.ommatidia.reverse();
        columns.areas.reverse();
        columns.notes.reverse();
        columns.valid.reverse();
        columns
    }

    /// Lends some of the columns, as a layer, with or without attributes.
    pub(super) fn lend<T>(
        &self,
        range: Range<usize>,
        layer: u32,
        attributes: bool,
        call: impl FnOnce(&Inputs<'_>) -> T,
    ) -> T {
        let notes: Vec<RStr<'_>> = match attributes {
            true => self.notes[range.clone()]
                .iter()
                .map(|&note| note.into())
                .collect(),
            false => Vec::new(),
        };
        let data = [
            ColumnData::I64(RSlice::from_slice(&self.ommatidia[range.clone()])),
            ColumnData::F64(RSlice::from_slice(&self.areas[range.clone()])),
            ColumnData::Text(RSlice::from_slice(&notes)),
        ];
        let valid = RSlice::from_slice(&self.valid[range.clone()]);
        let columns: Vec<_> = ATTRIBUTES
            .iter()
            .zip(data)
            .take(if attributes { 3 } else { 0 })
            .map(|(&name, data)| TableColumn {
                name: name.into(),
                data,
                valid,
            })
            .collect();
        call(&Inputs {
            layer,
            hex1: &self.hex1[range.clone()],
            hex2: &self.hex2[range.clone()],
            values: &self.values[range.clone()],
            status: &self.status[range],
            attributes: &columns,
        })
    }

    /// Whether what columns have besides is the same, bit for bit.
    pub(super) fn same_attributes(&self, other: &Self) -> bool {
        let areas = |columns: &Self| {
            columns
                .areas
                .iter()
                .map(|a| a.to_bits())
                .collect::<Vec<_>>()
        };
        self.ommatidia == other.ommatidia
            && areas(self) == areas(other)
            && self.notes == other.notes
            && self.valid == other.valid
    }

    /// A column in words.
    pub(super) fn describe(&self, index: usize) -> String {
        let status = ColumnStatus::from_u8(self.status[index]);
        let status = status.map_or_else(
            || format!("status {}", self.status[index]),
            |status| status.word().replace('_', " "),
        );
        format!(
            "column {index} of {} ({},{}, value {:?}, {status})",
            self.len(),
            self.hex1[index],
            self.hex2[index],
            self.values[index]
        )
    }
}
