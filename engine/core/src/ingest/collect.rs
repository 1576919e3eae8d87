//! Rows as they are read, packed by cell type; what does not fit goes to disk, sorted.
//!
//! Each thread that reads a table collects on its own; [`super::stored`] takes all together. What the
//! rows mean is not known here.

use std::{collections::HashMap, io, sync::Arc};

use super::{
    error::{Objection, quote},
    packed::Packed,
    rows::Row,
    spill::{Run, Spill},
};

/// A cell type with more rows than this in memory is written.
const MOST_ROWS: usize = 1 << 17;

/// So is one with more rows that have to be sorted first: sorting takes 40 bytes a row, and 8 a value.
const MOST_UNSORTED: usize = 1 << 15;

/// Bytes that each cell type may take before all are written. Runs of several kilobytes are read back
/// in one go, whatever the number of types.
const BYTES_A_TYPE: usize = 8 << 10;

/// Fewer bytes than this are not worth a flush.
const LEAST_HELD: usize = 4 << 20;

/// Lack of memory does not make them either: thousands of tiny runs would take more than their rows.
const FEWEST_HELD: usize = 1 << 20;

/// Sorted rows are written in pieces of this size.
const PIECE: usize = 1 << 20;

/// The rows of one cell type.
#[derive(Debug)]
pub(super) struct TypeRows {
    pub(super) name: Arc<str>,
    pub(super) packed: Packed,
    pub(super) runs: Vec<Run>,
}

/// Rows that one thread collects.
#[derive(Debug)]
pub(super) struct Rows<'s> {
    spill: &'s Spill,
    types: Vec<TypeRows>,
    index: HashMap<Arc<str>, usize>,
    latest: usize,
    values_per_row: usize,
    /// Bytes of packed rows in memory.
    held: usize,
}

impl<'s> Rows<'s> {
    pub(super) fn new(values_per_row: usize, spill: &'s Spill) -> Self {
        Self {
            spill,
            types: Vec::new(),
            index: HashMap::new(),
            latest: 0,
            values_per_row,
            held: 0,
        }
    }

    /// The index of a cell type; neighbouring rows mostly share theirs.
    pub(super) fn cell_type(&mut self, name: &str) -> Result<usize, Objection> {
        if self
            .types
            .get(self.latest)
            .is_some_and(|latest| &*latest.name == name)
        {
            return Ok(self.latest);
        }
        self.latest = match self.index.get(name) {
            Some(&index) => index,
            None => self.add_type(name)?,
        };
        Ok(self.latest)
    }

    fn add_type(&mut self, name: &str) -> Result<usize, Objection> {
        if name.chars().any(char::is_control) {
            let message = format!("the cell type {} has a control character", quote(name));
            return Err(Objection::new(message).help("remove it from the name"));
        }
        let name: Arc<str> = name.into();
        self.index.insert(Arc::clone(&name), self.types.len());
        self.types.push(TypeRows {
            name,
            packed: Packed::default(),
            runs: Vec::new(),
        });
        Ok(self.types.len() - 1)
    }

    /// Adds a row.
    pub(super) fn push(&mut self, cell_type: usize, row: &Row, values: &[f64]) -> io::Result<()> {
        let Some(rows) = self.types.get(cell_type) else {
            return Ok(());
        };
        if rows.packed.len() >= MOST_UNSORTED && rows.packed.would_unsort(row) {
            self.write(|index| index == cell_type)?;
        }
        let packed = &mut self.types[cell_type].packed;
        let before = packed.capacity();
        packed.push(row, values);
        self.held += packed.capacity() - before;
        let most = if packed.is_sorted() {
            MOST_ROWS
        } else {
            MOST_UNSORTED
        };
        if packed.len() >= most {
            self.write(|index| index == cell_type)?;
        }
        Ok(())
    }

    /// Writes all rows to disk if they take more than `most` bytes, or many for their number of types.
    pub(super) fn keep_within(&mut self, most: usize) -> io::Result<()> {
        let enough = LEAST_HELD.max(self.types.len() * BYTES_A_TYPE).min(most);
        // At zero, as tests have it, every batch is written.
        let enough = if most == 0 {
            0
        } else {
            enough.max(FEWEST_HELD)
        };
        if self.held > enough {
            self.write(|_| true)?;
        }
        Ok(())
    }

    /// Sorts the rows of some cell types and writes them.
    fn write(&mut self, wanted: impl Fn(usize) -> bool) -> io::Result<()> {
        let mut piece = Piece::new(self.spill);
        for (index, rows) in self.types.iter_mut().enumerate() {
            if rows.packed.len() == 0 || !wanted(index) {
                continue;
            }
            let packed = std::mem::take(&mut rows.packed);
            self.held -= packed.capacity();
            let sorted = sorted(packed, self.values_per_row)?;
            piece.add(index, sorted.bytes())?;
        }
        for (index, run) in piece.finish()? {
            self.types[index].runs.push(run);
        }
        Ok(())
    }

    /// Writes the last rows of types that have runs, and sorts those of the others, so that all can be
    /// merged as they lie.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        let runs: Vec<bool> = self
            .types
            .iter()
            .map(|rows| !rows.runs.is_empty())
            .collect();
        self.write(|index| runs[index])?;
        for rows in &mut self.types {
            rows.packed = sorted(std::mem::take(&mut rows.packed), self.values_per_row)?;
        }
        Ok(())
    }

    /// What was collected, in the order of first appearance.
    pub(super) fn into_types(self) -> Vec<TypeRows> {
        self.types
    }
}

/// Sorts packed rows.
pub(super) fn sorted(packed: Packed, values_per_row: usize) -> io::Result<Packed> {
    if packed.is_sorted() {
        return Ok(packed);
    }
    let (rows, values) = unpacked(&packed, values_per_row)?;
    let mut out = Packed::with_capacity(packed.bytes().len());
    drop(packed);
    for (row, place) in rows {
        out.push(&row, &values[place as usize..][..values_per_row]);
    }
    Ok(out)
}

/// Rows with the places of their values.
type Unpacked = (Vec<(Row, u32)>, Vec<f64>);

/// Rows sorted, and their values as they were.
fn unpacked(packed: &Packed, values_per_row: usize) -> io::Result<Unpacked> {
    let mut rows = Vec::with_capacity(packed.len());
    let mut values = Vec::with_capacity(packed.len() * values_per_row);
    let mut unpack = packed.unpack(values_per_row);
    loop {
        // Rows that are sorted are at most `MOST_UNSORTED`.
        let place = values.len() as u32;
        match unpack.next(&mut values)? {
            Some(row) => rows.push((row, place)),
            None => break,
        }
    }
    rows.sort_unstable();
    Ok((rows, values))
}

/// Runs on their way to the disk, several in one write.
struct Piece<'s> {
    spill: &'s Spill,
    bytes: Vec<u8>,
    /// Cell type, and place and length in `bytes`.
    waiting: Vec<(usize, usize, usize)>,
    done: Vec<(usize, Run)>,
}

impl<'s> Piece<'s> {
    const fn new(spill: &'s Spill) -> Self {
        Self {
            spill,
            bytes: Vec::new(),
            waiting: Vec::new(),
            done: Vec::new(),
        }
    }

    fn add(&mut self, cell_type: usize, rows: &[u8]) -> io::Result<()> {
        self.waiting.push((cell_type, self.bytes.len(), rows.len()));
        self.bytes.extend_from_slice(rows);
        if self.bytes.len() >= PIECE {
            self.write()?;
        }
        Ok(())
    }

    fn write(&mut self) -> io::Result<()> {
        let offset = self.spill.append(&self.bytes)?;
        self.bytes.clear();
        let run = |(cell_type, place, len): (usize, usize, usize)| {
            let run = Run {
                offset: offset + place as u64,
                bytes: len as u64,
            };
            (cell_type, run)
        };
        self.done.extend(self.waiting.drain(..).map(run));
        Ok(())
    }

    fn finish(mut self) -> io::Result<Vec<(usize, Run)>> {
        if !self.waiting.is_empty() {
            self.write()?;
        }
        Ok(self.done)
    }
}
