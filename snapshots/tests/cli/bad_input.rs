//! Input that cannot be drawn: a message with file, row and remedy, and nothing written.

use crate::{Desk, TABLE, fails, succeeds};

const HEAD: &str = "cell_type,region,side,hex1,hex2,layer,synapses,cells\n";

/// Refused before anything is written.
#[track_caller]
fn refused(table: &[u8], parts: &[&str]) {
    let desk = Desk::new("");
    desk.write("table.csv", table);
    let output = desk.render(&[]);
    fails(&output, 2, &["table.csv"]);
    fails(&output, 2, parts);
    assert!(
        !desk.path("out").exists(),
        "something was written: {:?}",
        desk.files().keys()
    );
}

#[track_caller]
fn row_refused(row: &str, parts: &[&str]) {
    refused(
        format!("{HEAD}Mi1,ME,R,1,1,0,5,1\n{row}\n").as_bytes(),
        parts,
    );
}

#[test]
fn what_is_no_table() {
    refused(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", &["help"]);
    refused(b"\x7fELF\x02\x01\x01\0", &["help"]);
    refused(b"", &["empty"]);
    refused(HEAD.as_bytes(), &["header", "no rows"]);
    refused(b"PAR1 and then nothing of the kind PAR1", &["Parquet"]);
}

#[test]
fn a_missing_column_comes_with_the_line_that_maps_it() {
    refused(
        b"celltype,region,side,hex1,hex2,layer,synapses\nMi1,ME,R,1,1,0,5\n",
        &["cell_type", "[table.columns]", "cell_type = \"celltype\""],
    );
}

#[test]
fn a_column_name_that_is_there_twice() {
    refused(
        b"cell_type,region,side,side,hex1,hex2,synapses\nMi1,ME,R,R,1,1,5\n",
        &["\"side\"", "twice"],
    );
}

#[test]
fn counts_that_are_no_counts() {
    row_refused("Mi1,ME,R,1,2,0,-5,1", &["line 3, column synapses", "-5"]);
    row_refused("Mi1,ME,R,1,2,0,2.5,1", &["line 3, column synapses", "2.5"]);
    row_refused("Mi1,ME,R,1,2,0,5,many", &["line 3, column cells", "many"]);
}

#[test]
fn sides_columns_and_regions_that_are_none() {
    row_refused("Mi1,ME,X,1,2,0,5,1", &["line 3, column side", "\"X\""]);
    row_refused(
        "Mi1,ME,R,0a,2,0,5,1",
        &["line 3, column hex1", "\"0a\"", "decimal"],
    );
    row_refused(
        "Mi1,MEE,R,1,2,0,5,1",
        &["line 3, column region", "[[regions]]"],
    );
    row_refused("Mi1,ME,R,1,2,11,5,1", &["line 3, column layer", "11"]);
}

#[test]
fn the_same_column_twice() {
    row_refused("Mi1,ME,R,1,1,0,6,1", &["line 3", "as line 2", "keep one"]);
}

#[test]
fn a_row_of_another_length() {
    row_refused("Mi1,ME,R,1", &["line 3"]);
}

#[test]
fn a_file_that_is_not_there() {
    let desk = Desk::new(TABLE);
    let output = eyemap_snapshots::run(&["render", "/nowhere/counts.csv", "-o", "/nowhere/out"]);
    fails(&output, 2, &["/nowhere/counts.csv", "No such file"]);
    drop(desk);
}

#[test]
fn escape_sequences_in_a_table_do_not_reach_the_terminal() {
    let desk = Desk::new("");
    desk.write(
        "table.csv",
        format!("{HEAD}Mi1,\u{1b}]0;owned\u{7}ME,R,1,1,0,5,1\n"),
    );
    let output = desk.render(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(!output.stderr.contains(&0x1b) && !output.stderr.contains(&7));
}

#[test]
fn an_output_directory_that_cannot_be_one() {
    let desk = Desk::new(TABLE);
    desk.write("file", "");
    let mut command = eyemap_snapshots::eyemap();
    let output = command
        .args(["render", "table.csv", "-o", "file/out"])
        .current_dir(desk.dir.path())
        .output()
        .expect("eyemap runs");
    fails(
        &output,
        2,
        &["cannot write file/out", "choose another directory with -o"],
    );
}

#[test]
fn a_manifest_that_is_damaged_is_kept_and_named() {
    let desk = Desk::new(TABLE);
    succeeds(&desk.render(&[]));
    desk.write("out/manifest.json", "{\"form\":1,");
    fails(
        &desk.render(&[]),
        5,
        &["manifest.json is damaged", "move", "away"],
    );
    assert_eq!(desk.files()["manifest.json"], b"{\"form\":1,");
}

#[test]
fn names_of_the_selection_that_are_not_there() {
    let desk = Desk::new(TABLE);
    for (arguments, parts) in [
        (
            ["--type", "Mi2"],
            ["no cell type matches \"Mi2\"", "there is Mi1, Tm3"],
        ),
        (["--type", "[a"], ["\"[a\" is no glob", "help"]),
        (["--region", "MEE"], ["no region \"MEE\"", "there is ME"]),
        (
            ["--metric", "synapse"],
            ["has no \"synapse\"", "there is synapses"],
        ),
        (
            ["--range", "synapses=5:1"],
            ["range.synapses.whole", "the first must be smaller"],
        ),
        (["--range", "depth=1:5"], ["range.depth", "no such metric"]),
        (["--jobs", "100000000"], ["run.jobs", "give up to 1024"]),
        (["--scale", "9"], ["output.scale", "not between 0.1 and 8"]),
    ] {
        fails(&desk.render(&arguments), 2, &parts);
    }
    assert!(!desk.path("out").exists());
}

#[test]
fn cells_cannot_be_derived_from_layers() {
    let table = "cell_type,region,side,hex1,hex2,layer,synapses,cells\nMi1,ME,R,1,1,1,5,1\nMi1,ME,R,1,1,2,6,1\n";
    let desk = Desk::new(table);
    fails(
        &desk.render(&["--metric", "cells"]),
        2,
        &[
            "cells of whole columns cannot be derived",
            "rows of layer 0",
        ],
    );
    // Unasked, the other metric is drawn and the reason is told.
    let output = desk.render(&["--format", "json"]);
    succeeds(&output);
    assert!(
        crate::words(&output).contains("note: left out: the cells"),
        "{}",
        crate::words(&output)
    );
    assert_eq!(
        desk.scene("ME_R/synapses/Mi1.json")["hexagons"][0]["value"],
        11
    );
}

#[test]
fn wrong_usage_for_machines_is_json() {
    let output = eyemap_snapshots::run(&["render", "--json"]);
    assert_eq!(output.status.code(), Some(2));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(
        document["error"]["message"]
            .as_str()
            .is_some_and(|m| m.contains("<TABLE>")),
        "{document}"
    );
}

#[test]
fn errors_for_machines_are_json() {
    let desk = Desk::new("nothing\n");
    let output = desk.render(&["--json"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(document["error"]["exit_code"], 2);
    assert!(
        document["error"]["message"]
            .as_str()
            .is_some_and(|m| m.contains("table.csv")),
        "{document}"
    );
}
