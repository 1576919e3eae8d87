//! Rows as bytes: each row as what differs from the one before, 4 to 10 bytes in place of 48.
//!
//! The form is for memory and for files that live as long as the process. It is not checked against
//! tampering, but bytes that make no sense are an error and never a panic.

use integer_encoding::VarInt;

use super::rows::{Key, Row};

/// What is the same as in the row before, or as it would be expected.
mod same {
    pub(super) const PART: u8 = 1;
    pub(super) const HEX1: u8 = 2;
    pub(super) const HEX2: u8 = 4;
    /// One more than before: the next layer of the column.
    pub(super) const NEXT_LAYER: u8 = 8;
    pub(super) const METRIC: u8 = 16;
    pub(super) const BODY: u8 = 32;
    /// One more than before: the next row of the file.
    pub(super) const NEXT_NUMBER: u8 = 64;
}

/// Values that are no whole number from zero up, which stand as themselves plus [`FIRST_WHOLE`].
const UNKNOWN: u64 = 0;
const AS_BITS: u64 = 1;
const FIRST_WHOLE: u64 = 2;

/// Rows, packed in the order in which they were added.
#[derive(Debug, Default, Clone)]
pub(super) struct Packed {
    bytes: Vec<u8>,
    rows: usize,
    last: Row,
    unsorted: bool,
}

impl Packed {
    /// No rows, and memory for so many bytes.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
            ..Self::default()
        }
    }

    /// Adds a row.
    pub(super) fn push(&mut self, row: &Row, values: &[f64]) {
        let (last, key) = (self.last, row.key);
        self.unsorted |= self.rows > 0 && *row < last;
        let flag = |is: bool, bit: u8| if is { bit } else { 0 };
        let flags = flag(key.part == last.key.part, same::PART)
            | flag(key.hex1 == last.key.hex1, same::HEX1)
            | flag(key.hex2 == last.key.hex2, same::HEX2)
            | flag(
                key.layer == last.key.layer.wrapping_add(1),
                same::NEXT_LAYER,
            )
            | flag(key.metric == last.key.metric, same::METRIC)
            | flag(row.body == last.body, same::BODY)
            | flag(row.number == last.number.wrapping_add(1), same::NEXT_NUMBER);
        self.bytes.push(flags);
        if flags & same::PART == 0 {
            self.bytes.push(key.part);
        }
        if flags & same::HEX1 == 0 {
            self.varint(zigzag(i64::from(key.hex1) - i64::from(last.key.hex1)));
        }
        if flags & same::HEX2 == 0 {
            self.varint(zigzag(i64::from(key.hex2) - i64::from(last.key.hex2)));
        }
        if flags & same::NEXT_LAYER == 0 {
            self.varint(u64::from(key.layer));
        }
        if flags & same::METRIC == 0 {
            self.bytes.push(key.metric);
        }
        if flags & same::BODY == 0 {
            self.varint(row.body);
        }
        if flags & same::NEXT_NUMBER == 0 {
            self.varint(zigzag(row.number.wrapping_sub(last.number) as i64));
        }
        for &value in values {
            self.value(value);
        }
        self.rows += 1;
        self.last = *row;
    }

    fn value(&mut self, value: f64) {
        let whole = value as u64;
        if value.is_nan() {
            self.varint(UNKNOWN);
        } else if whole < 1 << 53 && (whole as f64).to_bits() == value.to_bits() {
            self.varint(whole + FIRST_WHOLE);
        } else {
            self.varint(AS_BITS);
            self.bytes.extend_from_slice(&value.to_bits().to_le_bytes());
        }
    }

    fn varint(&mut self, number: u64) {
        if number < 0x80 {
            self.bytes.push(number as u8);
            return;
        }
        let mut digits = [0; 10];
        let len = number.encode_var(&mut digits);
        self.bytes.extend_from_slice(&digits[..len]);
    }

    /// Number of rows.
    pub(super) const fn len(&self) -> usize {
        self.rows
    }

    /// Memory that it takes.
    pub(super) const fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its rows, with so many values each.
    pub(super) fn unpack(&self, values_per_row: usize) -> Unpack<'_> {
        Unpack::new(&self.bytes, values_per_row)
    }

    /// Whether the rows came in order.
    pub(super) const fn is_sorted(&self) -> bool {
        !self.unsorted
    }

    /// Whether this row would be the first out of order.
    pub(super) fn would_unsort(&self, row: &Row) -> bool {
        self.rows > 0 && !self.unsorted && *row < self.last
    }
}

const fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63) as u64
}

const fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

/// Reads packed rows.
#[derive(Debug)]
pub(super) struct Unpack<'a> {
    bytes: &'a [u8],
    values_per_row: usize,
    last: Row,
}

/// Bytes that are no packed rows.
#[derive(Debug)]
pub(super) struct Unreadable;

impl From<Unreadable> for std::io::Error {
    fn from(_: Unreadable) -> Self {
        Self::new(std::io::ErrorKind::InvalidData, "damaged rows")
    }
}

impl<'a> Unpack<'a> {
    pub(super) fn new(bytes: &'a [u8], values_per_row: usize) -> Self {
        Self::after(bytes, values_per_row, Row::default())
    }

    /// Goes on after a row.
    pub(super) const fn after(bytes: &'a [u8], values_per_row: usize, last: Row) -> Self {
        Self {
            bytes,
            values_per_row,
            last,
        }
    }

    /// What is not read yet.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    /// The next row; its values are appended to `values`. None at the end.
    pub(super) fn next(&mut self, values: &mut Vec<f64>) -> Result<Option<Row>, Unreadable> {
        let Some((&flags, rest)) = self.bytes.split_first() else {
            return Ok(None);
        };
        self.bytes = rest;
        let last = self.last;
        let is = |bit: u8| flags & bit != 0;
        let part = if is(same::PART) {
            last.key.part
        } else {
            self.byte()?
        };
        let hex1 = if is(same::HEX1) {
            last.key.hex1
        } else {
            self.moved(last.key.hex1)?
        };
        let hex2 = if is(same::HEX2) {
            last.key.hex2
        } else {
            self.moved(last.key.hex2)?
        };
        let layer = if is(same::NEXT_LAYER) {
            last.key.layer.wrapping_add(1)
        } else {
            u16::try_from(self.varint()?).map_err(|_| Unreadable)?
        };
        let metric = if is(same::METRIC) {
            last.key.metric
        } else {
            self.byte()?
        };
        let body = if is(same::BODY) {
            last.body
        } else {
            self.varint()?
        };
        let step = if is(same::NEXT_NUMBER) {
            1
        } else {
            unzigzag(self.varint()?)
        };
        for _ in 0..self.values_per_row {
            values.push(self.value()?);
        }
        self.last = Row {
            key: Key {
                part,
                hex1,
                hex2,
                layer,
                metric,
            },
            body,
            number: last.number.wrapping_add(step as u64),
        };
        Ok(Some(self.last))
    }

    fn value(&mut self) -> Result<f64, Unreadable> {
        Ok(match self.varint()? {
            UNKNOWN => f64::NAN,
            AS_BITS => {
                let (bits, rest) = self.bytes.split_first_chunk().ok_or(Unreadable)?;
                self.bytes = rest;
                f64::from_bits(u64::from_le_bytes(*bits))
            }
            whole => (whole - FIRST_WHOLE) as f64,
        })
    }

    fn moved(&mut self, from: i32) -> Result<i32, Unreadable> {
        let to = i64::from(from).checked_add(unzigzag(self.varint()?));
        to.and_then(|to| i32::try_from(to).ok()).ok_or(Unreadable)
    }

    fn byte(&mut self) -> Result<u8, Unreadable> {
        let (&byte, rest) = self.bytes.split_first().ok_or(Unreadable)?;
        self.bytes = rest;
        Ok(byte)
    }

    fn varint(&mut self) -> Result<u64, Unreadable> {
        // Nearly all numbers are one byte.
        if let Some((&byte, rest)) = self.bytes.split_first()
            && byte < 0x80
        {
            self.bytes = rest;
            return Ok(u64::from(byte));
        }
        let (number, len) = u64::decode_var(self.bytes).ok_or(Unreadable)?;
        self.bytes = self.bytes.get(len..).ok_or(Unreadable)?;
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows() -> impl Strategy<Value = Vec<(Row, [f64; 2])>> {
        let small = (any::<u8>(), -3..3i32, -3..3i32, 0..9u16, 0..2u8, 0..3u64);
        let any_row = (
            any::<u8>(),
            any::<i32>(),
            any::<i32>(),
            any::<u16>(),
            any::<u8>(),
            any::<u64>(),
        );
        let row = prop_oneof![small, any_row];
        let value = prop_oneof![
            Just(f64::NAN),
            Just(-0.0),
            any::<f64>(),
            (0..300u32).prop_map(f64::from),
            Just((1u64 << 53) as f64)
        ];
        let whole =
            (row, any::<u64>(), [value.clone(), value]).prop_map(|(row, number, values)| {
                let (part, hex1, hex2, layer, metric, body) = row;
                let key = Key {
                    part,
                    hex1,
                    hex2,
                    layer,
                    metric,
                };
                (Row { key, body, number }, values)
            });
        prop::collection::vec(whole, 0..40)
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_out_bit_by_bit(rows in rows()) {
            let mut packed = Packed::default();
            for (row, values) in &rows {
                packed.push(row, values);
            }
            prop_assert_eq!(packed.len(), rows.len());
            let (mut unpack, mut values) = (packed.unpack(2), Vec::new());
            for (row, wanted) in &rows {
                prop_assert_eq!(unpack.next(&mut values).expect("rows"), Some(*row));
                let found = values.split_off(0);
                for (found, wanted) in found.iter().zip(wanted) {
                    // Every NaN stands for the same.
                    prop_assert!(found.to_bits() == wanted.to_bits() || found.is_nan() && wanted.is_nan());
                }
            }
            prop_assert!(unpack.next(&mut values).expect("the end").is_none());
        }

        #[test]
        fn any_bytes_are_rows_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let (mut unpack, mut values) = (Unpack::new(&bytes, 2), Vec::new());
            while let Ok(Some(_)) = unpack.next(&mut values) {}
        }
    }

    #[test]
    fn the_rows_of_a_sorted_table_take_few_bytes() {
        let mut packed = Packed::default();
        let mut number = 0;
        for hex1 in 0..10 {
            for (hex2, layer) in (0..30).flat_map(|hex2| (0..11).map(move |layer| (hex2, layer))) {
                number += 1;
                let key = Key {
                    part: 1,
                    hex1,
                    hex2,
                    layer,
                    metric: 0,
                };
                let row = Row {
                    key,
                    body: 0,
                    number,
                };
                packed.push(&row, &[150.0, 2.0]);
            }
        }
        let a_row = packed.bytes().len() as f64 / packed.len() as f64;
        assert!(a_row < 4.5, "{a_row} bytes a row");
    }
}
