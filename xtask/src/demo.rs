//! Draws the sample data.

use std::process::Command;

use crate::{Done, build, process};

/// Samples, as folder of `examples/` and table in it.
const SAMPLES: [(&str, &str); 3] = [
    ("nern2024", "cells.csv"),
    ("flywire", "cells.csv.gz"),
    ("synthetic", "counts.csv"),
];

/// Builds, draws every sample, and says where to look.
pub(crate) fn run() -> Done {
    let built = build::run_into(false)?;
    let out = process::root().join("out");
    for (folder, table) in SAMPLES {
        let sample = process::root().join("examples").join(folder);
        println!("\n{folder}: examples/{folder}/{table}");
        let mut render = Command::new(&built.command);
        render.arg("render").arg(sample.join(table));
        render.arg("--config").arg(sample.join("eyemap.toml"));
        render
            .arg("--out")
            .arg(out.join(folder))
            .args(["--format", "svg,png", "--index"]);
        process::run(&mut render)?;
    }
    println!("\nOpen these in a browser:");
    for (folder, _) in SAMPLES {
        println!("  {}", out.join(folder).join("index.html").display());
    }
    println!(
        "\nYour own table:  {} render TABLE -o DIR --index",
        built.command.display()
    );
    Ok(())
}
