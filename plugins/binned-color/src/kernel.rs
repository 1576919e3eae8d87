//! The colouring loop: counts the edges below each value, over short blocks and without a branch on
//! data, which compilers turn into vectors.
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
                *out = select(value == 0.0, zero, *out);
            }
        }
        let [_, no_data, not_in_region, unknown] = bins.without_value;
        for (out, &status) in out.iter_mut().zip(status) {
            let value = select(status == ColumnStatus::NoData, no_data, *out);
            let value = select(status == ColumnStatus::NotInRegion, not_in_region, value);
            *out = select(status == ColumnStatus::Unknown, unknown, value);
        }
    }
}

/// One of two colours without a branch. Written as `if`, compilers branch on the data, which costs
/// more than the whole loop.
const fn select(first: bool, yes: Rgba, no: Rgba) -> Rgba {
    let mask = (first as u32).wrapping_neg();
    Rgba(yes.0 & mask | no.0 & !mask)
}

fn bin(bins: &Bins, low: f64, width: f64, values: &[f64], out: &mut [Rgba]) {
    // A true division: multiplying by the reciprocal moves values that lie exactly on an edge. With
    // equal ends 0/0 is NaN, which is above no edge and so keeps the first colour.
    let mut share = [0.0; BLOCK];
    for (share, &value) in share.iter_mut().zip(values) {
        *share = (value - low) / width;
    }
    // As wide as the shares, so that comparisons are added as they come out of the vector unit.
    let mut above = [0u64; BLOCK];
    for &edge in &bins.edges {
        for (above, &share) in above.iter_mut().zip(&share) {
            *above += u64::from(share > edge);
        }
    }
    for (out, &above) in out.iter_mut().zip(&above) {
        *out = bins.colors[above as usize];
    }
}
