//! Tables of any size, as a connectome of a whole nervous system would give them, from a seed.
//!
//! The distributions are those of a real data set: six maps a type, of which two in five are blank, a
//! third covers the eye and a quarter a patch of it; synapses of a column log-normal (mu 5, sigma
//! 1.5), layers Dirichlet (0.35) and Poisson, one to six cells. A type has about 12,300 rows, so that
//! 11,000 types have about 135 million.
//!
//! A seed gives the same rows on every machine, in one order or another. Memory is bounded, by less than
//! 300 MB: rows are made map by map and never held together.

mod names;
mod parts;
mod random;
mod rows;
mod shape;
#[cfg(test)]
mod tests;

use std::{
    fs,
    io::{BufWriter, Write as _},
    path::Path,
};

pub use names::AWKWARD;
pub use rows::Row;

use crate::Result;
use parts::{InOrder, Scattered, Words};
use random::{Random, Use};
use rows::{SLOTS, Source};

/// Raised with each change that gives other rows for the same arguments.
pub const VERSION: u32 = 1;

/// What is made.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// Number of cell types.
    pub types: usize,
    /// Where the random numbers start.
    pub seed: u64,
    /// Number of files, 1 to 256; scattered ones 1 to 32, as they are all open at once.
    pub parts: usize,
    /// Whether each part has rows of all types, in no order.
    pub scatter: bool,
    /// Number of rows that are there twice, which no reader may take.
    pub duplicates: u64,
    /// Share of the values that are unknown, 0 to 1.
    pub nulls: f64,
    /// Whether sizes of types follow Zipf's law.
    pub skew: bool,
    /// One map in place of all that.
    pub single: Option<Single>,
}

/// One map of one type in the right medulla: a disc.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Single {
    /// Number of columns, all with data.
    pub columns: usize,
    /// Number of layers besides the whole column.
    pub layers: u8,
}

/// What was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Made {
    /// Rows of the table.
    pub rows: u64,
    /// Pairs of type, region and side with data.
    pub maps: u64,
}

impl Default for Workload {
    fn default() -> Self {
        Self {
            types: 100,
            seed: 1,
            parts: 1,
            scatter: false,
            duplicates: 0,
            nulls: 0.0,
            skew: false,
            single: None,
        }
    }
}

impl Workload {
    /// Writes `table/part-0000.parquet` and so on into a directory, and `atlas.csv` beside the table. A
    /// single map has no atlas: every column has data.
    ///
    /// # Errors
    /// When a number is out of range or the directory cannot be written.
    pub fn write(&self, dir: &Path) -> Result<Made> {
        self.check()?;
        let table = dir.join("table");
        clear(&table)?;
        let source = Source::new(self);
        if !source.eyes.is_empty() {
            atlas(&source, &dir.join("atlas.csv"))?;
        }
        let words = Words::new(&source.names);
        if self.scatter {
            let mut out = Scattered::create(&table, &words, self.parts, self.seed)?;
            let made = self.visit(&source, |_, rows| out.push(rows))?;
            out.close()?;
            return Ok(made);
        }
        let mut out = InOrder::new(&table, &words);
        // A type is in one part, whatever its size.
        let group = |chunk| match self.single {
            Some(_) => (chunk, source.chunks()),
            None => (chunk / SLOTS.len(), self.types),
        };
        let made = self.visit(&source, |chunk, rows| {
            let (group, groups) = group(chunk);
            out.push(group * self.parts / groups, rows)
        })?;
        // A part may be empty, but is never missing.
        out.push(self.parts - 1, &[])?;
        out.close()?;
        Ok(made)
    }

    /// Names of the types, by rising bytes; [`Row::cell_type`] counts them.
    pub fn names(&self) -> Vec<String> {
        Source::new(self).names
    }

    /// Gives the rows to a function, chunk by chunk, in the order in which they are written, before
    /// those of several chunks are mixed.
    ///
    /// # Errors
    /// Those of the function.
    pub fn for_each(&self, mut take: impl FnMut(&[Row]) -> Result<()>) -> Result<Made> {
        self.check()?;
        self.visit(&Source::new(self), |_, rows| take(rows))
    }

    fn visit(
        &self,
        source: &Source<'_>,
        mut take: impl FnMut(usize, &[Row]) -> Result<()>,
    ) -> Result<Made> {
        let mut order: Vec<u32> = (0..source.chunks() as u32).collect();
        if self.scatter {
            Random::new(self.seed, Use::Order, 0).shuffle(&mut order);
        }
        let (mut made, mut rows) = (Made::default(), Vec::new());
        for chunk in order {
            source.fill(chunk as usize, &mut rows);
            if !rows.is_empty() {
                made.rows += rows.len() as u64;
                made.maps += 1;
                take(chunk as usize, &rows)?;
            }
        }
        if self.single.is_some() {
            made.maps = 1;
        }
        Ok(made)
    }

    fn check(&self) -> Result<()> {
        let wrong = match self {
            _ if !(1..=1_000_000).contains(&self.types) => "types are 1 to 1,000,000",
            _ if !(1..=256).contains(&self.parts) => "parts are 1 to 256",
            // Each open part takes 5 MB: more of them would leave the bound on memory.
            _ if self.scatter && self.parts > 32 => "scattered parts are 1 to 32",
            _ if !(0.0..=1.0).contains(&self.nulls) => "nulls are a share from 0 to 1",
            Self {
                single: Some(Single { columns, .. }),
                ..
            } if !(1..=1_000_000_000).contains(columns) => "columns are 1 to 1,000,000,000",
            _ => return Ok(()),
        };
        Err(wrong.into())
    }
}

/// A directory without parts of an earlier, larger table.
fn clear(table: &Path) -> Result<()> {
    let failed = |error| format!("{}: {error}", table.display());
    fs::create_dir_all(table).map_err(failed)?;
    for entry in fs::read_dir(table).map_err(failed)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("part-") && name.ends_with(".parquet") {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn atlas(source: &Source<'_>, path: &Path) -> Result<()> {
    let file = fs::File::create(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut out = BufWriter::new(file);
    writeln!(out, "region,side,hex1,hex2")?;
    for (slot, eye) in SLOTS.iter().zip(&source.eyes) {
        for (hex1, hex2) in eye {
            writeln!(out, "{},{},{hex1},{hex2}", slot.region, slot.side)?;
        }
    }
    Ok(out.flush()?)
}
