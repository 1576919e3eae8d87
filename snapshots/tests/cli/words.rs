//! What a run says and when, standard input, and what is made for shells and for `man`.

use std::{
    io::Write as _,
    process::{Output, Stdio},
};

use crate::{Desk, TABLE, fails, stderr, succeeds};

/// Runs the command with a text at standard input.
fn with_input(desk: &Desk, arguments: &[&str], input: &[u8]) -> Output {
    let mut child = eyemap_snapshots::eyemap()
        .args(arguments)
        .current_dir(desk.dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("eyemap runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    // More than a pipe holds is written while the command reads.
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("it ends");
    writer
        .join()
        .expect("it does not panic")
        .expect("all is read");
    output
}

fn gzip(text: &str) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).expect("memory");
    packed.finish().expect("memory")
}

/// The maps of a run, without the manifest, which names times.
fn maps(desk: &Desk) -> Vec<(String, Vec<u8>)> {
    let files = desk.files().into_iter();
    files
        .filter(|(name, _)| name.ends_with(".json") && name.contains('/'))
        .collect()
}

#[test]
fn a_table_through_a_pipe_gives_the_maps_of_its_file_in_every_format() {
    // Far more than a pipe holds, in a column that is not read.
    let note = "x".repeat(20_000);
    let mut lines = TABLE.lines();
    let header = format!("{},note\n", lines.next().expect("a header"));
    let rows: String = lines.map(|line| format!("{line},{note}\n")).collect();
    let table = header + &rows;
    let of_file = Desk::new(&table);
    succeeds(&of_file.render(&["--format", "json"]));
    let expected = maps(&of_file);
    assert!(expected.len() >= 12, "{}", expected.len());
    for input in [table.clone().into_bytes(), gzip(&table)] {
        let desk = Desk::new("");
        let arguments = ["render", "-", "-o", "out", "--format", "json"];
        succeeds(&with_input(&desk, &arguments, &input));
        assert!(maps(&desk) == expected, "other maps");
        // A pipe cannot be looked at again: maps are compared one by one, and none is drawn.
        let again = with_input(&desk, &arguments, &input);
        succeeds(&again);
        assert!(
            stderr(&again).contains(" maps unchanged in out"),
            "{}",
            stderr(&again)
        );
        let other = with_input(&desk, &arguments, table.replace("Mi1,", "Mi9,").as_bytes());
        succeeds(&other);
        assert!(
            stderr(&other).contains("written to out"),
            "{}",
            stderr(&other)
        );
    }
}

#[test]
fn an_empty_pipe_is_an_empty_table() {
    let desk = Desk::new("");
    let output = with_input(&desk, &["inspect", "-"], b"");
    fails(&output, 2, &["standard input: is empty"]);
}

#[test]
fn a_run_ends_with_one_line_and_details_come_when_they_are_asked_for() {
    let lines = |more: &[&str]| -> Vec<String> {
        let output = Desk::new(TABLE).render(more);
        succeeds(&output);
        let text = stderr(&output);
        let told = text.lines().filter(|line| !line.starts_with("note: "));
        told.map(str::to_owned).collect()
    };
    let usual = lines(&[]);
    assert_eq!(usual.len(), 1, "{usual:?}");
    assert!(usual[0].starts_with("12 maps (4 blank), "), "{usual:?}");
    assert!(usual[0].ends_with("written to out; open out (--index adds a page of all maps)"));
    for more in [&["-v"][..], &["--report", "run.html"]] {
        let detailed = lines(more);
        assert!(detailed.len() > 2, "{detailed:?}");
        assert!(detailed[0].starts_with("12 maps in "), "{detailed:?}");
        assert!(
            detailed
                .last()
                .is_some_and(|last| last.starts_with("12 maps (4 blank), "))
        );
    }
    let index = lines(&["--index"]);
    assert!(index[0].ends_with("; open out/index.html"), "{index:?}");
}

#[test]
fn quiet_leaves_out_notes_and_keeps_errors() {
    let output = Desk::new(TABLE).render(&["-q"]);
    succeeds(&output);
    assert_eq!(stderr(&output), "");
    let desk = Desk::new(
        "cell_type,region,side,hex1,hex2,layer,depth\nMi1,ME,R,1,1,1,0.5\nTm3,ME,R,1,1,0,1.5\n",
    );
    desk.write("eyemap.toml", "[metrics.depth]\nkind = \"number\"\n");
    let output = desk.render(&["-q", "--config", "eyemap.toml"]);
    fails(&output, 1, &["failed: Mi1", "sum_layers = false"]);
    assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
    fails(&Desk::new("nothing\n").render(&["-q"]), 2, &["no columns"]);
    fails(
        &Desk::new(TABLE).render(&["-q", "-v"]),
        2,
        &["cannot be used with"],
    );
}

#[test]
fn a_directory_of_spreadsheets_is_told_what_they_are() {
    let desk = Desk::new("");
    std::fs::create_dir(desk.path("sheets")).expect("a directory");
    desk.write("sheets/cells.xlsx", "PK");
    let output = eyemap_snapshots::eyemap()
        .args(["inspect", "sheets"])
        .current_dir(desk.dir.path())
        .output()
        .expect("eyemap runs");
    fails(
        &output,
        2,
        &[
            "without tables",
            "cells.xlsx is an Excel spreadsheet",
            "CSV UTF-8",
        ],
    );
}

#[test]
fn every_command_has_a_manual_page() {
    let desk = Desk::new("");
    let output = with_input(&desk, &["man", "pages"], b"");
    succeeds(&output);
    let page = |name: &str| {
        let path = desk.path(&format!("pages/{name}.1"));
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    for (name, option) in [
        ("eyemap", "eyemap\\-render(1)"),
        ("eyemap-render", "\\-\\-no\\-governor"),
        ("eyemap-inspect", "\\-\\-atlas"),
        ("eyemap-cache-tune", "\\-\\-json"),
        ("eyemap-plugin-new", "\\-\\-stage"),
        ("eyemap-verify-accept", "\\-\\-json"),
        ("eyemap-completions", "fish"),
    ] {
        let text = page(name);
        assert!(text.contains(&format!(".TH {name} 1")), "{name}\n{text}");
        assert!(text.contains(option), "{name} without {option}\n{text}");
    }
    let alone = eyemap_snapshots::run(&["man"]);
    succeeds(&alone);
    assert_eq!(String::from_utf8_lossy(&alone.stdout), page("eyemap"));
    desk.write("file", "");
    fails(
        &with_input(&desk, &["man", "file/pages"], b""),
        2,
        &["cannot write file/pages"],
    );
}

#[test]
fn every_shell_is_told_of_options_and_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = eyemap_snapshots::run(&["completions", shell]);
        succeeds(&output);
        let script = String::from_utf8_lossy(&output.stdout);
        for word in ["render", "inspect", "no-governor", "completions"] {
            assert!(script.contains(word), "{shell} without {word}");
        }
    }
    fails(
        &eyemap_snapshots::run(&["completions", "ksh"]),
        2,
        &["possible values"],
    );
}
