//! What does not fit is refused in a few lines that name the member and the remedy.

use crate::collection::{Museum, refusal, refusals};

/// The words of one refusal.
fn contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
}

#[test]
fn every_refusal_fits_twelve_lines_and_has_a_remedy() {
    let museum = Museum::open();
    for mode in ["trusted", "contained"] {
        for (name, told) in museum.load(mode, &museum.names()) {
            for text in refusals(&told) {
                let lines = text.lines().count();
                assert!(lines <= 12, "{name}: {lines} lines:\n{text}");
                let help = text.split_once("\nhelp: ").expect("a remedy").1;
                assert!(help.len() > 20, "{name}: {text}");
                let widest = text.lines().map(|line| line.chars().count()).max();
                assert!(widest < Some(600), "{name}: {text}");
            }
        }
    }
}

#[test]
fn a_root_of_another_version_is_refused_as_a_whole() {
    let museum = Museum::open();
    for mode in ["trusted", "contained"] {
        let told = museum.load(mode, &museum.names());
        let text = told["by hand/museum_next_root"]["refused"].as_str();
        contains(
            text.expect("refused"),
            &["the root of the plugin", "eyemap-abi 1", "2.0.0"],
        );
        let text = told["by hand/museum_other_header"]["refused"].as_str();
        contains(
            text.expect("refused"),
            &["the root of the plugin", "abi_stable 0.11", "0.12"],
        );
    }
}

#[test]
fn what_is_only_of_a_time_to_come_is_refused_with_the_time_that_it_was_made_for() {
    let museum = Museum::open();
    let told = museum.load("trusted", &museum.names());
    let text = refusal(&told["by hand/too_new"], "eyemap.color/1").expect("refused");
    contains(
        text,
        &[
            "is no eyemap.color/1",
            "made for eyemap.color/2",
            "use a newer eyemap",
        ],
    );
    let text = refusal(&told["by hand/other_layout"], "eyemap.color/1").expect("refused");
    contains(text, &["does not fit this host", "package eyemap-fixtures"]);
    let text = told["by hand/other_manifest"]["refused"].as_str();
    contains(text.expect("refused"), &["the one of its code differ"]);
}
