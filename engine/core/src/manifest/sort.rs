//! Sorts the lines of a journal by map, in pieces on the disk: memory does not grow with the journal.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    fs::File,
    io::{self, BufWriter, Seek as _, Write as _},
    iter::Peekable,
    path::PathBuf,
};

use super::{Entry, Key, Line, ManifestError, io_error, lines::Lines};
use crate::sink::Scratch;

/// Lines of so many bytes are sorted in memory at a time; they take about three times as much there.
const RUN_BYTES: usize = 4 << 20;

/// Gathers lines, in the order in which they were written.
#[derive(Debug)]
pub(super) struct Sorter<'a> {
    scratch: &'a Scratch,
    held: Vec<Line<Entry>>,
    bytes: usize,
    runs: Vec<Run>,
    run_bytes: usize,
}

impl<'a> Sorter<'a> {
    pub(super) fn new(scratch: &'a Scratch) -> Self {
        Self {
            scratch,
            held: Vec::new(),
            bytes: 0,
            runs: Vec::new(),
            run_bytes: RUN_BYTES,
        }
    }

    /// With runs of another size.
    #[cfg(test)]
    pub(super) fn of_runs(scratch: &'a Scratch, run_bytes: usize) -> Self {
        Self {
            run_bytes,
            ..Self::new(scratch)
        }
    }

    /// Takes in a line that had so many bytes.
    pub(super) fn push(&mut self, line: Line<Entry>, bytes: usize) -> Result<(), ManifestError> {
        self.held.push(line);
        self.bytes += bytes;
        if self.bytes >= self.run_bytes {
            let held = self.take();
            let run = write_run(self.scratch, &held);
            self.runs
                .push(run.map_err(io_error(self.scratch.dir().path()))?);
        }
        Ok(())
    }

    /// What is held, by map, one line each.
    fn take(&mut self) -> Vec<Line<Entry>> {
        self.bytes = 0;
        let mut held = std::mem::take(&mut self.held);
        // Stable: lines about one map stay in the order in which they were written.
        held.sort_by(|a, b| a.entry.key.cmp(&b.entry.key));
        let mut folded: Vec<Line<Entry>> = Vec::with_capacity(held.len());
        for line in held {
            match folded.pop_if(|last| last.entry.key == line.entry.key) {
                Some(earlier) => folded.push(earlier.then(line)),
                None => folded.push(line),
            }
        }
        folded
    }

    /// All lines, rising by map, one each.
    pub(super) fn finish(mut self) -> Result<Sorted, ManifestError> {
        let held = self.take();
        let place = self.scratch.dir().path().to_owned();
        let mut sorted = Sorted {
            runs: self.runs,
            held: held.into_iter().peekable(),
            heads: BinaryHeap::new(),
            place,
        };
        for run in 0..sorted.runs.len() {
            sorted.refill(run)?;
        }
        Ok(sorted)
    }
}

/// A sorted piece on the disk, and its next line.
#[derive(Debug)]
struct Run {
    lines: Lines<File>,
    next: Option<Line<Entry>>,
}

fn write_run(scratch: &Scratch, lines: &[Line<Entry>]) -> io::Result<Run> {
    let (name, file) = scratch.create()?;
    // Without a name it goes away with the process; where that cannot be, with the run's directory.
    let _ = scratch.dir().remove(name);
    let mut out = BufWriter::with_capacity(64 << 10, file);
    for line in lines {
        serde_json::to_writer(&mut out, line)?;
        out.write_all(b"\n")?;
    }
    let mut file = out.into_inner()?;
    file.rewind()?;
    Ok(Run {
        lines: Lines::new(file),
        next: None,
    })
}

/// Lines rising by map. What follows a map's line in a later piece is folded into it.
#[derive(Debug)]
pub(super) struct Sorted {
    runs: Vec<Run>,
    /// The last piece, which needs no disk.
    held: Peekable<std::vec::IntoIter<Line<Entry>>>,
    heads: BinaryHeap<Reverse<(Key, usize)>>,
    place: PathBuf,
}

impl Sorted {
    /// The next map.
    pub(super) fn next(&mut self) -> Result<Option<Line<Entry>>, ManifestError> {
        let held = self.held.peek().map(|line| line.entry.key.clone());
        let key = match (&held, self.heads.peek()) {
            (Some(held), Some(Reverse((key, _)))) => held.min(key).clone(),
            (Some(key), None) | (None, Some(Reverse((key, _)))) => key.clone(),
            (None, None) => return Ok(None),
        };
        let mut found: Option<Line<Entry>> = None;
        let mut fold = |line: Line<Entry>| {
            found = Some(match found.take() {
                Some(earlier) => earlier.then(line),
                None => line,
            });
        };
        // Pieces of the same key leave the heap in the order in which they were written.
        while let Some(Reverse((head, run))) = self.heads.peek()
            && *head == key
        {
            let run = *run;
            self.heads.pop();
            if let Some(line) = self.runs[run].next.take() {
                fold(line);
            }
            self.refill(run)?;
        }
        if let Some(line) = self.held.next_if(|line| line.entry.key == key) {
            fold(line);
        }
        Ok(found)
    }

    fn refill(&mut self, run: usize) -> Result<(), ManifestError> {
        let lines = &mut self.runs[run].lines;
        let line = lines.next().map_err(io_error(&self.place))?;
        let line = line.map(serde_json::from_slice::<Line<Entry>>).transpose();
        let line = line.map_err(|error| io_error(&self.place)(error.into()))?;
        if let Some(line) = &line {
            self.heads.push(Reverse((line.entry.key.clone(), run)));
        }
        self.runs[run].next = line;
        Ok(())
    }
}
