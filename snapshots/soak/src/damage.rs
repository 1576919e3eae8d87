//! A store whose files are damaged serves no wrong byte, and `cache verify` says so.

use crate::{
    tables::mutate,
    trial::{Fault, Trial, same, table},
};

pub(crate) fn run(trial: &mut Trial) -> Result<(), Fault> {
    trial.write("table.csv", table(20));
    trial.write(
        "on.toml",
        "[cache.artifacts]\nmode = \"on\"\nstore = \"store\"\n",
    );
    let render = |out| ["render", "table.csv", "-o", out, "--config", "on.toml"];
    trial.succeed(&mut trial.eyemap(&render("first")))?;
    let expected = trial.files("first");
    let files: Vec<String> = trial.files("store").into_keys().collect();
    for _ in 0..trial.random.usize(1..4) {
        let name = format!("store/{}", trial.pick(&files));
        let mut bytes = std::fs::read(trial.path(&name)).unwrap_or_default();
        mutate(trial, &mut bytes);
        // A new file: the one that is there may be linked to an output.
        std::fs::remove_file(trial.path(&name)).ok();
        std::fs::write(trial.path(&name), bytes).map_err(|error| error.to_string())?;
    }
    if trial.random.bool() {
        trial.run(&mut trial.eyemap(&["cache", "verify", "--store", "store"]))?;
    }
    trial.succeed(&mut trial.eyemap(&render("second")))?;
    same(&trial.files("second"), &expected)
}
