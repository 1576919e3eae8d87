//! What a plugin's own tests need: the promises every stage makes, and answers kept in files.
//!
//! Nothing here loads a library; `eyemap plugin check` and a render do that.

mod annotate;
mod golden;
mod host;
mod replay;

pub use annotate::tooltips;
pub use golden::golden;
pub use replay::{Replayed, Request, Step, replay, replay_steps};

use crate::{
    ColorScale, Placement,
    coordinate::Places,
    job::{ColumnStatus, Rgba},
};

/// Places columns, and panics if any split of the batch gives other places.
///
/// # Panics
/// When the placement is not chunk-invariant.
pub fn places(placement: &impl Placement, columns: &[(i32, i32)]) -> Vec<Option<[f64; 2]>> {
    let whole = place_in(placement, columns, columns.len().max(1));
    for size in [1, 3, 7] {
        assert_eq!(
            place_in(placement, columns, size),
            whole,
            "split into batches of {size}"
        );
    }
    whole
}

fn place_in(
    placement: &impl Placement,
    columns: &[(i32, i32)],
    size: usize,
) -> Vec<Option<[f64; 2]>> {
    let place_batch = |batch: &[(i32, i32)]| {
        let (hex1, hex2): (Vec<_>, Vec<_>) = batch.iter().copied().unzip();
        let (mut x, mut y, mut placed) = (
            vec![0.0; batch.len()],
            vec![0.0; batch.len()],
            vec![0; batch.len()],
        );
        let out = Places {
            x: &mut x,
            y: &mut y,
            placed: &mut placed,
        };
        placement.place(&hex1, &hex2, out);
        (0..batch.len())
            .map(|i| (placed[i] != 0).then_some([x[i], y[i]]))
            .collect::<Vec<_>>()
    };
    columns.chunks(size).flat_map(place_batch).collect()
}

/// Colours values that are present, and panics if any split of the batch gives other colours.
///
/// # Panics
/// When the scale is not chunk-invariant.
pub fn colors(scale: &impl ColorScale, values: &[f64]) -> Vec<Rgba> {
    let color_in = |size: usize| {
        let color_batch = |batch: &[f64]| {
            let mut out = vec![Rgba(0); batch.len()];
            scale.color(batch, &vec![ColumnStatus::HasData; batch.len()], &mut out);
            out
        };
        values
            .chunks(size)
            .flat_map(color_batch)
            .collect::<Vec<_>>()
    };
    let whole = color_in(values.len().max(1));
    for size in [1, 3, 7] {
        assert_eq!(color_in(size), whole, "split into batches of {size}");
    }
    whole
}
