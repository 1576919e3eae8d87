//! What one thread reads: units of files, until there are no more.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{
    super::{
        atlas::AtlasIndex,
        collect::Rows,
        error::{Objection, Place, TableError},
        field::Pattern,
        row::RowReader,
        rows::Numbers,
        schema::{Layout, Values},
        source::{BATCH_ROWS, Source},
        spill::Spill,
        visits::Visits,
    },
    Files, RowTally, Shared, Unit, spill_error,
};

/// What one thread read.
pub(in crate::ingest) struct Collected<'a> {
    pub(in crate::ingest) rows: Rows<'a>,
    pub(in crate::ingest) visits: Visits<'a>,
    pub(super) rows_read: u64,
    pub(in crate::ingest) unplaced_rows: u64,
    pub(in crate::ingest) unmatched_rows: u64,
    pub(in crate::ingest) layered: bool,
    pub(in crate::ingest) seen: Vec<bool>,
    pub(super) tallies: Vec<RowTally>,
    pub(in crate::ingest) values: Vec<f64>,
    /// The number of the row that is being read.
    pub(in crate::ingest) number: u64,
}

impl<'a> Collected<'a> {
    pub(super) fn new(files: &Files, atlas: &'a AtlasIndex, spill: &'a Spill) -> Self {
        let layout = &files.files[0].layout;
        let values = files.values_per_row();
        let all_seen = !matches!(layout.values, Values::Tall { .. });
        Self {
            rows: Rows::new(values, spill),
            visits: Visits::new(atlas, spill),
            rows_read: 0,
            unplaced_rows: 0,
            unmatched_rows: 0,
            layered: false,
            seen: vec![all_seen; layout.metrics.len()],
            tallies: vec![RowTally::default(); layout.metrics.len()],
            values: Vec::with_capacity(values),
            number: 0,
        }
    }

    /// Counts what the row that was read says of metrics, its values being those from `first` on.
    pub(in crate::ingest) fn tally(&mut self, first: usize, layout: &Layout) {
        // A body counts as a cell, and in a table without synapses as nothing else.
        if layout.body.is_some()
            && let Some(cells) = layout.metrics.iter().position(|m| m.name == "cells")
        {
            self.tallies[cells].rows += 1;
        }
        let tallies = self.tallies.iter_mut().skip(first);
        for (tally, &value) in tallies.zip(&self.values) {
            tally.add(value);
        }
    }

    /// Reads units until there are no more, holding at most so many bytes of rows.
    pub(super) fn read(mut self, shared: &Shared<'_>, number: usize, most: usize) -> Self {
        let never = AtomicBool::new(false);
        let cancel = shared.options.cancel.unwrap_or(&never);
        loop {
            if let Some(pressure) = shared.options.pressure {
                pressure.wait_for_turn(number, cancel, || shared.has_more());
            }
            let index = shared.next.fetch_add(1, Ordering::Relaxed);
            let Some(unit) = shared.files.units.get(index) else {
                if let Err(error) = self.finish() {
                    shared.stop(usize::MAX, u64::MAX, spill_error(shared, error));
                }
                return self;
            };
            self.number = Numbers::of(unit.file, 0);
            let room = shared.options.pressure.map(|pressure| &pressure.room);
            let held = shared.files.files[unit.file].held_bytes;
            // Whoever need not wait any more finds out below why.
            let _given = room.and_then(|room| {
                let cancelled = || cancel.load(Ordering::Relaxed);
                room.admit(held, || !cancelled())
            });
            if let Err(error) = self.read_unit(shared, index, unit, most) {
                shared.stop(index, self.number, error);
            }
        }
    }

    fn finish(&mut self) -> std::io::Result<()> {
        self.rows.finish()?;
        self.visits.finish()
    }

    fn read_unit(
        &mut self,
        shared: &Shared<'_>,
        index: usize,
        unit: &Unit,
        most: usize,
    ) -> Result<(), TableError> {
        let file = &shared.files.files[unit.file];
        let span = tracing::debug_span!(
            "ingest",
            file = %file.path.display(),
            rows = tracing::field::Empty,
            bytes = tracing::field::Empty
        )
        .entered();
        let mut source = Source::open(&file.path)?;
        if source.header != file.header {
            let objection = Objection::new("changed while it was being read");
            return Err(objection.help("try again").at(&file.path, Place::File));
        }
        if let Some(groups) = unit.groups.clone() {
            source.only(groups);
        }
        source.select(&file.layout.columns());
        let shrunk = |usual| shared.options.pressure.map_or(usual, |p| p.shrunk(usual));
        source.batch_rows(shrunk(BATCH_ROWS));
        let (mut bytes, before) = (0, self.rows_read);
        while shared.goes_on(index)? {
            let Some(batch) = source.next_batch()? else {
                break;
            };
            let rows = batch.len();
            let mut reader = RowReader {
                file,
                skip_unplaced: shared.options.table.skip_unplaced,
                regions: shared.regions,
                options: shared.options,
                groups: file.layout.pattern.as_ref().map(Pattern::groups),
                out: self,
            };
            for row in 0..rows {
                let number = batch.number(row);
                reader.out.number = Numbers::of(unit.file, number);
                reader
                    .row(&batch, row)
                    .map_err(|fault| fault.at(file, (file.place)(number), shared))?;
            }
            self.number += 1;
            self.rows_read += rows as u64;
            let disk = |source| spill_error(shared, source);
            self.rows.keep_within(shrunk(most)).map_err(disk)?;
            let earlier = std::mem::replace(&mut bytes, source.bytes_read());
            shared.report(rows as u64, bytes - earlier);
        }
        span.record("rows", self.rows_read - before);
        span.record("bytes", bytes);
        Ok(())
    }
}
