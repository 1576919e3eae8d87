//! Fills of layers as step tables: the largest breakpoint not above a value says its fill.
//!
//! Nothing is assumed of the colour stage: a table is built from the pairs that were given and is
//! exact for them. One table serves all layers if it can, else one each; where a value has two fills
//! even within a layer, there is no table and the fills are written out.

use eyemap_abi::job::ColumnStatus;

use crate::scene::{HexagonBatch, Rgba};

/// Breakpoints, rising, and the fill from each one up.
pub(crate) type Table = Vec<(f64, Rgba)>;

/// How layer fills are told.
#[derive(Debug, PartialEq)]
pub(crate) enum Fills {
    /// By value: one table for all layers, or one each.
    Steps {
        tables: Vec<Table>,
        /// Fill of layers whose value is null.
        unknown: Option<Rgba>,
    },
    /// One by one, as in the batch.
    Explicit,
}

/// Finds the shortest form for a chunk.
pub(crate) fn fills(batch: &HexagonBatch<'_>, n_layers: usize) -> Fills {
    if n_layers == 0 {
        return Fills::Steps {
            tables: Vec::new(),
            unknown: None,
        };
    }
    let Ok(unknown) = unknown_fill(batch, n_layers) else {
        return Fills::Explicit;
    };
    let one = quick(batch, n_layers).or_else(|| slow(batch, n_layers, None));
    let tables = match one {
        Some(table) => Some(vec![table]),
        None => (0..n_layers)
            .map(|layer| slow(batch, n_layers, Some(layer)))
            .collect(),
    };
    tables.map_or(Fills::Explicit, |tables| Fills::Steps { tables, unknown })
}

fn unknown_fill(batch: &HexagonBatch<'_>, n_layers: usize) -> Result<Option<Rgba>, ()> {
    let mut found = None;
    for (i, row) in batch.layer_status.chunks_exact(n_layers).enumerate() {
        if batch.status[i] != ColumnStatus::HasData {
            continue;
        }
        for (layer, &status) in row.iter().enumerate() {
            if status != ColumnStatus::HasData {
                let fill = batch.layer_fill[i * n_layers + layer];
                if *found.get_or_insert(fill) != fill {
                    return Err(());
                }
            }
        }
    }
    Ok(found)
}

/// Calls `see` with value and fill of each layer that has data.
fn each(batch: &HexagonBatch<'_>, n_layers: usize, mut see: impl FnMut(usize, f64, Rgba)) {
    let rows = batch.layer_value.chunks_exact(n_layers);
    let rest = batch
        .layer_fill
        .chunks_exact(n_layers)
        .zip(batch.layer_status.chunks_exact(n_layers));
    for ((values, (fills, statuses)), &status) in rows.zip(rest).zip(batch.status) {
        if status != ColumnStatus::HasData {
            continue;
        }
        for layer in 0..n_layers {
            if statuses[layer] == ColumnStatus::HasData {
                // Minus zero is zero to every reader.
                see(layer, values[layer] + 0.0, fills[layer]);
            }
        }
    }
}

/// The table with one entry a colour, if colours keep to disjoint intervals and are few.
fn quick(batch: &HexagonBatch<'_>, n_layers: usize) -> Option<Table> {
    const FEW: usize = 24;
    let mut seen: Vec<(Rgba, f64, f64)> = Vec::with_capacity(FEW + 1);
    let mut last = 0;
    let mut many = false;
    each(batch, n_layers, |_, value, fill| {
        if seen.get(last).is_none_or(|entry| entry.0 != fill) {
            last = seen
                .iter()
                .position(|entry| entry.0 == fill)
                .unwrap_or(seen.len());
            if last == seen.len() {
                many |= last >= FEW;
                if !many {
                    seen.push((fill, value, value));
                }
            }
        }
        if let Some(entry) = seen.get_mut(last) {
            entry.1 = entry.1.min(value);
            entry.2 = entry.2.max(value);
        }
    });
    seen.sort_by(|a, b| a.1.total_cmp(&b.1));
    let disjoint = seen.windows(2).all(|pair| pair[0].2 < pair[1].1);
    (!many && disjoint).then(|| seen.iter().map(|&(fill, low, _)| (low, fill)).collect())
}

/// The table with one entry a run of one colour along rising values, if no value has two fills.
fn slow(batch: &HexagonBatch<'_>, n_layers: usize, only: Option<usize>) -> Option<Table> {
    let mut pairs = Vec::new();
    each(batch, n_layers, |layer, value, fill| {
        if only.is_none_or(|wanted| wanted == layer) {
            pairs.push((value, fill));
        }
    });
    pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    pairs.dedup();
    if pairs.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return None;
    }
    pairs.dedup_by_key(|pair| pair.1);
    Some(pairs)
}

/// The fill that a table gives a value; what the script does.
#[cfg(test)]
pub(crate) fn look_up(table: &[(f64, Rgba)], value: f64) -> Option<Rgba> {
    table
        .iter()
        .rev()
        .find(|step| step.0 <= value)
        .map(|step| step.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(pairs: &[(f64, u32)], n_layers: usize) -> Fills {
        let n = pairs.len() / n_layers;
        let value: Vec<f64> = pairs.iter().map(|p| p.0).collect();
        let fill: Vec<Rgba> = pairs.iter().map(|p| Rgba(p.1)).collect();
        let status = vec![ColumnStatus::HasData; pairs.len()];
        let batch = HexagonBatch {
            hex1: &vec![0; n],
            hex2: &vec![0; n],
            x: &vec![0.0; n],
            y: &vec![0.0; n],
            status: &status[..n],
            value: &value[..n],
            fill: &fill[..n],
            layer_value: &value,
            layer_status: &status,
            layer_fill: &fill,
            layer_absent: &vec![false; pairs.len()],
            overrides: &[],
            attributes: &[],
        };
        let found = fills(&batch, n_layers);
        if let Fills::Steps { tables, .. } = &found {
            for (i, pair) in pairs.iter().enumerate() {
                let table = &tables[(i % n_layers).min(tables.len() - 1)];
                assert_eq!(look_up(table, pair.0), Some(Rgba(pair.1)));
            }
        }
        found
    }

    #[test]
    fn a_value_with_two_fills_needs_a_table_for_each_layer_or_none() {
        let count = |found| match found {
            Fills::Steps { tables, .. } => tables.len(),
            Fills::Explicit => 0,
        };
        assert_eq!(
            count(check(&[(0.0, 9), (1.0, 5), (2.0, 5), (0.0, 9)], 2)),
            1
        );
        assert_eq!(
            count(check(&[(1.0, 9), (1.0, 5), (2.0, 9), (2.0, 5)], 2)),
            2
        );
        assert_eq!(
            count(check(&[(1.0, 9), (1.0, 5), (1.0, 8), (1.0, 5)], 2)),
            0
        );
    }

    proptest! {
        #[test]
        fn whatever_is_given_comes_back(pairs in prop::collection::vec((0u8..20, 0u32..4), 4..60)) {
            let n_layers = 2;
            let even = pairs.len() / n_layers * n_layers;
            let pairs: Vec<_> = pairs[..even].iter().map(|p| (f64::from(p.0), p.1)).collect();
            check(&pairs, n_layers);
        }
    }
}
