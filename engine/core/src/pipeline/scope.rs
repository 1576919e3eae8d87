//! Statistics of scopes, taken over the whole table whatever is drawn of it.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError},
};

use eyemap_abi::job::{ColorJob, Scope, Side, Subject, SubjectNeeds};

use super::{Maps, Request, content::PIECE};
use crate::{
    ingest::TableError,
    model::{Part, PartSummary},
    stage::StageError,
    statistics::{Summary, Tally, TooManyCategories},
    work,
};

/// Values of whole columns, or of layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Whole,
    /// All layers with one scale.
    AnyLayer,
    /// A scale of this layer's own, 1-based.
    Layer(u32),
}

/// What a summary was taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    metric: usize,
    kind: Kind,
    cell_type: Option<usize>,
    region: Option<usize>,
    side: Option<Side>,
}

/// Of a cell type and a region; empty where there are several.
struct Names {
    cell_type: String,
    region: String,
}

pub(super) type Found = Result<Summary, TooManyCategories>;

/// Statistics of the whole table.
pub(super) type WholeTable = HashMap<Key, Arc<Found>>;

/// A cell type with more columns than this is not loaded to be summarised, but read piece by piece.
const MOST_COLUMNS: u64 = 1 << 16;

/// Cell types that are summarised side by side before their tallies are joined in order.
const TOGETHER: usize = 64;

/// A tally of that many distinct values takes more; of counts it takes much less.
const TALLY_BYTES: u64 = 256 << 10;

/// The values of some columns of a part: those that follow each other, in a piece of fixed length.
struct Piece<'a> {
    n_layers: usize,
    /// One entry a metric.
    whole: Vec<&'a [f64]>,
    layers: Vec<&'a [f64]>,
}

impl Piece<'_> {
    /// The values that a key asks for.
    fn values(&self, key: &Key) -> impl Iterator<Item = &f64> + Clone {
        let n = self.n_layers.max(1);
        let (values, skip, step) = match key.kind {
            Kind::Whole => (self.whole[key.metric], 0, 1),
            Kind::AnyLayer => (self.layers[key.metric], 0, 1),
            Kind::Layer(layer) => (self.layers[key.metric], layer as usize - 1, n),
        };
        let skip = if step == 1 || skip < n {
            skip
        } else {
            values.len()
        };
        values.iter().skip(skip).step_by(step)
    }
}

impl Key {
    fn of(request: Request, kind: Kind, scope: Scope) -> Self {
        let narrow = matches!(scope, Scope::Map | Scope::Region);
        Self {
            metric: request.metric,
            kind,
            cell_type: (scope != Scope::Dataset).then_some(request.cell_type),
            region: narrow.then_some(request.region),
            side: (scope == Scope::Map).then_some(request.side),
        }
    }

    fn covers(&self, region: usize, side: Side) -> bool {
        self.region.is_none_or(|of| of == region) && self.side.is_none_or(|of| of == side)
    }
}

impl Maps<'_> {
    /// The job of the colour stage for whole columns or layers of a map.
    pub(super) fn color_job(&self, request: Request, kind: Kind) -> Result<ColorJob, StageError> {
        let needs = self.needs(kind);
        let key = Key::of(request, kind, needs.scope);
        let summary = self.summary(key)?;
        let names = self.names(key);
        let metric = &self.dataset.metrics[request.metric].name;
        let range = self.pipeline.config.range.get(metric);
        Ok(ColorJob {
            metric: metric.clone(),
            subject: match kind {
                Kind::Whole => Subject::Whole,
                Kind::AnyLayer => Subject::AnyLayer,
                Kind::Layer(layer) => Subject::Layer(layer),
            },
            scope: needs.scope,
            statistics: summary.statistics,
            categories: summary.categories,
            cell_type: names.cell_type,
            region: names.region,
            side: key.side,
            range: range.and_then(|range| {
                if kind == Kind::Whole {
                    range.whole
                } else {
                    range.layer
                }
            }),
            ..ColorJob::default()
        })
    }

    /// The names that a scope fixes. One job serves all maps of a scope, so it must not name one of
    /// them.
    fn names(&self, key: Key) -> Names {
        let cell_type = key.cell_type.map(|i| self.dataset.type_name(i).to_string());
        let region = key.region.map(|i| self.dataset.regions[i].name.clone());
        Names {
            cell_type: cell_type.unwrap_or_default(),
            region: region.unwrap_or_default(),
        }
    }

    fn summary(&self, key: Key) -> Result<Summary, StageError> {
        let found = match key.cell_type {
            Some(_) => self.scopes.get_or_insert_with(&key, || {
                let found = self.summarize(key).map_err(StageError::table)?;
                Ok::<_, StageError>(Arc::new(found))
            })?,
            None => self.of_whole_table(key)?,
        };
        found
            .as_ref()
            .clone()
            .map_err(|TooManyCategories| StageError::Data {
                message: format!(
                    "the {} have more than {} distinct values, too many for a categorical scale",
                    self.dataset.metrics[key.metric].name,
                    eyemap_abi::job::MAX_CATEGORIES
                ),
                help: "choose another colour plugin for this metric, or a narrower scope".into(),
            })
    }

    fn needs(&self, kind: Kind) -> &SubjectNeeds {
        let needs = &self.pipeline.color.needs;
        match kind {
            Kind::Whole => &needs.whole,
            Kind::AnyLayer | Kind::Layer(_) => &needs.layer,
        }
    }

    fn summarize(&self, key: Key) -> Result<Found, TableError> {
        let needs = self.needs(key.kind);
        let mut tally = Tally::new(needs);
        if let Some(cell_type) = key.cell_type {
            let covers = |region, side| key.covers(region, side);
            self.each_piece(cell_type, &covers, &mut |piece| {
                tally.add(piece.values(&key))
            })?;
        }
        self.note_coarse(&tally, key);
        Ok(tally.finish(needs))
    }

    fn note_coarse(&self, tally: &Tally, key: Key) {
        if tally.is_coarse() {
            let metric = &self.dataset.metrics[key.metric].name;
            let mut coarse = self.coarse.lock().unwrap_or_else(PoisonError::into_inner);
            coarse.insert(metric.clone());
        }
    }

    /// Gives the values of a cell type, piece by piece, part by part.
    fn each_piece(
        &self,
        cell_type: usize,
        covers: &dyn Fn(usize, Side) -> bool,
        take: &mut dyn FnMut(&Piece<'_>),
    ) -> Result<(), TableError> {
        let parts = &self.dataset.types[cell_type].parts;
        let wanted = |part: &&PartSummary| covers(part.region, part.side);
        let columns: u64 = parts.iter().filter(wanted).map(|part| part.columns).sum();
        if columns == 0 {
            return Ok(());
        }
        if columns > MOST_COLUMNS {
            return self.read_pieces(cell_type, covers, take);
        }
        let loaded = self
            .types
            .get_or_insert_with(&cell_type, || self.dataset.cell_type(cell_type))?;
        for part in loaded
            .parts
            .iter()
            .filter(|part| covers(part.region, part.side))
        {
            pieces_of(part, take);
        }
        Ok(())
    }

    fn read_pieces(
        &self,
        cell_type: usize,
        covers: &dyn Fn(usize, Side) -> bool,
        take: &mut dyn FnMut(&Piece<'_>),
    ) -> Result<(), TableError> {
        for part in &self.dataset.types[cell_type].parts {
            if !covers(part.region, part.side) {
                continue;
            }
            let mut rows = self.dataset.part(cell_type, (part.region, part.side))?;
            while let Some(batch) = rows.next_batch(PIECE)? {
                take(&Piece {
                    n_layers: batch.n_layers,
                    whole: batch.whole.iter().map(Vec::as_slice).collect(),
                    layers: batch.layers.iter().map(Vec::as_slice).collect(),
                });
            }
        }
        Ok(())
    }

    /// Statistics of all cell types: of every metric and kind at once, since the table is read for it.
    fn of_whole_table(&self, key: Key) -> Result<Arc<Found>, StageError> {
        let all = self
            .whole_table
            .get_or_init(|| self.whole_table().map_err(Arc::new));
        match all {
            Ok(found) => Ok(found
                .get(&key)
                .cloned()
                .unwrap_or_else(|| Arc::new(Ok(Summary::default())))),
            Err(error) => Err(StageError::Data {
                message: error.to_string(),
                help: error.help().unwrap_or_default(),
            }),
        }
    }

    fn whole_table(&self) -> Result<WholeTable, TableError> {
        let keys = self.keys_of_whole_table();
        let fresh = || keys.iter().map(|key| Tally::new(self.needs(key.kind)));
        let mut all: Vec<Tally> = fresh().collect();
        let threads = work::threads(self.pipeline.config.run.jobs);
        let n = self.dataset.types.len();
        let (threads, together) = self.pressure.map_or((threads, TOGETHER), |pressure| {
            let tallies = keys.len() as u64 * TALLY_BYTES;
            let together = pressure.room.threads(TOGETHER, tallies);
            (threads.min(together), together)
        });
        for first in (0..n).step_by(together) {
            let some = together.min(n - first);
            let found = work::map_in_order(threads, some, |i| {
                let mut tallies: Vec<Tally> = fresh().collect();
                self.each_piece(first + i, &|_, _| true, &mut |piece| {
                    for (key, tally) in keys.iter().zip(&mut tallies) {
                        tally.add(piece.values(key));
                    }
                })?;
                Ok::<_, TableError>(tallies)
            });
            for tallies in found {
                all.iter_mut()
                    .zip(tallies?)
                    .for_each(|(all, one)| all.join(one));
            }
        }
        let found = keys.into_iter().zip(all).map(|(key, tally)| {
            self.note_coarse(&tally, key);
            (key, Arc::new(tally.finish(self.needs(key.kind))))
        });
        Ok(found.collect())
    }

    fn keys_of_whole_table(&self) -> Vec<Key> {
        let layers = self
            .dataset
            .regions
            .iter()
            .map(|region| region.layer_labels.len());
        let deepest = layers.max().unwrap_or(0) as u32;
        let mut kinds = vec![Kind::Whole];
        match self.pipeline.color.needs.layer.per_layer {
            true => kinds.extend((1..=deepest).map(Kind::Layer)),
            false => kinds.push(Kind::AnyLayer),
        }
        let metrics = 0..self.dataset.metrics.len();
        let of = |metric| {
            kinds.iter().map(move |&kind| Key {
                metric,
                kind,
                cell_type: None,
                region: None,
                side: None,
            })
        };
        metrics.flat_map(of).collect()
    }
}

/// The pieces of a part that is loaded.
fn pieces_of(part: &Part, take: &mut dyn FnMut(&Piece<'_>)) {
    let n = part.n_layers;
    for start in (0..part.columns.len()).step_by(PIECE) {
        let end = part.columns.len().min(start + PIECE);
        let metrics = part.metrics.iter();
        take(&Piece {
            n_layers: n,
            whole: metrics
                .clone()
                .map(|metric| &metric.whole[start..end])
                .collect(),
            layers: metrics
                .map(|metric| &metric.layers[start * n..end * n])
                .collect(),
        });
    }
}
