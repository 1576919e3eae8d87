//! The four forms of a report, and the arguments of the command.

use eyemap_snapshots::project;
use roxmltree::Document;

use super::*;

#[test]
fn each_plugin_of_the_bundle_passes_all() {
    let dirs = std::fs::read_dir(project("plugins")).expect("the plugins");
    let packages = dirs
        .flatten()
        .filter(|dir| dir.path().join("Cargo.toml").exists())
        // Templates are made into plugins; they are none that ship.
        .filter(|dir| !dir.file_name().to_string_lossy().starts_with("template-"));
    let mut checked = 0;
    for package in packages {
        let path = plugin(&package.file_name().to_string_lossy());
        let output = eyemap_snapshots::run(&["plugin", "check", path.to_str().expect("a path")]);
        let words = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{words}");
        checked += 1;
    }
    assert!(checked >= 3, "only {checked} plugins");
}

#[test]
fn a_failure_has_at_most_twelve_lines_and_a_summary_ends_the_report() {
    let output = Desk::new(&faulty("none")).run(&[]);
    let words = String::from_utf8(output.stdout).expect("text");
    let failure = words.split("✗ ").nth(1).expect("a failure");
    let lines = failure
        .lines()
        .skip(1)
        .take_while(|line| line.starts_with("      "))
        .count();
    assert!(lines < 12, "{failure}");
    assert!(
        failure.contains("remedy: ") && failure.contains("again: "),
        "{failure}"
    );
    let last = words.lines().last().expect("a last line");
    let failed = words.matches("✗ ").count();
    assert!(
        last.contains(&format!(" passed, {failed} failed, ")),
        "{last}"
    );
}

#[test]
fn junit_and_sarif_say_what_the_words_say() {
    let desk = Desk::new(&faulty("none"));
    let (xml, log) = (desk.path("a.xml"), desk.path("a.sarif"));
    let (report, code) = desk.report(&[
        "--junit",
        xml.to_str().expect("a path"),
        "--sarif",
        log.to_str().expect("a path"),
    ]);
    assert_eq!(code, 1);
    let xml = std::fs::read_to_string(xml).expect("JUnit");
    let document = Document::parse(&xml).expect("XML");
    let named = |name: &str| {
        document
            .descendants()
            .filter(|n| n.has_tag_name(name))
            .count()
    };
    assert_eq!(
        named("testcase"),
        report["checks"].as_array().expect("checks").len()
    );
    let told = |key: &str| report[key].as_u64().expect("a number") as usize;
    let (failed, skipped) = (told("failed"), told("skipped"));
    assert!(failed > 0 && skipped > 0, "{failed} and {skipped}");
    assert_eq!((named("failure"), named("skipped")), (failed, skipped));
    let log: Value = serde_json::from_slice(&std::fs::read(log).expect("SARIF")).expect("JSON");
    sarif(&log);
    assert_eq!(
        log["runs"][0]["results"].as_array().expect("results").len(),
        failed
    );
}

/// What SARIF 2.1.0 asks for.
fn sarif(log: &Value) {
    assert_eq!(log["version"], "2.1.0");
    assert!(
        log["$schema"]
            .as_str()
            .is_some_and(|schema| schema.contains("sarif-2.1.0"))
    );
    let run = &log["runs"][0];
    assert!(run["tool"]["driver"]["name"].is_string());
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    for rule in rules {
        assert!(
            rule["id"].is_string() && rule["shortDescription"]["text"].is_string(),
            "{rule}"
        );
    }
    for result in run["results"].as_array().expect("results") {
        let rule = result["ruleIndex"].as_u64().expect("an index") as usize;
        assert_eq!(rules[rule]["id"], result["ruleId"]);
        assert!(result["message"]["text"].is_string());
        let place = &result["locations"][0]["physicalLocation"]["artifactLocation"];
        assert!(
            place["uri"]
                .as_str()
                .is_some_and(|uri| uri.starts_with("file:///")),
            "{place}"
        );
    }
}

#[test]
fn hostile_names_and_texts_stay_texts() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir
        .path()
        .join("a\n<failure>&quot;]]>\u{202e}\u{1b}[31m 'x'.so");
    std::fs::write(&path, b"text").expect("a file");
    let xml = dir.path().join("a.xml");
    let mut command = eyemap_snapshots::eyemap();
    command
        .args(["plugin", "check"])
        .arg(&path)
        .arg("--junit")
        .arg(&xml);
    let output = command.output().expect("the command");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let words = String::from_utf8(output.stdout).expect("text");
    assert!(
        !words.contains('\u{1b}') && !words.contains('\u{202e}'),
        "{words}"
    );
    let xml = std::fs::read_to_string(xml).expect("JUnit");
    let document = Document::parse(&xml).expect("XML");
    assert_eq!(
        document
            .descendants()
            .filter(|n| n.has_tag_name("failure"))
            .count(),
        1
    );
}

#[test]
fn wrong_arguments_are_usage() {
    let desk = Desk::new(&good());
    let output = desk.run(&["--only", "elf-wellformed"]);
    assert_eq!(output.status.code(), Some(2));
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(words.contains("did you mean elf-well-formed"), "{words}");
    let missing = eyemap_snapshots::run(&["plugin", "check", "/no/such/lib.so"]);
    assert_eq!(missing.status.code(), Some(2));
    let unwritable = desk.run(&["--only", "file-readable", "--junit", "/no/such/dir/a.xml"]);
    assert_eq!(unwritable.status.code(), Some(2));
    assert_eq!(
        eyemap_snapshots::run(&["plugin", "check"]).status.code(),
        Some(2)
    );
    let child = eyemap_snapshots::run(&["__plugin-check", "nonsense"]);
    assert_eq!(
        child.status.code(),
        Some(64),
        "a child that nobody asked for"
    );
}

#[test]
fn the_list_names_each_check_and_what_holds() {
    let output = eyemap_snapshots::run(&["plugin", "check", "--list"]);
    assert_eq!(output.status.code(), Some(0));
    let words = String::from_utf8(output.stdout).expect("text");
    assert!(words.lines().count() >= 21, "{words}");
    assert!(words.lines().all(|line| {
        line.split_once("  ")
            .is_some_and(|(_, holds)| !holds.trim().is_empty())
    }));
}
