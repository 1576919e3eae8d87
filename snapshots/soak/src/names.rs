//! Hostile names of cell types: each has files of its own below the output directory, and none is read as
//! anything but text.

use crate::{
    tables::whole,
    trial::{Fault, Trial},
};

const PIECES: [&str; 24] = [
    "/",
    "..",
    "\\",
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "]]>",
    "-->",
    "&amp;",
    "'",
    "\"",
    "${{ x }}",
    "`",
    "{cell_type}",
    "%2e%2e",
    "CON",
    "aux.svg",
    ".",
    " ",
    "~",
    "\u{202e}",
    "e\u{301}",
    "\u{feff}",
    "\u{10ffff}",
    "漢",
];

pub(crate) fn run(trial: &mut Trial) -> Result<(), Fault> {
    let mut names: Vec<String> = (0..trial.random.usize(1..12))
        .map(|_| name(trial))
        .collect();
    names.sort();
    names.dedup();
    let mut table = String::from("cell_type,region,side,hex1,hex2,synapses\n");
    for name in &names {
        let quoted = format!("\"{}\"", name.replace('"', "\"\""));
        table += &format!("{quoted},ME,R,1,1,5\n{quoted},ME,R,1,2,6\n");
    }
    trial.write("table.csv", table);
    let arguments = [
        "render",
        "table.csv",
        "-o",
        "out",
        "--index",
        "--format",
        "svg,json",
    ];
    let ended = trial.run(&mut trial.eyemap(&arguments))?;
    if ended.code != Some(0) {
        return Ok(());
    }
    let files = trial.files("out");
    let scenes = files
        .keys()
        .filter(|name| name.ends_with(".json") && name.contains('/'));
    if scenes.count() != names.len() {
        return Err(format!("{names:?} are not {} files", names.len()));
    }
    for (file, bytes) in &files {
        whole(file, bytes)?;
    }
    // Nothing lies beside the output, the table and what was said.
    let beside = trial.files(".");
    match beside
        .keys()
        .find(|name| !name.starts_with("out/") && !["table.csv", ".words"].contains(&name.as_str()))
    {
        Some(name) => Err(format!("{name} lies outside of the output directory")),
        None => Ok(()),
    }
}

fn name(trial: &mut Trial) -> String {
    match trial.random.u8(..6) {
        0 => "n".repeat(trial.random.usize(1..5000)),
        1 => (0..trial.random.usize(1..20))
            .map(|_| trial.random.char(' '..))
            .collect(),
        _ => (0..trial.random.usize(1..6))
            .map(|_| *trial.pick(&PIECES))
            .collect(),
    }
}
