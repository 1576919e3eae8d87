//! The cases: each measures one thing and gives its block of the document.

use std::fmt::Write as _;

use eyemap_benches::{
    Result,
    measure::{hash, median, sequential_write, size},
    scale::{Place, Render, Table, bytes, seconds},
};

/// What cases share.
pub(crate) struct Bench {
    pub(crate) place: Place,
    pub(crate) parts: usize,
    /// Everything is divided by this.
    pub(crate) shrink: usize,
}

/// A case.
type Case = fn(&Bench) -> Result<String>;

/// What is taken of a run.
type Figure = fn(&Render) -> f64;

/// All cases, in the order of the document.
pub(crate) const CASES: [(&str, Case); 7] = [
    ("full", full),
    ("linear", linear),
    ("huge", huge),
    ("threads", threads),
    ("limit", limit),
    ("report", report),
    ("verify", verify),
];

/// Types of a whole nervous system.
const FULL: usize = 11_000;

/// Types that give about a thousand maps.
const THOUSAND_MAPS: usize = 84;

impl Bench {
    /// The same, with output that goes to memory.
    fn in_memory(&self) -> Self {
        Self {
            place: self.place.in_memory(),
            parts: self.parts,
            shrink: self.shrink,
        }
    }

    fn types(&self, types: usize, more: &str) -> Result<Table> {
        let types = (types / self.shrink).max(1);
        let arguments = format!("--types {types} --seed 1 {more}");
        self.place.table(arguments.trim(), self.parts)
    }

    /// Several ways to draw a table, in turn, so that a busy machine slows all alike.
    fn in_turn(&self, table: &Table, rounds: usize, ways: &[&[&str]]) -> Result<Vec<Vec<Render>>> {
        let mut runs: Vec<Vec<Render>> = ways.iter().map(|_| Vec::new()).collect();
        for _ in 0..rounds {
            for (runs, way) in runs.iter_mut().zip(ways) {
                runs.push(self.place.render(table, way)?);
            }
        }
        Ok(runs)
    }
}

fn full(bench: &Bench) -> Result<String> {
    let mut text = String::from(
        "### The whole data set\n\nInteractive SVG, both metrics, two threads. *Share* is that of the \
        time to write as many bytes into one file, in blocks of 1 MiB, measured right after.\n\n\
        | table | on disk | maps | time | CPU | maps/s | output | MB/s | share | peak memory |\n\
        |---|---|---|---|---|---|---|---|---|---|\n",
    );
    for (name, more) in [("sorted", ""), ("scattered", "--scatter")] {
        let table = bench.types(FULL, more)?;
        let render = bench.place.render(&table, &["--jobs", "2"])?;
        let written = size(&bench.place.out())?;
        bench.place.forget()?;
        let plain = sequential_write(&bench.place.dir.join("plain"), written)?.as_secs_f64();
        writeln!(
            text,
            "| {name} | {} | {} | {} | {} | {:.0} | {} | {:.0} | {:.0} % | {} |",
            bytes(table.bytes),
            render.maps(),
            seconds(render.seconds()),
            seconds(render.run.cost.cpu.as_secs_f64()),
            render.maps() / render.seconds(),
            bytes(written),
            written as f64 / 1e6 / render.seconds(),
            100.0 * plain / render.seconds(),
            bytes(render.run.cost.peak_bytes)
        )?;
    }
    Ok(text)
}

fn linear(bench: &Bench) -> Result<String> {
    let mut text = String::from(
        "### From few types to many\n\nSorted tables, interactive SVG, two threads; time of the whole \
        command.\n\n| types | maps | time | time per map | peak memory |\n|---|---|---|---|---|\n",
    );
    for types in [100, 1_000, FULL] {
        let table = bench.types(types, "")?;
        let render = bench.place.render(&table, &["--jobs", "2"])?;
        writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            types / bench.shrink,
            render.maps(),
            seconds(render.seconds()),
            seconds(render.seconds() / render.maps()),
            bytes(render.run.cost.peak_bytes)
        )?;
        bench.place.forget()?;
    }
    Ok(text)
}

fn huge(bench: &Bench) -> Result<String> {
    let mut text = String::from(
        "### One map of many hexagons\n\nOne metric, no layers. *Drawing* is `time_ms.draw` of \
        `--json`, the rest is reading, colours, places and writing.\n\n\
        | hexagons | format | time | per hexagon | drawing per hexagon | output | peak memory |\n\
        |---|---|---|---|---|---|---|\n",
    );
    for hexagons in [10_000, 100_000, 1_000_000, 10_000_000] {
        let hexagons = hexagons / bench.shrink;
        let table = bench
            .place
            .table(&format!("--columns {hexagons} --seed 1"), bench.parts)?;
        for format in ["svg", "json", "png"] {
            let arguments = ["--metric", "synapses", "--format", format];
            let line = match bench.place.render(&table, &arguments) {
                Ok(render) => one_map(&render, hexagons, size(&bench.place.out())?),
                Err(reason) => format!("not drawn: {} | | | |", one_line(&reason.to_string())),
            };
            writeln!(text, "| {hexagons} | {format} | {line} |")?;
            bench.place.forget()?;
        }
    }
    Ok(text)
}

fn one_map(render: &Render, hexagons: usize, written: u64) -> String {
    let each = |time: f64| seconds(time / hexagons as f64);
    format!(
        "{} | {} | {} | {} | {}",
        seconds(render.seconds()),
        each(render.seconds()),
        each(render.number("/time_ms/draw") / 1e3),
        bytes(written),
        bytes(render.run.cost.peak_bytes)
    )
}

/// What fits into a cell of a table.
fn one_line(reason: &str) -> String {
    let words: Vec<_> = reason.split_whitespace().collect();
    words
        .join(" ")
        .replace('|', "/")
        .chars()
        .take(160)
        .collect()
}

fn threads(bench: &Bench) -> Result<String> {
    let table = bench.types(THOUSAND_MAPS, "")?;
    let bench = &bench.in_memory();
    let runs = bench.in_turn(&table, 5, &[&["--jobs", "1"], &["--jobs", "2"]])?;
    let mut text = format!(
        "### Two threads\n\n{} maps, written to memory, medians of five runs in turn.\n\n\
        | | `--jobs 1` | `--jobs 2` | times faster |\n|---|---|---|---|\n",
        runs[0][0].maps()
    );
    let parts: [(&str, Figure); 2] = [
        ("whole command", Render::seconds),
        ("drawing and writing", |run| run.number("/elapsed_ms") / 1e3),
    ];
    for (name, time) in parts {
        let [one, two] = [0, 1].map(|way| median(runs[way].iter().map(time).collect()));
        writeln!(
            text,
            "| {name} | {} | {} | {:.2} |",
            seconds(one),
            seconds(two),
            one / two
        )?;
    }
    Ok(text)
}

fn limit(bench: &Bench) -> Result<String> {
    let config = "[memory]\nlimit = \"200 MB\"\n";
    std::fs::write(bench.place.dir.join("limit.toml"), config)?;
    let table = bench.types(FULL, "")?;
    // The one that may fail comes first.
    let small = bench
        .place
        .render(&table, &["--jobs", "2", "--config", "limit.toml"])?;
    let small_hash = hash(&bench.place.out())?;
    let free = bench.place.render(&table, &["--jobs", "2"])?;
    let same = match hash(&bench.place.out())? == small_hash {
        true => "The files are the same, name by name and byte by byte.",
        false => "**The files differ.**",
    };
    let mut text = String::from(
        "### With 200 MB\n\nThe whole data set, sorted, interactive SVG, two threads, with and \
        without `[memory] limit = \"200 MB\"`.\n\n\
        | | time | CPU | peak memory |\n|---|---|---|---|\n",
    );
    for (name, render) in [("no limit", &free), ("200 MB", &small)] {
        let cost = render.run.cost;
        let cpu = seconds(cost.cpu.as_secs_f64());
        let (time, peak) = (seconds(render.seconds()), bytes(cost.peak_bytes));
        writeln!(text, "| {name} | {time} | {cpu} | {peak} |")?;
    }
    let log: Vec<&str> = small
        .run
        .logged
        .lines()
        .filter(|line| line.contains("memory"))
        .collect();
    writeln!(
        text,
        "\n{same} The limited run wrote {} lines about memory",
        log.len()
    )?;
    if log.is_empty() {
        text.truncate(text.trim_end().len());
        text += ".\n";
    } else {
        writeln!(text, "(the first of them):\n\n```text")?;
        log.iter()
            .take(5)
            .try_for_each(|line| writeln!(text, "{line}"))?;
        text += "```\n";
    }
    Ok(text)
}

fn report(bench: &Bench) -> Result<String> {
    let table = bench.types(THOUSAND_MAPS, "")?;
    let bench = &bench.in_memory();
    let report = ["--jobs", "2", "--report", "report.json"];
    let both = [&report[..], &["--trace", "trace.json"]].concat();
    let runs = bench.in_turn(&table, 15, &[&["--jobs", "2"], &report, &both])?;
    let [plain, reported, traced] =
        [0, 1, 2].map(|way| median(runs[way].iter().map(Render::seconds).collect()));
    Ok(format!(
        "### What a report costs\n\n{} maps, interactive SVG, two threads, written to memory, medians of \
        fifteen runs in turn: {} without, {} with `--report` ({:.3} of it), {} with `--trace` too \
        ({:.3}).\n",
        runs[0][0].maps(),
        seconds(plain),
        seconds(reported),
        reported / plain,
        seconds(traced),
        traced / plain
    ))
}

/// What verifying costs beyond drawing. One thread, so that time is computing time.
fn verify(bench: &Bench) -> Result<String> {
    let config = "[range.synapses]\nwhole = [0, 777]\n[range.cells]\nwhole = [0, 7]\n";
    std::fs::write(bench.place.dir.join("other-range.toml"), config)?;
    let bench = &bench.in_memory();
    let mut text = String::from(
        "### What verifying costs\n\nOne thread, output to memory. *Comparing* is all that is done \
        beyond drawing: hashing and looking up, and where maps differ (another colour range) reading \
        both, naming what differs and writing what is pending. *All* is the computing time of the \
        command, with reading the table and writing the report.\n\n\
        | maps | format | differ | drawing | comparing | comparing, per differing map | all |\n\
        |---|---|---|---|---|---|---|\n",
    );
    let other = ["--config", "other-range.toml"];
    let cases: [(usize, &str, &[&str], i32); 3] = [
        (834, "svg", &[], 0),
        (140, "svg", &other, 1),
        (140, "png", &other, 1),
    ];
    for (types, format, more, code) in cases {
        let table = bench.types(types, "")?;
        bench.place.forget()?;
        let path = table.path.display().to_string();
        let mut init = vec!["init", &path, "--format", format, "--keep", "2000"];
        let atlas = table
            .atlas
            .as_ref()
            .map(|atlas| atlas.display().to_string());
        init.extend(atlas.iter().flat_map(|atlas| ["--atlas", atlas]));
        bench.place.verify(&init, 0)?;
        let arguments = [&["--jobs", "1", "--guard", "0"], more].concat();
        let run = bench.place.verify(&arguments, code)?;
        let differ = run.number("/amounts/differ");
        let comparing = run.number("/comparing_ms") / 1e3;
        writeln!(
            text,
            "| {} | {format} | {differ} | {} | {} | {} | {} |",
            run.number("/amounts/compared"),
            seconds(run.number("/drawing_ms") / 1e3),
            seconds(comparing),
            if differ > 0.0 {
                seconds(comparing / differ)
            } else {
                "-".into()
            },
            seconds(run.run.cost.cpu.as_secs_f64())
        )?;
    }
    Ok(text)
}
