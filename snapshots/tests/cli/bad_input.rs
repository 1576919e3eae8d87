//! Input that cannot be drawn and is no text, and what is refused around it. Messages about tables are
//! cases, in `cases/errors`.

use crate::{Desk, TABLE, fails, succeeds};

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

#[test]
fn what_is_no_table() {
    refused(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", &["help"]);
    refused(b"\x7fELF\x02\x01\x01\0", &["help"]);
    refused(b"PAR1 and then nothing of the kind PAR1", &["Parquet"]);
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
        &["cannot use file/out", "choose another directory with -o"],
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
fn a_list_of_types_that_names_none_does_not_draw_all() {
    let desk = Desk::new("cell_type,region,side,hex1,hex2,synapses\nMi1,ME,R,1,1,5\n");
    for list in ["", ",", " , "] {
        let output = desk.render(&["--type", list]);
        fails(&output, 2, &["names no cell type"]);
        assert!(desk.files().is_empty(), "{list:?}");
    }
}
