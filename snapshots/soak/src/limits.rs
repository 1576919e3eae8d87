//! Memory stays where it was told to stay, with any number of threads and in every form of table, or the run
//! is refused with a limit that would do.

use eyemap_snapshots::limits::{Form, Size, keeps, write_table};

use crate::trial::{Fault, Trial};

const MB: u64 = 1_000_000;

pub(crate) fn run(trial: &mut Trial) -> Result<(), Fault> {
    let form = *trial.pick(&Form::ALL);
    let size = Size {
        parts: trial.random.usize(1..24),
        edge: trial.random.i32(5..60),
        layers: trial.random.i32(0..10),
        seed: trial.random.u64(..),
    };
    // Small limits are where something can go wrong.
    let limit = (68 + trial.random.u64(0..30) * trial.random.u64(0..33)) * MB;
    let threads = 1_usize << trial.random.u32(0..=8);
    write_table(&trial.path("table"), form, size);
    let kept = keeps(trial.desk.dir.path(), "table", limit, threads);
    kept.map(drop)
        .map_err(|fault| format!("{form:?}, {size:?}: {fault}"))
}
