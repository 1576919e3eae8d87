//! Changed configurations: each is used or refused with its place.

use crate::{
    tables::{mutate, whole},
    trial::{Fault, Trial, table},
};

/// What values are replaced by. Nothing names a place outside of the directory.
const HOSTILE: [&str; 20] = [
    "0",
    "-1",
    "1e300",
    "nan",
    "inf",
    "9223372036854775807",
    "\"\"",
    "\"x\"",
    "\"\\u0000\"",
    "\"\\u001b[2J\"",
    "\"0 B\"",
    "\"1 B\"",
    "\"16 EiB\"",
    "[]",
    "[\"\"]",
    "[1, 2]",
    "{}",
    "true",
    "1979-05-27",
    "'''",
];

pub(crate) fn run(trial: &mut Trial) -> Result<(), Fault> {
    let whole_file = std::fs::read_to_string(eyemap_snapshots::project("docs/eyemap.toml"));
    let whole_file = whole_file.map_err(|error| error.to_string())?;
    let mut lines: Vec<String> = whole_file.lines().map(str::to_owned).collect();
    for _ in 0..trial.random.usize(1..5) {
        let at = trial.random.usize(..lines.len());
        match (trial.random.u8(..4), lines[at].split_once('=')) {
            (0, _) => drop(lines.remove(at)),
            (1, _) => lines.insert(at, lines[at].clone()),
            (_, Some((key, _))) => lines[at] = format!("{key}= {}", trial.pick(&HOSTILE)),
            (_, None) => {}
        }
    }
    let mut text = lines.join("\n").into_bytes();
    if trial.random.u8(..8) == 0 {
        mutate(trial, &mut text);
    }
    trial.write("eyemap.toml", &text);
    trial.write("table.csv", table(3));
    let arguments = [
        "render",
        "table.csv",
        "-o",
        "out",
        "--config",
        "eyemap.toml",
    ];
    let ended = trial.run(&mut trial.eyemap(&arguments))?;
    if ended.code == Some(2) && ended.said.trim().is_empty() {
        return Err("refused without a word".into());
    }
    for (name, bytes) in trial.files("out") {
        if !name.ends_with(".png") && !name.ends_with(".tar") && !name.ends_with(".zip") {
            whole(&name, &bytes)?;
        }
    }
    Ok(())
}
