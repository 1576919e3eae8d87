//! Sorted rows on disk: one unnamed file that ends with the process, however it ends.
//!
//! Rows of a cell type come in runs, each sorted. Readers of several threads read runs by place; a run
//! is never held, only a block of it.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{packed::Unpack, rows::Row};

/// Bytes of a run that are read at a time. Merging a thousand runs then takes 16 MiB.
pub(super) const BLOCK: usize = 16 << 10;

/// Sorted rows in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) offset: u64,
    pub(super) bytes: u64,
}

/// The file; made when the first run is written.
#[derive(Debug)]
pub(super) struct Spill {
    dir: PathBuf,
    file: OnceLock<File>,
    end: AtomicU64,
}

impl Spill {
    /// A file to be made in a directory.
    pub(super) fn new(dir: &Path) -> Self {
        Self {
            dir: dir.into(),
            file: OnceLock::new(),
            end: AtomicU64::new(0),
        }
    }

    /// Where the file is, for messages.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Bytes written so far.
    pub(super) fn bytes(&self) -> u64 {
        self.end.load(Ordering::Relaxed)
    }

    /// Writes bytes to the end; gives their offset.
    pub(super) fn append(&self, bytes: &[u8]) -> io::Result<u64> {
        let offset = self.end.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.file()?.write_all_at(bytes, offset)?;
        Ok(offset)
    }

    fn file(&self) -> io::Result<&File> {
        if let Some(file) = self.file.get() {
            return Ok(file);
        }
        let made = tempfile::tempfile_in(&self.dir)?;
        // Of two threads that make one at a time, the other's goes.
        Ok(self.file.get_or_init(|| made))
    }
}

/// Reads the rows of a run.
#[derive(Debug)]
pub(super) struct RunReader<'a> {
    spill: &'a Spill,
    at: u64,
    end: u64,
    block: Vec<u8>,
    from: usize,
    values_per_row: usize,
    last: Row,
}

impl<'a> RunReader<'a> {
    pub(super) fn new(spill: &'a Spill, run: Run, values_per_row: usize) -> Self {
        Self {
            spill,
            at: run.offset,
            end: run.offset + run.bytes,
            block: Vec::new(),
            from: 0,
            values_per_row,
            last: Row::default(),
        }
    }

    /// The next row; its values are appended.
    pub(super) fn next(&mut self, values: &mut Vec<f64>) -> io::Result<Option<Row>> {
        // So many bytes hold any row: flags, six numbers, and a mark and eight bytes a value.
        let longest = 64 + 9 * self.values_per_row;
        if self.block.len() - self.from < longest && self.at < self.end {
            self.fill(longest)?;
        }
        let bytes = &self.block[self.from..];
        let mut unpack = Unpack::after(bytes, self.values_per_row, self.last);
        let row = unpack.next(values)?;
        self.from = self.block.len() - unpack.rest().len();
        self.last = row.unwrap_or(self.last);
        Ok(row)
    }

    fn fill(&mut self, longest: usize) -> io::Result<()> {
        self.block.drain(..self.from);
        self.from = 0;
        let held = self.block.len();
        let more = (BLOCK.max(longest) as u64).min(self.end - self.at) as usize;
        self.block.resize(held + more, 0);
        self.spill
            .file()?
            .read_exact_at(&mut self.block[held..], self.at)?;
        self.at += more as u64;
        Ok(())
    }
}
