//! What may differ: only what was asked for, never so much that another value would pass, and told.

use crate::{approved_with, edit, fails, finding, findings, paths, succeeds, verify, words};

/// Two bins whose colours are far apart, from each other and from columns without data.
const WIDE: &str = "[stages.color.config]\nbins = 2\npalette = [\"#202020\", \"#808080\"]\n";
const FORMATS: [&str; 4] = ["--format", "svg,svg-static,json,png", "--keep", "100"];

#[test]
fn a_colour_that_is_a_little_different_passes_within_a_tolerance() {
    let desk = approved_with(WIDE, &FORMATS);
    edit(&desk, "eyemap.toml", "#202020", "#222020");
    let output = verify(&desk, &["--guard", "0"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(paths(&findings(&desk)).len() > 20);
    let output = verify(&desk, &["--guard", "0", "--tolerance-color", "1"]);
    assert_eq!(output.status.code(), Some(1), "two steps are more than one");
    let output = verify(&desk, &["--tolerance-color", "3"]);
    succeeds(&output);
    let said = words(&output);
    assert!(
        said.contains("within the tolerance")
            && said.contains("tolerance: colours 3 of 255, places 0 px"),
        "{said}"
    );
    let found = findings(&desk);
    assert_eq!(found["tolerance"]["color"], 3);
    assert_eq!(found["tolerance"]["forced"], false);
    assert!(
        found["amounts"]["within_tolerance"]
            .as_u64()
            .is_some_and(|n| n > 20),
        "{found}"
    );
    assert!(paths(&found).is_empty());
    let page = std::fs::read_to_string(desk.path("snapshots/report/report.html")).expect("it");
    assert!(page.to_lowercase().contains("tolerance"));
    let junit = std::fs::read_to_string(desk.path("snapshots/report/junit.xml")).expect("it");
    assert!(
        junit.contains(r#"name="tolerance-color" value="3""#),
        "{junit}"
    );
    // Settings may ask for it too; arguments win.
    let settings = std::fs::read_to_string(desk.path("snapshots/verify.toml")).expect("it");
    desk.write(
        "snapshots/verify.toml",
        format!("{settings}\n[tolerance]\ncolor = 3\n"),
    );
    succeeds(&verify(&desk, &["--guard", "0"]));
    let output = verify(&desk, &["--guard", "0", "--tolerance-color", "0"]);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn other_values_never_pass_as_other_colours() {
    let desk = approved_with(WIDE, &FORMATS);
    edit(
        &desk,
        "table.csv",
        "Mi1,ME,R,5,6,0,20,2",
        "Mi1,ME,R,5,6,0,19,2",
    );
    let output = verify(&desk, &["--tolerance-color", "3"]);
    assert_eq!(output.status.code(), Some(1));
    let found = findings(&desk);
    finding(&found, "ME_R/synapses/Mi1.svg");
    finding(&found, "ME_R/synapses/Mi1.json");
}

#[test]
fn a_tolerance_that_hides_a_step_of_the_palette_is_refused_unless_it_is_forced() {
    let close = WIDE.replace("#808080", "#242020");
    let desk = approved_with(&close, &FORMATS);
    let output = verify(&desk, &["--tolerance-color", "4"]);
    fails(
        &output,
        2,
        &[
            "a tolerance of 4 hides the step between #202020 and #242020",
            "which is 4",
            "allow at most 3",
            "--force-tolerance",
        ],
    );
    succeeds(&verify(&desk, &["--tolerance-color", "3"]));
    let output = verify(&desk, &["--tolerance-color", "4", "--force-tolerance"]);
    succeeds(&output);
    assert!(words(&output).contains("colours 4 of 255, places 0 px, forced"));
    assert_eq!(findings(&desk)["tolerance"]["forced"], true);
}

#[test]
fn hexagons_may_lie_a_little_beside() {
    let formats = ["--format", "svg,json"];
    let desk = approved_with("[map]\nmargin_px = 10.0\n", &formats);
    edit(&desk, "eyemap.toml", "10.0", "10.1");
    let strict = verify(&desk, &["--guard", "0"]);
    fails(&strict, 1, &["places of hexagons"]);
    let output = verify(&desk, &["--guard", "0", "--tolerance-place", "0.3"]);
    succeeds(&output);
    assert_eq!(findings(&desk)["tolerance"]["place_px"], 0.3);
    let output = verify(&desk, &["--guard", "0", "--tolerance-place", "0.1"]);
    fails(&output, 1, &["places of hexagons"]);
    let output = verify(&desk, &["--tolerance-place", "0.6"]);
    fails(
        &output,
        2,
        &[
            "0.6 px beside is another place: at most 0.5",
            "--force-tolerance",
        ],
    );
    fails(
        &verify(&desk, &["--tolerance-place", "nan"]),
        2,
        &["px beside"],
    );
    fails(
        &verify(&desk, &["--tolerance-color", "300"]),
        2,
        &["--tolerance-color"],
    );
}
