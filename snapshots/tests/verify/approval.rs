//! The first approval, and comparisons with nothing new.

use eyemap_snapshots::desk::Desk;

use crate::{ALL, TABLE, approved, fails, files_in, first_line, init, succeeds, verify, words};

#[test]
fn what_was_approved_passes_and_only_a_report_is_written() {
    let desk = approved(TABLE, &["--format", ALL]);
    let before = files_in(&desk.path("snapshots"));
    for name in [
        "manifest.txt",
        "verify.toml",
        ".gitignore",
        ".gitattributes",
    ] {
        assert!(before.contains_key(name), "{name}");
    }
    let output = verify(&desk, &[]);
    succeeds(&output);
    assert_eq!(first_line(&output), "48 artifacts compared: 48 as approved");
    let mut after = files_in(&desk.path("snapshots"));
    after.retain(|name, _| !name.starts_with("report/"));
    assert!(after == before, "{:?}", after.keys());
    let report: Vec<String> = files_in(&desk.path("snapshots/report"))
        .into_keys()
        .collect();
    assert_eq!(
        report,
        ["findings.json", "junit.xml", "report.html", "summary.md"]
    );
    let top: Vec<String> = files_in(desk.dir.path())
        .into_keys()
        .filter(|name| !name.starts_with("snapshots/"))
        .collect();
    assert_eq!(top, ["table.csv"]);
}

#[test]
fn a_second_approval_does_not_overwrite_the_first() {
    let desk = approved(TABLE, &[]);
    let before = files_in(desk.dir.path());
    let output = verify(&desk, &["init", "table.csv", "--format", "png"]);
    let told = [
        "snapshots has approved pictures already",
        "eyemap verify accept",
    ];
    fails(&output, 2, &told);
    assert!(files_in(desk.dir.path()) == before);
}

#[test]
fn without_anything_approved_the_way_to_begin_is_told() {
    let desk = Desk::new(TABLE);
    let output = verify(&desk, &[]);
    let told = [
        "has no approved pictures",
        "`eyemap verify init TABLE`",
        "--snapshots",
    ];
    fails(&output, 3, &told);
    assert!(!desk.path("snapshots").exists());
}

#[test]
fn what_cannot_be_drawn_is_not_approved() {
    let desk = Desk::new("cell_type,region\n");
    fails(&verify(&desk, &["init", "table.csv"]), 2, &["table.csv"]);
    assert!(!desk.path("snapshots").exists());
    fails(&verify(&desk, &["init", "none.csv"]), 2, &["none.csv"]);
    fails(&verify(&desk, &["init"]), 2, &["<TABLE>"]);
}

#[test]
fn an_approval_says_how_to_compare() {
    let desk = Desk::new(TABLE);
    let output = verify(
        &desk,
        &["init", "table.csv", "--snapshots", "approved/maps"],
    );
    succeeds(&output);
    let said = "12 artifacts approved in approved/maps; commit the directory, and run `eyemap verify --snapshots approved/maps`";
    assert_eq!(words(&output), said);
    succeeds(&verify(&desk, &["--snapshots", "approved/maps"]));
    assert!(!desk.path("snapshots").exists());
}

#[test]
fn cell_types_with_hostile_names_are_approved_and_compared() {
    let hostile = "<script>alert(1)</script>\u{202e}../..";
    let desk = Desk::new(&TABLE.replace("Mi1", hostile));
    init(&desk, &["--format", ALL, "--keep", "100"]);
    succeeds(&verify(&desk, &[]));
    crate::edit(&desk, "table.csv", "5,5,0,10", "5,5,0,19");
    let output = verify(&desk, &[]);
    assert_eq!(output.status.code(), Some(1), "{}", words(&output));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains('\u{202e}'), "{said:?}");
    let page = std::fs::read_to_string(desk.path("snapshots/report/report.html")).expect("a page");
    assert!(!page.contains("<script>alert"));
    let outside = files_in(desk.dir.path());
    let outside: Vec<_> = outside
        .keys()
        .filter(|name| !name.starts_with("snapshots/"))
        .collect();
    assert_eq!(outside, ["table.csv"]);
    succeeds(&verify(&desk, &["accept"]));
    succeeds(&verify(&desk, &[]));
}

#[test]
fn marks_that_turn_the_direction_of_writing_are_spelt_out() {
    let table = "cell_type,region,side,hex1,hex2,synapses\nT\u{202e}4m,ME,R,5,5,3\n";
    let desk = approved(table, &["--format", "json"]);
    desk.write(
        "names.toml",
        "[stages.metadata.config]\nhas_data = \"{cell_type}: {value}\"\n",
    );
    let output = verify(&desk, &["--config", "names.toml", "--guard", "0"]);
    let told = ["column 5,5 tooltip: ", "\\nT\\u{202e}4m: 3"];
    fails(&output, 1, &told);
    assert!(!words(&output).contains('\u{202e}'), "{}", words(&output));
}
