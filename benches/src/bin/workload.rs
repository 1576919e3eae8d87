//! Writes a table of any size, with its atlas: `cargo xtask workload`.

#![allow(clippy::print_stdout, reason = "a chore's report")]

use std::{fs, path::PathBuf, time::Instant};

use clap::Parser;
use eyemap_benches::{
    Result,
    workload::{Single, Workload},
};

/// Writes DIR/table/part-0000.parquet and so on, and DIR/atlas.csv.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask workload", max_term_width = 100)]
struct Args {
    /// Number of cell types; 11,000 have about 135 million rows
    #[arg(long, default_value_t = 100, value_name = "N")]
    types: usize,
    /// The same seed gives the same rows
    #[arg(long, default_value_t = 1, value_name = "S")]
    seed: u64,
    /// Directory that is written into
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
    /// Number of files, 1 to 256; with --scatter 1 to 32
    #[arg(long, default_value_t = 1, value_name = "P")]
    parts: usize,
    /// Rows of all types in each part, in no order, in place of types one after the other
    #[arg(long)]
    scatter: bool,
    /// Write this many rows twice: such a table must be refused
    #[arg(long, default_value_t = 0, value_name = "N")]
    duplicates: u64,
    /// Leave this share of the values empty, 0 to 1
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    nulls: f64,
    /// Sizes of types by Zipf's law: few have much, most have little
    #[arg(long)]
    skew: bool,
    /// One type in one region with this many columns, in place of many types; no atlas is written
    #[arg(long, value_name = "N", conflicts_with_all = ["types", "skew"])]
    columns: Option<usize>,
    /// Layers of that one map
    #[arg(long, default_value_t = 0, value_name = "L", requires = "columns")]
    layers: u8,
}

fn main() -> std::process::ExitCode {
    eyemap_benches::end(run(&Args::parse()))
}

fn run(args: &Args) -> Result<()> {
    let layers = args.layers;
    let workload = Workload {
        types: args.types,
        seed: args.seed,
        parts: args.parts,
        scatter: args.scatter,
        duplicates: args.duplicates,
        nulls: args.nulls,
        skew: args.skew,
        single: args.columns.map(|columns| Single { columns, layers }),
    };
    let start = Instant::now();
    let made = workload.write(&args.out)?;
    let table = args.out.join("table");
    let mut bytes = 0;
    for entry in fs::read_dir(&table)? {
        bytes += entry?.metadata()?.len();
    }
    println!(
        "{} rows, {} maps with data a metric, {:.1} MB in {} parts, {:.1} s: {}",
        made.rows,
        made.maps,
        bytes as f64 / 1e6,
        args.parts,
        start.elapsed().as_secs_f64(),
        table.display()
    );
    Ok(())
}
