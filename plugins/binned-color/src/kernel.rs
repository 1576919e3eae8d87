//! The colouring loop: counts the thresholds that a value reaches, over short blocks and without a
//! division or a branch on data, which compilers turn into vectors.
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
        bin(bins, values, out);
        if let Some(zero) = bins.zero {
            for (out, &value) in out.iter_mut().zip(values) {
                *out = select(value == 0.0, zero, *out);
            }
        }
        // Most blocks lie inside the patch of a cell type.
        if status.iter().all(|&status| status == ColumnStatus::HasData) {
            continue;
        }
        for (out, &status) in out.iter_mut().zip(status) {
            let without = bins.without_value[status as usize];
            *out = select(status == ColumnStatus::HasData, *out, without);
        }
    }
}

/// One of two colours without a branch. Written as `if`, compilers branch on the data, which costs
/// more than the whole loop.
const fn select(first: bool, yes: Rgba, no: Rgba) -> Rgba {
    let mask = (first as u32).wrapping_neg();
    Rgba(yes.0 & mask | no.0 & !mask)
}

fn bin(bins: &Bins, values: &[f64], out: &mut [Rgba]) {
    // As wide as the values, so that comparisons are added as they come out of the vector unit.
    let mut reached = [0u64; BLOCK];
    for &threshold in &bins.thresholds {
        for (reached, &value) in reached.iter_mut().zip(values) {
            *reached += u64::from(value >= threshold);
        }
    }
    for (out, &reached) in out.iter_mut().zip(&reached) {
        *out = bins.colors[reached as usize];
    }
}

/// The smallest value that lies above an edge, so that `value >= threshold` says exactly what
/// `(value - low) / width > edge` says, rounding included; infinity if none does.
///
/// The share rises with the value from 0 to 1, so the threshold is found by halving the numbers between
/// the ends. Stepping to it from the edge would never end near 0, where numbers lie far closer than the
/// share can tell.
pub(crate) fn threshold([low, high]: [f64; 2], edge: f64) -> f64 {
    let width = high - low;
    let above = |value: f64| (value - low) / width > edge;
    // With equal ends every share is NaN, with an infinite width 0: neither is above an edge.
    if !(width > 0.0 && width.is_finite() && above(high)) {
        return f64::INFINITY;
    }
    let (mut below, mut reached) = (place(low), place(high));
    while below + 1 < reached {
        let middle = below.midpoint(reached);
        if above(at(middle)) {
            reached = middle;
        } else {
            below = middle;
        }
    }
    at(reached)
}

/// Where a number is among all numbers: they rise together, and neighbours differ by one.
const fn place(value: f64) -> i64 {
    flipped(value.to_bits().cast_signed())
}

const fn at(place: i64) -> f64 {
    f64::from_bits(flipped(place).cast_unsigned())
}

/// Bits of a negative number fall while it rises. Its own inverse.
const fn flipped(bits: i64) -> i64 {
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::threshold;

    #[test]
    fn a_threshold_parts_values_exactly_as_the_share_does() {
        let lows = [0.0, 3.0, -7.25, 0.1, 1e16, -1e300, 5e-324, 12345.678];
        let widths = [1.0, 3.0, 997.0, 1e-3, 1e16, 1e300, 1e-310];
        let mut parted = 0;
        for low in lows {
            for high in widths.map(|width| low + width) {
                for n in [2u32, 3, 5, 7, 10, 64] {
                    for edge in (1..n).map(|k| f64::from(k) / f64::from(n)) {
                        let at = threshold([low, high], edge);
                        let share = |value: f64| (value - low) / (high - low);
                        if high == low {
                            assert_eq!(at, f64::INFINITY);
                            continue;
                        }
                        assert!(share(at) > edge, "{low}..{high} at {edge}");
                        assert!(share(at.next_down()) <= edge, "{low}..{high} at {edge}");
                        parted += 1;
                    }
                }
            }
        }
        assert!(parted > 3000, "{parted}");
        assert_eq!(threshold([-f64::MAX, f64::MAX], 0.5), f64::INFINITY);
    }

    #[test]
    fn an_edge_at_zero_is_found_where_numbers_lie_far_closer_than_shares() {
        for half in [5.0, 1e-300, 1e300] {
            let at = threshold([-half, half], 0.5);
            let share = |value: f64| (value + half) / (2.0 * half);
            assert!(
                at > 0.0 && share(at) > 0.5 && share(at.next_down()) <= 0.5,
                "{at}"
            );
        }
    }
}
