//! Which maps to draw: cell types x regions x sides x metrics, as selected.

mod drawn;
mod estimate;
mod file;
mod outline;
mod shard;

use eyemap_abi::job::Side;
use globset::{GlobBuilder, GlobMatcher};

use crate::{
    config::SelectConfig,
    dataset::Dataset,
    model::TableShape,
    pipeline::{Request, not_summed},
};

pub use drawn::Drawn;
pub use estimate::{Estimate, MapSize};
pub use file::{Amount, Choice, PlanError, PlanFile, Product, ShardAmount, Source, Stage};
pub use outline::outline;
pub use shard::{Shard, Unit, cut, how_many, requests_of, units};

/// A selection that cannot be drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SelectError {
    /// What is wrong with it.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

/// The maps of a selection, and what was left out of it unasked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// Maps, by cell type, region, side and metric, each in the order of the dataset.
    pub requests: Vec<Request>,
    /// Metrics that were left out, and why.
    pub notes: Vec<String>,
}

/// Plans the maps of a selection.
///
/// Without a filter these are all cell types, in every region and side that the atlas has, for every
/// metric that the table can give.
///
/// # Errors
/// When a filter names something that is not there, or a metric that cannot be derived.
pub fn plan(dataset: &Dataset, select: &SelectConfig) -> Result<Plan, SelectError> {
    let types = types(dataset, &select.types)?;
    let regions = regions(dataset, &select.regions)?;
    let sides: &[Side] = if select.sides.is_empty() {
        &[Side::Left, Side::Right]
    } else {
        &select.sides
    };
    let (metrics, notes) = metrics(dataset, &select.metrics)?;
    let mut requests = Vec::new();
    let places: Vec<(usize, Side)> = regions
        .iter()
        .flat_map(|&region| sides.iter().map(move |&side| (region, side)))
        .filter(|&(region, side)| dataset.atlas.side(side).has_region(region))
        .collect();
    for &cell_type in &types {
        for &(region, side) in &places {
            let maps = metrics.iter().map(|&metric| Request {
                cell_type,
                region,
                side,
                metric,
            });
            requests.extend(maps);
        }
    }
    if requests.is_empty() {
        return Err(SelectError {
            message: "the selection has no map: the atlas has none of these regions on these sides"
                .into(),
            help: "`eyemap inspect` shows the regions and sides of a table".into(),
        });
    }
    Ok(Plan { requests, notes })
}

fn types(dataset: &Dataset, globs: &[String]) -> Result<Vec<usize>, SelectError> {
    let names = || {
        dataset
            .types
            .iter()
            .map(|cell_type| cell_type.name.as_ref())
    };
    if globs.is_empty() {
        return Ok((0..dataset.types.len()).collect());
    }
    let mut chosen = vec![false; dataset.types.len()];
    for glob in globs {
        let matcher = matcher(glob)?;
        let mut any = false;
        for (chosen, name) in chosen.iter_mut().zip(names()) {
            // A name that is itself no sensible glob, as `(PLP191,PLP192)b`, still finds itself.
            if name == glob || matcher.is_match(name) {
                (*chosen, any) = (true, true);
            }
        }
        if !any {
            return Err(SelectError {
                message: format!("no cell type matches {:?}", glob),
                help: suggest(glob, names()),
            });
        }
    }
    Ok((0..chosen.len()).filter(|&i| chosen[i]).collect())
}

fn matcher(glob: &str) -> Result<GlobMatcher, SelectError> {
    GlobBuilder::new(glob)
        .literal_separator(false)
        .build()
        .map(|glob| glob.compile_matcher())
        .map_err(|error| SelectError {
            message: format!("{glob:?} is no glob: {}", error.kind()),
            help: "use * for any letters, ? for one, [ab] for one of several".into(),
        })
}

fn regions(dataset: &Dataset, wanted: &[String]) -> Result<Vec<usize>, SelectError> {
    let find = |name: &String| {
        let names = dataset.regions.iter().map(|region| region.name.as_str());
        names
            .clone()
            .position(|region| region == name)
            .ok_or_else(|| SelectError {
                message: format!("there is no region {name:?}"),
                help: suggest(name, names),
            })
    };
    if wanted.is_empty() {
        return Ok((0..dataset.regions.len()).collect());
    }
    let mut found = wanted.iter().map(find).collect::<Result<Vec<_>, _>>()?;
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

fn metrics(dataset: &Dataset, wanted: &[String]) -> Result<(Vec<usize>, Vec<String>), SelectError> {
    let underivable = |&index: &usize| {
        let mut types = dataset.types.iter();
        types.all(|cell_type| cell_type.never_derivable[index])
    };
    let refused = |index: usize| {
        let metric = &dataset.metrics[index];
        let why = not_summed(metric);
        SelectError {
            message: format!(
                "the {} of whole columns cannot be derived from layers: {}",
                metric.name, why.reason
            ),
            help: format!(
                "add rows of layer 0, {}or draw other metrics with --metric",
                why.remedy
            ),
        }
    };
    if wanted.is_empty() {
        let (refuse, draw): (Vec<usize>, Vec<usize>) =
            (0..dataset.metrics.len()).partition(underivable);
        let notes = refuse.into_iter().map(refused);
        let notes = notes
            .map(|error| format!("left out: {} ({})", error.message, error.help))
            .collect();
        return Ok((draw, notes));
    }
    let find = |name: &String| {
        let names = dataset.metrics.iter().map(|metric| metric.name.as_str());
        let index = names
            .clone()
            .position(|metric| metric == name)
            .ok_or_else(|| SelectError {
                message: format!("the table has no {name:?}{}", shape_hint(dataset.shape)),
                help: suggest(name, names),
            })?;
        if underivable(&index) {
            Err(refused(index))
        } else {
            Ok(index)
        }
    };
    let mut found = wanted.iter().map(find).collect::<Result<Vec<_>, _>>()?;
    found.sort_unstable();
    found.dedup();
    Ok((found, Vec::new()))
}

const fn shape_hint(shape: TableShape) -> &'static str {
    match shape {
        TableShape::Cells => ": it has one row a cell, and cells alone can be counted in it",
        TableShape::Canonical | TableShape::BodySynapses => "",
    }
}

fn suggest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let mut known: Vec<&str> = known.collect();
    known.sort_by_key(|other| strsim::damerau_levenshtein(other, name));
    let first = known.iter().take(5).copied().collect::<Vec<_>>().join(", ");
    format!(
        "there is {}",
        if known.len() > 5 {
            format!("{first} and {} more", known.len() - 5)
        } else {
            first
        }
    )
}
