//! Memory stays where it was told to stay, with any number of threads and in every form of table, or the run
//! is refused at its start.

use crate::trial::{Fault, Trial};

const MB: u64 = 1_000_000;

/// Of the limit, how much more is forgiven: pages that the kernel counts late.
const MORE: f64 = 1.1;

pub(crate) fn run(trial: &mut Trial) -> Result<(), Fault> {
    let limit = 64 + trial.random.u64(0..8) * trial.random.u64(0..130);
    let threads = 1_u32 << trial.random.u32(0..=8);
    let types = trial.random.usize(20..400);
    trial.write("table.csv", crate::trial::table(types));
    trial.write("limit.toml", format!("[memory]\nlimit = \"{limit} MB\"\n"));
    let jobs = threads.to_string();
    let ended = trial.run(&mut trial.eyemap(&[
        "render",
        "table.csv",
        "-o",
        "out",
        "--config",
        "limit.toml",
        "--jobs",
        &jobs,
        "--format",
        "svg,png",
    ]))?;
    let refused = ended.code == Some(2) && ended.said.contains("limit");
    let most = (limit * MB) as f64 * MORE;
    match ended.code {
        Some(0) if ended.peak as f64 <= most => Ok(()),
        Some(2) if refused && ended.peak as f64 <= most.max(110e6) => Ok(()),
        code => Err(format!(
            "{types} types, {threads} threads under {limit} MB: exit code {code:?}, {} MB:\n{}",
            ended.peak / MB,
            ended.said
        )),
    }
}
