//! In a CI system: nothing is approved, everything is told.

use std::collections::BTreeMap;

use eyemap_snapshots::desk::Desk;

use crate::{
    ALL, TABLE, approved, edit, fails, files_in, finding, findings, init, listed, paths, pending,
    stderr, succeeds, verify, verify_in,
};

const CI: [(&str, &str); 1] = [("CI", "true")];

/// A table one of whose values changed since it was approved.
fn changed() -> Desk {
    let desk = approved(TABLE, &["--format", ALL, "--keep", "100"]);
    edit(
        &desk,
        "table.csv",
        "Mi1,ME,R,5,5,0,10,1",
        "Mi1,ME,R,5,5,0,12,1",
    );
    desk
}

#[test]
fn one_failing_run_leaves_everything_for_people_and_machines() {
    let desk = changed();
    let output = verify(&desk, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stdout, b"");
    let found = findings(&desk);
    assert_eq!(
        paths(&found),
        ["json", "png", "static.svg", "svg"].map(|format| format!("ME_R/synapses/Mi1.{format}"))
    );
    let files = files_in(&desk.path("snapshots"));
    for finding in listed(&found) {
        let pending = finding["pending"].as_str().expect("a pending file");
        assert!(files.contains_key(pending), "{pending}");
        let reference = finding["reference"].as_str().expect("a kept picture");
        assert!(files.contains_key(reference), "{reference}");
        assert_ne!(files[pending], files[reference]);
    }
    let text = |name: &str| {
        let bytes = files.get(&format!("report/{name}")).expect(name);
        String::from_utf8(bytes.clone()).expect("UTF-8")
    };
    let page = text("report.html");
    assert!(page.contains("ME_R/synapses/Mi1.png") && page.contains("data:image/png"));
    let summary = text("summary.md");
    assert!(
        summary.contains("4 of 48 artifacts are not as approved"),
        "{summary}"
    );
    assert!(summary.contains("eyemap verify accept"), "{summary}");
    // What was found earlier is gone once it is mended.
    assert!(!pending(&desk).is_empty());
    edit(
        &desk,
        "table.csv",
        "Mi1,ME,R,5,5,0,12,1",
        "Mi1,ME,R,5,5,0,10,1",
    );
    succeeds(&verify(&desk, &[]));
    assert_eq!(pending(&desk), [""; 0]);
    assert!(paths(&findings(&desk)).is_empty());
}

#[test]
fn test_runners_count_as_people_do() {
    let desk = changed();
    let damaged = "snapshots/references/ME_L/cells/Tm3.svg.snap.svg";
    desk.write(damaged, "");
    assert_eq!(verify(&desk, &[]).status.code(), Some(1));
    let text = std::fs::read_to_string(desk.path("snapshots/report/junit.xml")).expect("it");
    let document = roxmltree::Document::parse(&text).expect("XML");
    let suites = document.root_element();
    let count = |name: &str| suites.attribute(name).and_then(|n| n.parse::<usize>().ok());
    assert_eq!(
        [count("tests"), count("failures"), count("errors")],
        [Some(48), Some(4), Some(1)]
    );
    let named = |tag: &str| {
        let nodes = document.descendants().filter(|node| node.has_tag_name(tag));
        nodes.collect::<Vec<_>>()
    };
    assert_eq!((named("failure").len(), named("error").len()), (4, 1));
    let cases = named("testcase");
    let names: Vec<_> = cases
        .iter()
        .filter_map(|case| case.attribute("name"))
        .collect();
    assert_eq!(names[0], "43 artifacts as approved");
    assert!(
        names.contains(&"Mi1.png") && names.contains(&"Tm3.svg"),
        "{names:?}"
    );
    let message = named("error")[0].attribute("message").unwrap_or_default();
    assert!(message.contains("is empty"), "{message}");
}

/// Many causes: every type has a title of its own that nobody approved.
fn many_causes() -> Desk {
    let mut table = "cell_type,region,side,hex1,hex2,layer,synapses\n".to_owned();
    for cell_type in 0..14 {
        table += &format!("T{cell_type},ME,R,5,5,0,{}\n", 10 + cell_type);
    }
    let desk = Desk::new(&table);
    desk.write("eyemap.toml", "");
    let arguments = ["--config", "eyemap.toml", "--format", "svg"];
    init(&desk, &[&arguments[..], &["--keep", "100"]].concat());
    let title = "[stages.metadata.config]\ntitle = \"{cell_type} of the eye\"\n";
    desk.write("eyemap.toml", title);
    desk
}

#[test]
fn github_is_told_in_at_most_ten_lines_and_a_summary() {
    let desk = many_causes();
    let summary = desk.write("step.md", "from another step\n");
    let summary = summary.display().to_string();
    let environment = [
        ("CI", "true"),
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_STEP_SUMMARY", &summary),
    ];
    let output = verify_in(&desk, &[], &environment);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines.len(), 10, "{told}");
    assert!(
        lines.iter().all(|line| line.starts_with("::error ")),
        "{told}"
    );
    assert!(
        lines[0].contains("file=snapshots/references/ME_R/synapses/T"),
        "{told}"
    );
    assert!(lines[9].contains("5 more causes"), "{told}");
    let written = std::fs::read_to_string(desk.path("step.md")).expect("a summary");
    assert!(
        written.starts_with("from another step\n## eyemap verify"),
        "{written}"
    );
    assert!(
        written.contains("14 of 14 artifacts are not as approved"),
        "{written}"
    );
    // A second step adds to it.
    verify_in(&desk, &[], &environment);
    let twice = std::fs::read_to_string(desk.path("step.md")).expect("a summary");
    assert_eq!(twice.matches("## eyemap verify").count(), 2);
}

#[test]
fn a_machine_that_reads_json_gets_nothing_else() {
    let desk = many_causes();
    let environment = [("CI", "true"), ("GITHUB_ACTIONS", "true")];
    let output = verify_in(&desk, &["--json"], &environment);
    assert_eq!(output.status.code(), Some(1));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON alone");
    assert_eq!(document["amounts"]["differ"], 14);
    assert_eq!(stderr(&output), "");
}

#[test]
fn elsewhere_nothing_is_told_to_github() {
    let desk = many_causes();
    let summary = desk.write("step.md", "").display().to_string();
    let environment = [("CI", "true"), ("GITHUB_STEP_SUMMARY", summary.as_str())];
    let output = verify_in(&desk, &[], &environment);
    assert_eq!(output.stdout, b"");
    assert_eq!(std::fs::read(desk.path("step.md")).expect("it"), b"");
}

#[test]
fn ci_never_writes_what_was_approved() {
    let desk = changed();
    let before = all_but_results(&desk);
    let output = verify_in(&desk, &[], &CI);
    fails(
        &output,
        1,
        &[
            "look at eyemap-verify/report.html",
            "--pending eyemap-verify",
        ],
    );
    assert!(all_but_results(&desk) == before);
    let results = files_in(&desk.path("eyemap-verify"));
    for name in ["findings.json", "report.html", "junit.xml", "summary.md"] {
        assert!(results.contains_key(name), "{name}");
    }
    let picture = "pending/references/ME_R/synapses/Mi1.png.snap.new.png";
    assert!(results.contains_key(picture), "{:?}", results.keys());
    for arguments in [&["accept"][..], &["accept", "--pending", "eyemap-verify"]] {
        let output = verify_in(&desk, arguments, &CI);
        fails(&output, 2, &["CI=true", "nobody has looked at them"]);
    }
    std::fs::remove_dir_all(desk.path("snapshots")).expect("removed");
    let output = verify_in(&desk, &["init", "table.csv"], &CI);
    fails(&output, 2, &["CI=true", "nobody has looked at them"]);
    assert!(!desk.path("snapshots").exists());
}

fn all_but_results(desk: &Desk) -> BTreeMap<String, Vec<u8>> {
    let mut files = files_in(desk.dir.path());
    files.retain(|name, _| !name.starts_with("eyemap-verify/"));
    files
}

#[test]
fn what_ci_found_is_accepted_elsewhere() {
    let desk = changed();
    assert_eq!(verify_in(&desk, &[], &CI).status.code(), Some(1));
    let found = crate::json(&desk, "eyemap-verify/findings.json");
    assert!(finding(&found, "ME_R/synapses/Mi1.svg")["pending"].is_string());
    succeeds(&verify(&desk, &["accept", "--pending", "eyemap-verify"]));
    succeeds(&verify_in(&desk, &[], &CI));
    for value in ["", "0", "false"] {
        // That is how CI systems say that they are none.
        succeeds(&verify_in(&desk, &[], &[("CI", value)]));
        assert!(desk.path("snapshots/report/findings.json").exists());
    }
}

#[test]
fn the_report_of_the_last_comparison_is_written_again() {
    let desk = changed();
    assert_eq!(verify(&desk, &[]).status.code(), Some(1));
    let all = || files_in(&desk.path("snapshots"));
    let before = all();
    std::fs::remove_file(desk.path("snapshots/report/report.html")).expect("removed");
    fails(
        &verify(&desk, &["report"]),
        1,
        &["4 differ", "snapshots/report/report.html"],
    );
    assert!(all() == before);
    let output = verify(&desk, &["report", "--out", "nowhere"]);
    fails(
        &output,
        2,
        &["nowhere/findings.json", "run `eyemap verify` first"],
    );
}

#[test]
fn results_do_not_go_where_approved_pictures_are() {
    let desk = changed();
    let before = files_in(&desk.path("snapshots"));
    let output = verify(&desk, &["--out", "snapshots/references/report"]);
    let told = [
        "snapshots/references/report is where approved pictures are kept",
        "name another directory with --out",
    ];
    fails(&output, 2, &told);
    assert!(files_in(&desk.path("snapshots")) == before);
}
