//! What did not change is never told as a change; what is drawn otherwise each time is.

use std::path::Path;

use eyemap_snapshots::{desk::Desk, trial::example};

use crate::{
    ALL, TABLE, accept::decided, approved, approved_with, edit, fails, finding, findings,
    first_line, init, paths, stderr, succeeds, verify, words,
};

/// Many columns and negative and broken values, as a metric that is no count.
fn depths() -> String {
    let mut table = "cell_type,region,side,hex1,hex2,layer,depth\n".to_owned();
    for column in 0..40 {
        let (hex1, hex2) = (column / 7, column % 7);
        let depth = f64::from(column - 13) / 7.0;
        table += &format!("T4a,LOP,L,{hex1},{hex2},0,{depth}\n");
        table += &format!("T4a,LOP,L,{hex1},{hex2},{},{depth}\n", column % 4 + 1);
    }
    table
}

#[test]
fn twenty_unchanged_runs_with_one_and_two_threads_find_nothing() {
    let number = "[metrics.depth]\nkind = \"number\"\nsum_layers = false\n";
    let hostile = TABLE.replace("Tm3", "<b>\"T\" & 'm'</b>: 3/é🪰");
    let desks = [
        approved(TABLE, &["--format", ALL]),
        approved(&hostile, &["--format", "svg,json", "--keep", "0"]),
        {
            let desk = Desk::new(&depths());
            desk.write("eyemap.toml", number);
            init(
                &desk,
                &["--config", "eyemap.toml", "--format", ALL, "--scale", "1.5"],
            );
            desk
        },
        approved(
            TABLE,
            &["--format", "png", "--metric", "cells", "--side", "L"],
        ),
    ];
    for desk in &desks {
        for jobs in ["1", "2", "1", "2", "0"] {
            let output = verify(desk, &["--jobs", jobs]);
            succeeds(&output);
            let line = first_line(&output);
            assert!(
                line.ends_with(" as approved") && !line.starts_with("0 "),
                "{line}"
            );
            // Nothing but how many are as approved, and how long that took.
            assert_eq!(stderr(&output).lines().count(), 2, "{}", stderr(&output));
            let found = findings(desk);
            assert!(paths(&found).is_empty(), "{found}");
            assert_eq!(found["amounts"]["same"], found["amounts"]["compared"]);
        }
    }
}

/// A copy of the plugins of the bundle, with their lock.
fn copied_plugins(desk: &Desk) -> String {
    let to = desk.path("other-plugins");
    std::fs::create_dir(&to).expect("a directory");
    let from = eyemap_snapshots::build_dir().join("plugins");
    for entry in std::fs::read_dir(from).expect("listed").flatten() {
        std::fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
    }
    to.display().to_string()
}

#[test]
fn the_guard_finds_nothing_in_plugins_that_keep_their_promise() {
    let desk = approved(TABLE, &["--format", ALL]);
    succeeds(&verify(&desk, &["--guard", "4"]));
    let plugins = copied_plugins(&desk);
    let output = verify(&desk, &["--guard", "4", "--guard-plugins", &plugins]);
    succeeds(&output);
    assert!(paths(&findings(&desk)).is_empty());
}

#[test]
fn plugins_to_guard_with_have_to_be_locked() {
    let desk = approved(TABLE, &[]);
    let plugins = copied_plugins(&desk);
    std::fs::remove_file(Path::new(&plugins).join("eyemap-plugins.lock")).expect("removed");
    let output = verify(&desk, &["--guard-plugins", &plugins]);
    let told = [
        "is not trusted: no lock lists",
        "other-plugins",
        "eyemap plugin pin",
    ];
    fails(&output, 2, &told);
}

/// A configuration whose colours come from a fixture that is trusted.
fn with_fixture(options: &str) -> String {
    format!(
        "[run]\njobs = 1\n\
         [plugins.by_id.\"org.eyemap.fixture.unsteady\"]\ntrust = true\n\
         [stages.color]\nplugin = {:?}\n[stages.color.config]\n{options}\n",
        example("unsteady").display().to_string()
    )
}

#[test]
fn a_plugin_whose_colours_depend_on_the_number_of_its_calls_is_found_by_the_guard() {
    let desk = approved_with(&with_fixture("on = \"calls\""), &["--format", "svg,json"]);
    // One thread asks in the same order each time, so that the pictures alone say nothing.
    succeeds(&verify(&desk, &["--guard", "0"]));
    let output = verify(&desk, &["--guard", "2"]);
    let told = ["drawn again with two threads", "column 5,"];
    fails(&output, 1, &told);
    let found = findings(&desk);
    let first = finding(&found, paths(&found)[0]);
    let difference = &first["differences"][0];
    assert_eq!(difference["kind"], "unstable");
    assert_eq!(first["differences"][1]["kind"], "color", "{first}");
    let element = difference["after"].as_str().unwrap_or_default();
    assert!(
        element.starts_with("column 5,") && element.contains("colour: #"),
        "{element}"
    );
    // It is no part of what is as approved, and nothing can be approved of it.
    assert_eq!(
        [&found["amounts"]["same"], &found["amounts"]["differ"]],
        [20, 4]
    );
    let said = words(&output);
    assert!(
        said.contains("cannot be approved") && !said.contains("approve with"),
        "{said}"
    );
    let output = verify(&desk, &["accept"]);
    succeeds(&output);
    assert!(words(&output).starts_with("0 artifacts approved; 4 "));
    let output = verify(
        &desk,
        &[
            "accept",
            "--from",
            &decided(&desk, &paths(&found)[..1], &[]),
        ],
    );
    fails(
        &output,
        2,
        &["cannot be accepted: it is not drawn the same each time"],
    );
}

#[test]
fn a_plugin_that_is_asked_for_nothing_else_is_no_news() {
    let desk = approved_with(&with_fixture("on = \"nothing\""), &["--format", "svg,json"]);
    succeeds(&verify(&desk, &["--guard", "4"]));
}

#[test]
fn what_changed_and_is_not_drawn_the_same_each_time_is_told_once() {
    let desk = approved_with(
        &with_fixture("on = \"calls\""),
        &["--format", "svg,json", "--metric", "synapses"],
    );
    edit(&desk, "table.csv", "Tm3,ME,L,5,5,0,70", "Tm3,ME,L,5,5,0,71");
    let output = verify(&desk, &["--guard", "100"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let found = findings(&desk);
    let mut once = paths(&found);
    once.dedup();
    assert_eq!(once, paths(&found));
    let changed = finding(&found, "ME_L/synapses/Tm3.svg");
    let message = changed["message"].as_str().unwrap_or_default();
    assert!(message.starts_with("drawn again with "), "{message}");
    assert!(message.contains("column 5,5: 70 -> 71"), "{message}");
    let amounts = &found["amounts"];
    let number = |name: &str| amounts[name].as_u64();
    let differ = number("differ").expect("a number");
    assert_eq!(differ, once.len() as u64);
    assert_eq!(number("same").map(|same| same + differ), number("compared"));
}
