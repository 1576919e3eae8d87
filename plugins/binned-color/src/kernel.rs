//! The colouring loop: branch-free selects over short blocks, which compilers turn into vectors.
//!
//! `benches/benches/kernels.rs` compares it with the plain divide, floor and index.

use eyemap_sdk::prelude::*;

use crate::Bins;

/// Short enough for registers and first-level cache, long enough to amortise the loop over bins.
const BLOCK: usize = 64;

/// Colours a batch.
pub(crate) fn color(bins: &Bins, values: &[f64], status: &[ColumnStatus], out: &mut [Rgba]) {
    let blocks = values
        .chunks(BLOCK)
        .zip(status.chunks(BLOCK))
        .zip(out.chunks_mut(BLOCK));
    for ((values, status), out) in blocks {
        match bins.range {
            Some([low, high]) => bin(bins, low, high - low, values, out),
            None => out.fill(bins.colors[0]),
        }
        if let Some(zero) = bins.zero {
            for (out, &value) in out.iter_mut().zip(values) {
                *out = if value == 0.0 { zero } else { *out };
            }
        }
        let [_, no_data, not_in_region, unknown] = bins.without_value;
        for (out, &status) in out.iter_mut().zip(status) {
            let value = *out;
            let value = if status == ColumnStatus::NoData {
                no_data
            } else {
                value
            };
            let value = if status == ColumnStatus::NotInRegion {
                not_in_region
            } else {
                value
            };
            *out = if status == ColumnStatus::Unknown {
                unknown
            } else {
                value
            };
        }
    }
}

fn bin(bins: &Bins, low: f64, width: f64, values: &[f64], out: &mut [Rgba]) {
    // A true division: multiplying by the reciprocal moves values that lie exactly on an edge. With
    // equal ends 0/0 is NaN, which is above no edge and so keeps the first colour.
    let mut share = [0.0; BLOCK];
    for (share, &value) in share.iter_mut().zip(values) {
        *share = (value - low) / width;
    }
    out.fill(bins.colors[0]);
    for (&edge, &color) in bins.edges.iter().zip(&bins.colors[1..]) {
        for (out, &share) in out.iter_mut().zip(&share) {
            *out = if share > edge { color } else { *out };
        }
    }
}
