//! Statistics of scopes, taken over the whole table whatever is drawn of it.

use std::sync::Arc;

use eyemap_abi::job::{ColorJob, Scope, Side, Subject};

use super::{Maps, Request};
use crate::{
    model::{CellType, Part},
    stage::StageError,
    statistics::{Summary, TooManyCategories, summarize},
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

pub(super) type Found = Result<Summary, TooManyCategories>;

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

    fn covers(&self, part: &Part) -> bool {
        self.region.is_none_or(|region| region == part.region)
            && self.side.is_none_or(|side| side == part.side)
    }

    fn values<'a>(&self, part: &'a Part) -> impl Iterator<Item = &'a f64> + Clone + use<'a> {
        let metric = &part.metrics[self.metric];
        let (values, skip, step) = match self.kind {
            Kind::Whole => (metric.whole.as_slice(), 0, 1),
            Kind::AnyLayer => (metric.layers.as_slice(), 0, 1),
            Kind::Layer(layer) => (
                metric.layers.as_slice(),
                layer as usize - 1,
                part.n_layers.max(1),
            ),
        };
        values.iter().skip(skip).step_by(step)
    }
}

impl Maps<'_> {
    /// The job of the colour stage for whole columns or layers of a map.
    pub(super) fn color_job(&self, request: Request, kind: Kind) -> Result<ColorJob, StageError> {
        let color = &self.pipeline.color;
        let needs = if kind == Kind::Whole {
            &color.needs.whole
        } else {
            &color.needs.layer
        };
        let summary = self.summary(Key::of(request, kind, needs.scope))?;
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

    fn summary(&self, key: Key) -> Result<Summary, StageError> {
        let found = self
            .scopes
            .get_or_insert_with(&key, || Ok::<_, StageError>(Arc::new(self.summarize(key))))?;
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

    fn summarize(&self, key: Key) -> Found {
        let needs = &self.pipeline.color.needs;
        let needs = if key.kind == Kind::Whole {
            &needs.whole
        } else {
            &needs.layer
        };
        let types: &[CellType] = match key.cell_type {
            Some(index) => std::slice::from_ref(&self.dataset.cell_types[index]),
            None => &self.dataset.cell_types,
        };
        let parts = types.iter().flat_map(|cell_type| &cell_type.parts);
        let parts: Vec<&Part> = parts.filter(|part| key.covers(part)).collect();
        summarize(parts.iter().flat_map(|part| key.values(part)), needs)
    }
}
