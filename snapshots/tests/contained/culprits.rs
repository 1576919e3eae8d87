//! A value that a plugin does not survive costs the maps that have it, and no others.

use std::{path::Path, process::Output};

use eyemap_snapshots::broken::broken;
use tempfile::TempDir;

const TYPES: usize = 60;
/// The cell type whose table has the value that makes the plugin crash.
const GUILTY: usize = 37;

/// A folder with a table of many cell types, and a configuration that colours them with a copy of `broken`.
fn project(fault: &str, config: &str) -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let library = broken(dir.path(), fault);
    let config = format!(
        "[stages.color]\nplugin = {library:?}\n{config}\n\
         [plugins.by_id.\"org.eyemap.fixture.broken\"]\ntrust = true\nmode = \"contained\"\n"
    );
    let mut table = String::from("cell_type,region,side,hex1,hex2,synapses\n");
    for cell_type in 0..TYPES {
        for column in 0..9 {
            let guilty = cell_type == GUILTY && column == 5;
            let value = if guilty { 1001 } else { cell_type + column };
            table += &format!("T{cell_type:02},LOP,R,{},10,{value}\n", 10 + column);
        }
    }
    std::fs::write(dir.path().join("eyemap.toml"), config).expect("written");
    std::fs::write(dir.path().join("table.csv"), table).expect("written");
    dir
}

fn render(project: &TempDir) -> Output {
    let mut command = super::hostile::draws(project.path());
    command.output().expect("the command runs")
}

/// Names and bytes of the maps that were drawn.
fn maps(project: &TempDir) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    files(&project.path().join("out"), &mut found);
    found.sort();
    found
}

fn files(dir: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(dir).expect("a directory").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|end| end == "svg") {
            let name = entry.file_name().to_string_lossy().into_owned();
            found.push((name, std::fs::read(&path).expect("a map")));
        }
    }
}

/// What a run said, however its lines were broken.
fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let words = text.split_whitespace();
    let words = words.filter(|word| !["│", "|", "×", "╰─▶", "├─▶"].contains(word));
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_value_that_crashes_fails_its_map_alone_and_is_named() {
    let sound = project("none", "");
    assert!(render(&sound).status.success());
    let expected: Vec<_> = maps(&sound)
        .into_iter()
        .filter(|(name, _)| !name.contains(&format!("T{GUILTY:02}")))
        .collect();
    assert_eq!(expected.len(), TYPES - 1);

    let guilty = project("crashes-near-1001", "");
    for run in ["the first run", "the second run"] {
        let output = render(&guilty);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{run}: {said}");
        for part in [
            "T37",
            "its worker crashes for the value 1001.0",
            "was ended by SIGSEGV",
        ] {
            assert!(said.contains(part), "{run}: no {part:?} in {said}");
        }
        assert!(!said.contains("not started again"), "{run}: {said}");
        assert_eq!(
            said.matches("its worker crashe").count(),
            1,
            "{run}: {said}"
        );
        assert!(
            maps(&guilty) == expected,
            "{run}: other maps than those of a sound plugin"
        );
    }
}

#[test]
fn a_plugin_that_always_crashes_is_given_up_after_as_many_calls_as_are_allowed() {
    let output = render(&project(
        "segfault@call",
        "[run]\njobs = 1\n[plugins.contained]\ncrashes = 5",
    ));
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    // Four calls crashed twice, and the fifth once; another thread could come in between.
    assert!(
        said.contains("its worker crashed 9 times and is not started again"),
        "{said}"
    );
}
