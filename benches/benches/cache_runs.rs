//! What does a second run cost, and what does keeping cost the first?
//!
//! 1,000 maps of 900 columns and ten layers, through the command: whole runs, from start to end, in
//! turn. Targets: a second run at least 20 times faster than the first; a first run with caches at most
//! 1.03 of one without.

#![allow(clippy::print_stdout, missing_docs)]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use eyemap_benches::{file, table};

const MAPS: usize = 1_000;
const COLUMNS: usize = 900;
const ROUNDS: usize = 5;

struct Runs {
    eyemap: PathBuf,
    table: PathBuf,
    dir: PathBuf,
}

impl Runs {
    /// One run; its time from start to end, and that of drawing and writing alone.
    fn run(&self, format: &str, config: &str, out: &str) -> (Duration, Duration) {
        let config_file = self.dir.join("eyemap.toml");
        std::fs::write(&config_file, config).unwrap_or_else(|error| panic!("{error}"));
        let start = Instant::now();
        let output = Command::new(&self.eyemap)
            .arg("render")
            .arg(&self.table)
            .args([
                "--region", "ME", "--side", "R", "--json", "--format", format, "-o",
            ])
            .arg(self.dir.join(out))
            .arg("--config")
            .arg(config_file)
            .output()
            .unwrap_or_else(|error| panic!("{error}"));
        let whole = start.elapsed();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}");
        let summary: serde_json::Value =
            serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}"));
        let drawing = summary["elapsed_ms"].as_f64().unwrap_or_default() / 1e3;
        (whole, Duration::from_secs_f64(drawing))
    }

    fn forget(&self, name: &str) {
        // What is not there need not be removed.
        let _ = std::fs::remove_dir_all(self.dir.join(name));
    }

    /// As if the table had been written anew, with the same rows.
    fn touch(&self) {
        let touched = std::fs::File::options()
            .append(true)
            .open(&self.table)
            .and_then(|file| file.set_modified(std::time::SystemTime::now()));
        touched.unwrap_or_else(|error| panic!("{error}"));
        std::thread::sleep(Duration::from_millis(150));
    }
}

fn main() {
    let build = std::env::var_os("EYEMAP_BUILD_DIR").map(PathBuf::from);
    let build = build.unwrap_or_else(|| panic!("run the benches with `cargo xtask bench`"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (kept, table) = file(&table(MAPS, COLUMNS));
    let runs = Runs {
        eyemap: root.join(build).join("eyemap"),
        table,
        dir: kept.path().to_owned(),
    };
    for format in ["svg", "svg,png"] {
        compare(&runs, format);
    }
}

fn compare(runs: &Runs, format: &str) {
    let off = "[cache]\nmode = \"off\"\n";
    let auto = "[cache]\nmode = \"auto\"\n[cache.artifacts]\nstore = \"store\"\n";
    let on = "[cache]\nmode = \"on\"\n[cache.artifacts]\nstore = \"store\"\n";
    let mut best: BTreeMap<&str, (Duration, Duration)> = BTreeMap::new();
    let mut note = |name, (whole, drawing): (Duration, Duration)| {
        let found = best.entry(name).or_insert((whole, drawing));
        *found = (found.0.min(whole), found.1.min(drawing));
    };
    for _ in 0..ROUNDS {
        for (name, config) in [
            ("1 first, caches off", off),
            ("2 first, auto", auto),
            ("3 first, on", on),
        ] {
            runs.forget("out");
            runs.forget("store");
            note(name, runs.run(format, config, "out"));
        }
        // The run before may have been too close to the writing of the table to be noted.
        runs.run(format, on, "out");
        note("4 second", runs.run(format, on, "out"));
        runs.touch();
        note("5 second, table touched", runs.run(format, on, "out"));
        runs.forget("out");
        note(
            "6 from the store, into an empty directory",
            runs.run(format, on, "out"),
        );
    }
    let first = best["1 first, caches off"];
    println!("{MAPS} maps as {format}: whole command, drawing and writing alone");
    for (name, (whole, drawing)) in best {
        let ratio = |time: Duration, of: Duration| time.as_secs_f64() / of.as_secs_f64().max(1e-9);
        println!(
            "  {:<42} {:8.1} ms ({:6.3} of the first) {:8.1} ms ({:6.3})",
            &name[2..],
            whole.as_secs_f64() * 1e3,
            ratio(whole, first.0),
            drawing.as_secs_f64() * 1e3,
            ratio(drawing, first.1)
        );
    }
}
