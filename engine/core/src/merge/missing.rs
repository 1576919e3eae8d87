//! Which maps of a plan a directory does not have.

use std::path::Path;

use crate::{
    manifest::{Entries, Key, ManifestError},
    plan::Product,
    sink::Dir,
};

/// Maps that are not there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Missing {
    /// How many, in formats.
    pub maps: u64,
    /// The first few.
    pub first: Vec<Key>,
    /// Cell types that lack any, as ranges of consecutive ones.
    pub cell_types: Vec<(String, String)>,
}

/// More than these are counted, not listed.
const LISTED: usize = 10;

/// Compares a directory with a plan, a cell type at a time.
///
/// # Errors
/// When the manifest cannot be used.
pub fn missing(dir: &Path, product: &Product) -> Result<Missing, ManifestError> {
    let open = Dir::open(dir).map_err(|source| ManifestError::Io {
        path: dir.into(),
        source,
    });
    let mut entries = Entries::open(&open?)?.into_iter().flatten();
    let mut next = entries.next().transpose()?;
    let mut missing = Missing::default();
    let mut gap = false;
    for cell_type in &product.cell_types {
        let mut lacks = false;
        for key in keys(product, cell_type) {
            while next.as_ref().is_some_and(|entry| entry.key < key) {
                next = entries.next().transpose()?;
            }
            if next.as_ref().is_none_or(|entry| entry.key != key) {
                lacks = true;
                missing.maps += 1;
                if missing.first.len() < LISTED {
                    missing.first.push(key);
                }
            }
        }
        match (lacks, gap, missing.cell_types.last_mut()) {
            (true, true, Some((_, last))) => last.clone_from(cell_type),
            (true, ..) => missing
                .cell_types
                .push((cell_type.clone(), cell_type.clone())),
            _ => {}
        }
        gap = lacks;
    }
    Ok(missing)
}

/// The maps of a cell type, rising.
fn keys(product: &Product, cell_type: &str) -> Vec<Key> {
    let mut keys = Vec::new();
    for (region, side) in &product.places {
        for metric in &product.metrics {
            let key = |&format| Key {
                cell_type: cell_type.into(),
                region: region.clone(),
                side: *side,
                metric: metric.clone(),
                format,
            };
            keys.extend(product.formats.iter().map(key));
        }
    }
    keys.sort_unstable();
    keys
}
