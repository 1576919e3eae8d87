//! A map that is never held: columns are placed, coloured and labelled batch by batch.
//!
//! The columns are gone over three times: for the bounds of the canvas, for what the head of the scene
//! and the fingerprint depend on, and to be drawn. All of it gives the same bytes as a map that is held;
//! stages that are not chunk-invariant are given whole maps, so theirs are held.

use std::sync::atomic::{AtomicBool, Ordering};

use eyemap_abi::job::{ColumnStatus, CoordinateJob};

use super::{
    Fingerprint, Grid, Maps, Request, Told, Totals,
    content::{Content, PIECE, Places},
    draft::{Annotated, Job, Parts, fingerprint, hash_of, head, overrides},
    grid::{Bounds, Canvas, absent, nowhere},
    layers::{LayerScales, Layers},
    scope::Kind,
};
use crate::{
    clipped::Clipped,
    dataset::{PartBatch, PartReader, SideColumns},
    scene::{Counts, HexagonBatch, Legend, SceneHead, SceneWriter},
    stage::{Placement, Scale, StageError, Texts},
};

/// Why a streamed map is not drawn.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError {
    /// A stage failed.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// The writer failed.
    #[error(transparent)]
    Write(#[from] std::io::Error),
    /// The caller asked for an end.
    #[error("drawing was interrupted")]
    Interrupted,
}

/// A map whose columns are read anew each time it is drawn.
pub struct Stream<'a> {
    source: Source<'a>,
    canvas: Canvas,
    scale: Scale<'a>,
    layers: LayerScales<'a>,
    n_layers: usize,
    texts: Texts<'a>,
    /// What does not grow with the map.
    pub head: SceneHead,
    /// Whether no column has data.
    pub blank: bool,
    /// Columns that the coordinate stage could not place.
    pub unplaced: usize,
    /// What lies beyond ranges that were set by hand.
    pub clipped: Clipped,
    fingerprint: Fingerprint,
}

/// Pieces in a batch, at most.
const MOST_PIECES: usize = 4;

impl Maps<'_> {
    /// Whether a map has too many columns to be held, and can be drawn without.
    pub fn is_streamed(&self, request: Request) -> bool {
        let side = self.dataset.atlas.side(request.side);
        let too_many = match self.pipeline.config.memory.stream_above {
            0 => false,
            most => side.columns.len() as u64 > most,
        };
        // Columns on the disk cannot be held, whatever the table was read for.
        (too_many || side.wide) && self.pipeline.draws_in_batches() && side.attributes.is_empty()
    }

    /// Prepares a map to be drawn batch by batch.
    ///
    /// # Errors
    /// When a stage fails, the table does not have what the map needs, or `cancel` becomes true.
    pub fn stream(&self, request: Request, cancel: &AtomicBool) -> Result<Stream<'_>, StreamError> {
        let summary = &self.dataset.types[request.cell_type];
        self.refuse_underivable(summary, request)?;
        let job = self.place_job(request.region, request.side);
        let source = Source {
            maps: self,
            request,
            placement: self.pipeline.coordinate.prepare(&job)?,
        };
        let (canvas, columns, unplaced) = source.bounds(&job, cancel)?;
        let part = summary.part(request.region, request.side);
        let n_layers = part.map_or(0, |part| part.n_layers);
        let color = &self.pipeline.color;
        let whole = Job::new(self.color_job(request, Kind::Whole)?);
        let mut layers = self.layer_jobs(request, n_layers)?;
        let scale = color.prepare(&whole.job)?;
        let mut layer_scales = LayerScales::new(color, &layers)?;
        let mut legends = Legends {
            whole: scale.legend()?,
            layers: layer_scales.legends()?,
        };
        let by_hand = [
            whole.job.range.is_some(),
            layers.iter().any(|job| job.job.range.is_some()),
        ];
        let looked = source.look(&canvas, &job, (n_layers, &legends), cancel)?;
        let blank = looked.totals.counts.has_data == 0;
        let n_layers = if blank { 0 } else { n_layers };
        if blank {
            layers.clear();
            layer_scales = LayerScales::new(color, &layers)?;
            legends = Legends::default();
        }
        let (counts, mut layer_counts) = (looked.totals.counts, looked.layer_counts);
        layer_counts.truncate(n_layers);
        let told = Told {
            attributes: &[],
            totals: looked.totals,
            n_layers,
        };
        let job = self.metadata_job(request, told);
        let content = looked
            .content
            .finish(looked.places.finish(), !layers.is_empty());
        let fingerprint = fingerprint(self, (content, hash_of(&job)), &whole, &layers);
        let texts = self.pipeline.metadata.prepare(&job)?;
        let parts = Parts {
            blank,
            counts,
            layer_counts,
            grid: &looked.frame,
            n_hexagons: columns,
            n_layers,
            described: &texts.description,
            whole: legends.whole.as_slice(),
            layers: &legends.layers,
        };
        let head = head(self, request, &parts);
        let mut clipped = Clipped::default();
        if by_hand[0] {
            clipped.whole = [&head.counts].into_iter().collect();
        }
        if by_hand[1] {
            clipped.layers = head.layer_counts.iter().collect();
        }
        Ok(Stream {
            source,
            canvas,
            scale,
            layers: layer_scales,
            n_layers,
            texts,
            head,
            blank,
            unplaced,
            clipped,
            fingerprint,
        })
    }
}

impl Stream<'_> {
    /// Hash of everything that the picture depends on, but for its format.
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Gives all hexagons to a writer, at most 16,384 at a time.
    ///
    /// # Errors
    /// When a stage or the writer fails, or `cancel` becomes true.
    pub fn write(
        &self,
        writer: &mut dyn SceneWriter,
        cancel: &AtomicBool,
    ) -> Result<(), StreamError> {
        let mut part = self.source.part()?;
        let mut batches = self.source.batches(Some(&self.canvas))?;
        while let Some(batch) = batches.next(cancel)? {
            let values = part.values(batch, self.n_layers, &mut |_| {})?;
            let of = Annotated {
                hex: [&batch.hex1, &batch.hex2],
                value: &values.value,
                status: &values.status,
                layers: &values.layers,
            };
            writer.hexagons(&HexagonBatch {
                hex1: &batch.hex1,
                hex2: &batch.hex2,
                x: &batch.x,
                y: &batch.y,
                status: &values.status,
                value: &values.value,
                fill: &self.scale.color(&values.value, &values.status)?,
                layer_value: &values.layers.value,
                layer_status: &values.layers.status,
                layer_fill: &self.layers.color(&values.layers)?,
                layer_absent: &values.layers.absent,
                overrides: &overrides(&self.texts, &of, &[])?,
                attributes: &[],
            })?;
        }
        Ok(writer.finish()?)
    }
}

/// Where the columns of a map come from.
struct Source<'a> {
    maps: &'a Maps<'a>,
    request: Request,
    placement: Placement<'a>,
}

/// What the second look at the columns gives.
struct Looked {
    frame: Grid,
    places: Places,
    content: Content,
    totals: Totals,
    layer_counts: Vec<Counts>,
}

/// Of the whole columns, and one for all layers or one each.
#[derive(Default)]
struct Legends {
    whole: Option<Legend>,
    layers: Vec<Legend>,
}

impl Source<'_> {
    /// The canvas, the number of hexagons, and that of columns without a place.
    fn bounds(
        &self,
        job: &CoordinateJob,
        cancel: &AtomicBool,
    ) -> Result<(Canvas, u64, usize), StreamError> {
        let mut batches = self.batches(None)?;
        let (mut bounds, mut columns) = (Bounds::new(&self.placement.description), 0);
        while let Some(batch) = batches.next(cancel)? {
            bounds.add_all(&batch.x, &batch.y);
            columns += batch.hex1.len() as u64;
        }
        let unplaced = batches.unplaced;
        if columns == 0 {
            let stage = &self.maps.pipeline.coordinate;
            return Err(nowhere(stage, unplaced as u64, job).into());
        }
        let canvas = bounds.canvas(&self.maps.pipeline.config.map);
        Ok((canvas, columns, unplaced))
    }

    /// Looks at all that the head and the fingerprint depend on.
    fn look(
        &self,
        canvas: &Canvas,
        job: &CoordinateJob,
        (n_layers, legends): (usize, &Legends),
        cancel: &AtomicBool,
    ) -> Result<Looked, StreamError> {
        let map = &self.maps.pipeline.config.map;
        let frame = Grid::frame(canvas, &self.placement, map);
        let mut places = frame.places(job);
        let (mut content, mut totals) = (Content::new(), Totals::new());
        let mut layer_counts = vec![Counts::default(); n_layers];
        let mut layers = Content::new();
        let metric = self.request.metric;
        let mut note = |rows: &PartBatch| layers.layers(&rows.columns, &rows.layers[metric]);
        let mut part = self.part()?;
        let mut batches = self.batches(Some(canvas))?;
        while let Some(batch) = batches.next(cancel)? {
            let hex = [batch.hex1.as_slice(), batch.hex2.as_slice()];
            places.add(hex, [&batch.x, &batch.y], &batch.absent);
            let values = part.values(batch, n_layers, &mut note)?;
            content.values(&values.status, &values.value);
            totals.add(&values.status, &values.value, legends.whole.as_ref());
            values.layers.count(&mut layer_counts, &legends.layers);
        }
        part.drain(&mut note)?;
        content.take_layers(layers);
        Ok(Looked {
            frame,
            places,
            content,
            totals,
            layer_counts,
        })
    }

    fn batches<'s>(&'s self, canvas: Option<&'s Canvas>) -> Result<Batches<'s>, StageError> {
        let columns = self.maps.dataset.columns(self.request.side);
        Ok(Batches {
            source: self,
            columns: columns.map_err(StageError::table)?,
            canvas,
            batch: Batch::default(),
            waiting: Batch::default(),
            unplaced: 0,
            done: false,
        })
    }

    fn part(&self) -> Result<PartRows<'_>, StageError> {
        let Request {
            cell_type,
            region,
            side,
            ..
        } = self.request;
        let dataset = self.maps.dataset;
        let there = dataset.types[cell_type].part(region, side).is_some();
        let rows = there.then(|| dataset.part(cell_type, (region, side)));
        Ok(PartRows {
            rows: rows.transpose().map_err(StageError::table)?,
            batch: PartBatch::default(),
            at: 0,
            metric: self.request.metric,
        })
    }
}

/// Placed columns.
#[derive(Default)]
struct Batch {
    hex1: Vec<i32>,
    hex2: Vec<i32>,
    x: Vec<f64>,
    y: Vec<f64>,
    absent: Vec<ColumnStatus>,
}

impl Batch {
    fn clear(&mut self) {
        self.hex1.clear();
        self.hex2.clear();
        self.x.clear();
        self.y.clear();
        self.absent.clear();
    }

    /// Moves the first columns of another behind its own.
    fn take(&mut self, other: &mut Self, n: usize) {
        self.hex1.extend(other.hex1.drain(..n));
        self.hex2.extend(other.hex2.drain(..n));
        self.x.extend(other.x.drain(..n));
        self.y.extend(other.y.drain(..n));
        self.absent.extend(other.absent.drain(..n));
    }
}

/// Reads and places columns. Batches are of whole pieces, but for the last.
struct Batches<'s> {
    source: &'s Source<'s>,
    columns: SideColumns<'s>,
    /// None while the canvas is not known: places are then those of the stage.
    canvas: Option<&'s Canvas>,
    batch: Batch,
    waiting: Batch,
    unplaced: usize,
    done: bool,
}

impl Batches<'_> {
    fn next(&mut self, cancel: &AtomicBool) -> Result<Option<&Batch>, StreamError> {
        let maps = self.source.maps;
        let most = maps
            .pressure
            .map_or(MOST_PIECES, |pressure| pressure.shrunk(MOST_PIECES))
            * PIECE;
        while self.waiting.hex1.len() < most && !self.done {
            if cancel.load(Ordering::Relaxed) {
                return Err(StreamError::Interrupted);
            }
            self.place(most)?;
        }
        self.batch.clear();
        let n = self.waiting.hex1.len().min(most);
        self.batch.take(&mut self.waiting, n);
        Ok(Some(&self.batch).filter(|_| n > 0))
    }

    /// Reads some columns and keeps those that have a place.
    fn place(&mut self, most: usize) -> Result<(), StageError> {
        let region = self.source.request.region;
        let (mut hex1, mut hex2, mut without) = (Vec::new(), Vec::new(), Vec::new());
        while hex1.len() < most && !self.done {
            match self.columns.next().map_err(StageError::table)? {
                Some((column, regions)) => {
                    hex1.push(column.hex1);
                    hex2.push(column.hex2);
                    without.push(absent(regions, region));
                }
                None => self.done = true,
            }
        }
        let placed = self.source.placement.place(&hex1, &hex2)?;
        let waiting = &mut self.waiting;
        for i in 0..hex1.len() {
            if !placed.placed[i] {
                self.unplaced += 1;
                continue;
            }
            let (x, y) = (placed.x[i], placed.y[i]);
            waiting.hex1.push(hex1[i]);
            waiting.hex2.push(hex2[i]);
            waiting.x.push(self.canvas.map_or(x, |canvas| canvas.x(x)));
            waiting.y.push(self.canvas.map_or(y, |canvas| canvas.y(y)));
            waiting.absent.push(without[i]);
        }
        Ok(())
    }
}

/// What the hexagons of a batch hold.
struct Values {
    status: Vec<ColumnStatus>,
    value: Vec<f64>,
    layers: Layers,
}

/// The rows of the map's part, beside its columns.
struct PartRows<'a> {
    /// None if the cell type has no row here.
    rows: Option<PartReader<'a>>,
    batch: PartBatch,
    at: usize,
    metric: usize,
}

impl PartRows<'_> {
    /// Values of a batch of columns; `note` sees each batch of rows once.
    fn values(
        &mut self,
        columns: &Batch,
        n_layers: usize,
        note: &mut dyn FnMut(&PartBatch),
    ) -> Result<Values, StageError> {
        let n = columns.hex1.len();
        let (mut status, mut value) = (columns.absent.clone(), vec![0.0; n]);
        let mut found = Vec::new();
        for i in 0..n {
            let wanted = (columns.hex1[i], columns.hex2[i]);
            while self.column(note)?.is_some_and(|column| column < wanted) {
                self.at += 1;
            }
            if self.column(note)? != Some(wanted) {
                continue;
            }
            let whole = self.batch.whole[self.metric][self.at];
            (status[i], value[i]) = match whole.is_nan() {
                true => (ColumnStatus::Unknown, 0.0),
                false => (ColumnStatus::HasData, whole),
            };
            let of = self.at * n_layers..(self.at + 1) * n_layers;
            if n_layers > 0 && !whole.is_nan() {
                found.push((i, self.batch.layers[self.metric][of].to_vec()));
            }
        }
        let mut layers = Layers::empty(n_layers, &status);
        found
            .iter()
            .for_each(|(hexagon, values)| layers.set(*hexagon, values));
        Ok(Values {
            status,
            value,
            layers,
        })
    }

    /// The column of the next row, read if it is not here yet.
    fn column(
        &mut self,
        note: &mut dyn FnMut(&PartBatch),
    ) -> Result<Option<(i32, i32)>, StageError> {
        if self.at >= self.batch.columns.len() && !self.read(note)? {
            return Ok(None);
        }
        let column = self.batch.columns[self.at];
        Ok(Some((column.hex1, column.hex2)))
    }

    fn read(&mut self, note: &mut dyn FnMut(&PartBatch)) -> Result<bool, StageError> {
        let Some(rows) = &mut self.rows else {
            return Ok(false);
        };
        let next = rows.next_batch(PIECE).map_err(StageError::table)?;
        (self.batch, self.at) = (next.unwrap_or_default(), 0);
        if self.batch.columns.is_empty() {
            self.rows = None;
            return Ok(false);
        }
        note(&self.batch);
        Ok(true)
    }

    /// Reads rows of columns that have no place.
    fn drain(&mut self, note: &mut dyn FnMut(&PartBatch)) -> Result<(), StageError> {
        while self.read(note)? {}
        Ok(())
    }
}
