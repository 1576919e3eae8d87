//! Draws the sample data with matplotlib and cairosvg, and with eyemap in the same run, and writes the
//! section "Other programs" of docs/performance.md: `cargo xtask bench-peers`.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a chore's report"
)]

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use clap::Parser;
use eyemap_benches::{
    Result, document,
    measure::{self, median},
    scale::{bytes, seconds},
};
use serde_json::Value;

/// Folder of `examples/`, table in it, and metric.
type Sample = (&'static str, &'static str, &'static str);

/// Together 60 maps with data.
const SAMPLES: [Sample; 3] = [
    ("nern2024", "cells.csv", "cells"),
    ("flywire", "cells.csv.gz", "cells"),
    ("synthetic", "counts.csv", "synapses"),
];

/// Draws the sample data with other programs too, into docs/performance.md.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench-peers")]
struct Args {
    /// One round, printed only
    #[arg(long)]
    quick: bool,
}

struct Peers {
    root: PathBuf,
    build: PathBuf,
    dir: PathBuf,
}

/// Means of one way to draw.
struct Way {
    name: String,
    /// Seconds per map, of drawing alone.
    drawing: f64,
    /// Seconds per map, of the whole command; other programs are not run as one.
    whole: Option<f64>,
    bytes: f64,
}

fn main() -> std::process::ExitCode {
    eyemap_benches::end(run(&Args::parse()))
}

fn run(args: &Args) -> Result<()> {
    let build = std::env::var_os("EYEMAP_BUILD_DIR").map(PathBuf::from);
    let build = build.ok_or("EYEMAP_BUILD_DIR is not set: run this through `cargo xtask`")?;
    let peers = Peers {
        root: Path::new(env!("CARGO_MANIFEST_DIR")).join(".."),
        dir: build.parent().unwrap_or(&build).join("bench-peers"),
        build,
    };
    let rounds = if args.quick { 1 } else { 7 };
    let python = peers.python()?;
    let maps = peers.maps()?;
    let mut ways = Vec::new();
    for format in ["svg", "svg-static", "png"] {
        ways.push(peers.eyemap(format, rounds)?);
    }
    let (drawn, others) = peers.others(&python, &maps, rounds)?;
    ways.extend(others);
    let block = block(&ways, drawn, &measure::machine(&peers.root));
    println!("{block}");
    if args.quick {
        return Ok(());
    }
    let blocks = BTreeMap::from([("maps", block)]);
    document::update(
        &peers.root.join("docs/performance.md"),
        "peers",
        &["maps"],
        &blocks,
    )
}

impl Peers {
    /// The interpreter of a virtual environment with the pinned packages.
    fn python(&self) -> Result<PathBuf> {
        let environment = self.dir.join("venv");
        let python = environment.join("bin/python");
        let wanted = self.root.join("benches/peers/requirements.txt");
        let stamp = environment.join("requirements.txt");
        if fs::read(&stamp).ok() != Some(fs::read(&wanted)?) {
            eprintln!("installing matplotlib and cairosvg ...");
            let mut create = Command::new("python3");
            measure::run(create.args(["-m", "venv", "--clear"]).arg(&environment))?;
            let mut install = Command::new(&python);
            install.args(["-m", "pip", "install", "--quiet", "--requirement"]);
            measure::run(install.arg(&wanted))?;
            fs::copy(&wanted, stamp)?;
        }
        Ok(python)
    }

    fn render(&self, sample: Sample, format: &str, out: &Path) -> Result<measure::Run> {
        let (folder, table, metric) = sample;
        let folder = self.root.join("examples").join(folder);
        let mut command = Command::new(self.build.join("eyemap"));
        command.arg("render").arg(folder.join(table));
        command.arg("--config").arg(folder.join("eyemap.toml"));
        command.args(["--metric", metric, "--format", format, "--json"]);
        // The other programs draw in one thread.
        measure::run(command.args(["--jobs", "1", "--force", "-o"]).arg(out))
    }

    /// The maps as JSON and static SVG, for the other programs.
    fn maps(&self) -> Result<PathBuf> {
        let maps = self.dir.join("maps");
        for sample in SAMPLES {
            self.render(sample, "json,svg-static", &maps.join(sample.0))?;
        }
        Ok(maps)
    }

    fn eyemap(&self, format: &str, rounds: usize) -> Result<Way> {
        let (mut drawing, mut whole) = (Vec::new(), Vec::new());
        let (mut maps, mut written) = (0.0, 0.0);
        for _ in 0..rounds {
            let (mut elapsed, mut wall) = (0.0, 0.0);
            (maps, written) = (0.0, 0.0);
            for sample in SAMPLES {
                let out = tempfile::tempdir_in(&self.dir)?;
                let run = self.render(sample, format, out.path())?;
                let said: Value = serde_json::from_str(&run.said)?;
                let number = |name: &str| said[name].as_f64().unwrap_or_default();
                // Blank maps cost time and do not count: the others do not draw them.
                maps += number("rendered");
                written += number("bytes");
                elapsed += number("elapsed_ms") / 1e3;
                wall += run.cost.wall.as_secs_f64();
            }
            drawing.push(elapsed);
            whole.push(wall);
        }
        Ok(Way {
            name: format!("eyemap, {format}"),
            drawing: median(drawing) / maps,
            whole: Some(median(whole) / maps),
            bytes: written / maps,
        })
    }

    fn others(&self, python: &Path, maps: &Path, rounds: usize) -> Result<(u64, Vec<Way>)> {
        let mut draw = Command::new(python);
        draw.arg(self.root.join("benches/peers/draw.py"));
        let run = measure::run(draw.arg(maps).arg(rounds.to_string()))?;
        let said: Value = serde_json::from_str(&run.said)?;
        let ways = said["ways"].as_object().into_iter().flatten();
        let way = |(name, way): (&String, &Value)| Way {
            name: name.clone(),
            drawing: way["seconds"].as_f64().unwrap_or_default(),
            whole: None,
            bytes: way["bytes"].as_f64().unwrap_or_default(),
        };
        Ok((
            said["maps"].as_u64().unwrap_or_default(),
            ways.map(way).collect(),
        ))
    }
}

/// The table: each PNG beside the PNG of eyemap, each SVG beside its static one.
fn block(ways: &[Way], maps: u64, machine: &str) -> String {
    let of = |name: &str| ways.iter().find(|way| way.name == name);
    let mut text = format!(
        "{maps} maps of the sample data, the same for all, one thread, median of the rounds. *Drawing* \
        of eyemap holds colours, places, drawing and writing of the file, for four blank maps too; that of the others making the \
        figure and encoding it in memory; *whole command* adds start, plugins and reading the table, \
        which the others are spared. Ratios are to eyemap's static SVG or PNG, drawing to drawing and \
        drawing to whole command.\n\n\
        | | drawing, a map | times eyemap's | whole command, a map | times eyemap's | size |\n\
        |---|---|---|---|---|---|\n"
    );
    for way in ways {
        let png = way.name.to_lowercase().contains("png");
        let ours = of(if png {
            "eyemap, png"
        } else {
            "eyemap, svg-static"
        });
        let to = |time: Option<f64>| {
            let ratio = time
                .filter(|_| way.whole.is_none())
                .map(|time| way.drawing / time);
            ratio.map_or(String::new(), |ratio| format!("{ratio:.1}"))
        };
        // Writing into a String cannot fail.
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            way.name,
            seconds(way.drawing),
            to(ours.map(|ours| ours.drawing)),
            way.whole.map_or(String::new(), seconds),
            to(ours.and_then(|ours| ours.whole)),
            bytes(way.bytes as u64)
        );
    }
    format!("{text}\n*{machine}.*\n")
}
