//! Three processes share a store and are killed: the store serves no wrong byte, and the same commands once
//! more leave what undisturbed ones leave.

use rustix::process::Signal;

use crate::trial::{Fault, Trial, same, signal, table, wait_for};

const TYPES: usize = 120;

pub(crate) fn run(trial: &mut Trial) -> Result<(), Fault> {
    trial.write("table.csv", table(TYPES));
    trial.write(
        "on.toml",
        "[cache.artifacts]\nmode = \"on\"\nstore = \"store\"\n",
    );
    trial.succeed(&mut trial.eyemap(&[
        "render",
        "table.csv",
        "-o",
        "undisturbed",
        "--format",
        "svg,json",
    ]))?;
    let expected = trial.files("undisturbed");
    for _ in 0..2 {
        disturbed(trial)?;
    }
    for out in ["a", "b", "c"] {
        trial.succeed(&mut trial.eyemap(&with_store(out)))?;
        same(&trial.files(out), &expected).map_err(|fault| format!("in {out}: {fault}"))?;
    }
    let verified = trial.run(&mut trial.eyemap(&["cache", "verify", "--store", "store"]))?;
    match verified.code {
        Some(0) => Ok(()),
        code => Err(format!(
            "the store is not sound, exit code {code:?}:\n{}",
            verified.said
        )),
    }
}

fn with_store(out: &str) -> [&str; 8] {
    [
        "render",
        "table.csv",
        "-o",
        out,
        "--format",
        "svg,json",
        "--config",
        "on.toml",
    ]
}

/// Three runs at a time, each killed at some moment.
fn disturbed(trial: &mut Trial) -> Result<(), Fault> {
    let outs = ["a", "b", "c"];
    let mut children = Vec::new();
    for out in outs {
        let _ = std::fs::remove_dir_all(trial.path(out));
        children.push(trial.start(
            &mut trial.eyemap(&with_store(out)),
            &format!(".words-{out}"),
        )?);
    }
    for (mut child, out) in children.into_iter().zip(outs) {
        let after = trial.random.usize(..2 * TYPES);
        wait_for(&mut child, &trial.path(out), after)?;
        signal(&child, Signal::KILL);
        child.wait().map_err(|error| error.to_string())?;
    }
    Ok(())
}
