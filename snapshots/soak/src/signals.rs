//! A run that is asked to stop stops, and the same command draws the rest.

use rustix::process::Signal;

use crate::trial::{Fault, Trial, same, signal, table, wait_for};

const TYPES: usize = 200;
const RENDER: [&str; 6] = ["render", "table.csv", "-o", "out", "--format", "svg"];

pub(crate) fn run(trial: &mut Trial) -> Result<(), Fault> {
    trial.write("table.csv", table(TYPES));
    trial.succeed(&mut trial.eyemap(&[
        "render",
        "table.csv",
        "-o",
        "undisturbed",
        "--format",
        "svg",
    ]))?;
    let asked = *trial.pick(&[Signal::INT, Signal::TERM, Signal::HUP]);
    let after = trial.random.usize(..TYPES);
    let mut child = trial.start(&mut trial.eyemap(&RENDER), ".words")?;
    wait_for(&mut child, &trial.path("out"), after)?;
    signal(&child, asked);
    let ended = trial.wait(child, ".words")?;
    ended.is_sane()?;
    // It may have been at its end already.
    if !matches!(ended.code, Some(0 | 130)) {
        return Err(format!(
            "{asked:?} after {after} maps: exit code {:?}\n{}",
            ended.code, ended.said
        ));
    }
    trial.succeed(&mut trial.eyemap(&RENDER))?;
    same(&trial.files("out"), &trial.files("undisturbed"))
        .map_err(|fault| format!("{asked:?} after {after} maps: {fault}"))
}
