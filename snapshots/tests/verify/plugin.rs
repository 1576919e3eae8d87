//! A plugin under test: its answers to fixed questions, and pictures of a small built-in table.

use std::{fs, path::Path};

use eyemap_snapshots::{desk::Desk, plugin, trial::example};
use serde_json::Value;

use crate::{
    fails, files_in, finding, findings, first_line, kinds, paths, stderr, succeeds, verify, words,
};

/// Approves what a library answers, and compares it with itself.
fn approved(library: &Path) -> Desk {
    let desk = Desk::new("");
    let library = library.display().to_string();
    let output = verify(&desk, &["init", "--plugin", &library]);
    succeeds(&output);
    let told = format!("`eyemap verify --plugin {library}`");
    assert!(words(&output).contains(&told), "{}", words(&output));
    let output = verify(&desk, &["--plugin", &library]);
    succeeds(&output);
    desk
}

/// Compares with another library in its place, which is no less trusted for that.
fn with(desk: &Desk, library: &Path) -> (Value, String) {
    let output = verify(desk, &["--plugin", &library.display().to_string()]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    (findings(desk), words(&output))
}

#[test]
fn a_colour_stage_is_compared_by_its_answers_and_pictures() {
    let desk = approved(&plugin("binned-color"));
    let copy = desk.path("renamed.so");
    fs::copy(plugin("binned-color"), &copy).expect("copied");
    succeeds(&verify(&desk, &["--plugin", "renamed.so"]));
    let (found, said) = with(&desk, &example("diverging_color"));
    assert_eq!(
        kinds(finding(&found, "golden/color.default.txt")),
        ["answer"]
    );
    assert!(said.contains("golden/color.default.txt: answer "), "{said}");
    assert!(said.contains("legend tick 1: "), "{said}");
    assert!(paths(&found).iter().any(|path| path.ends_with(".svg")));
    // Accepting makes the other one the approved one.
    succeeds(&verify(&desk, &["accept"]));
    succeeds(&verify(
        &desk,
        &[
            "--plugin",
            &example("diverging_color").display().to_string(),
        ],
    ));
    with(&desk, &plugin("binned-color"));
}

#[test]
fn a_coordinate_stage_is_compared_by_its_answers_and_pictures() {
    let desk = approved(&plugin("hex-coordinates"));
    let (found, said) = with(&desk, &example("orientation_arrows"));
    let golden = finding(&found, "golden/coordinate.default.txt");
    assert_eq!(kinds(golden), ["answer"]);
    assert!(said.contains("golden/coordinate.default.txt"), "{said}");
    assert!(paths(&found).iter().any(|path| path.ends_with(".svg")));
    let lacking = verify(
        &desk,
        &[
            "--plugin",
            &example("mollweide_coordinates").display().to_string(),
        ],
    );
    fails(&lacking, 2, &["the side table \"directions\" is missing"]);
}

#[test]
fn a_metadata_stage_is_compared_by_its_answers_and_pictures() {
    let desk = approved(&plugin("column-metadata"));
    let (found, said) = with(&desk, &example("contralateral_badge"));
    assert_eq!(
        kinds(finding(&found, "golden/metadata.default.txt")),
        ["answer"]
    );
    assert!(
        said.contains("legend title: Synapses -> synapses"),
        "{said}"
    );
}

#[test]
fn a_cache_policy_is_compared_by_its_answers_alone() {
    let desk = approved(&plugin("sieve-policy"));
    let output = verify(
        &desk,
        &["--plugin", &plugin("sieve-policy").display().to_string()],
    );
    assert_eq!(first_line(&output), "1 artifact compared: 1 as approved");
    let (found, _) = with(&desk, &plugin("lru-policy"));
    assert_eq!(paths(&found), ["golden/cache.default.txt"]);
    let finding = finding(&found, "golden/cache.default.txt");
    let message = finding["message"].as_str().unwrap_or_default();
    assert!(message.contains("org.eyemap.lru-policy"), "{message}");
    assert!(finding["n_differences"].as_u64().is_some_and(|n| n > 3));
    // What it is not a policy for is not compared with it.
    let (found, said) = {
        let library = plugin("hex-coordinates").display().to_string();
        let output = verify(&desk, &["--plugin", &library]);
        assert_eq!(output.status.code(), Some(3), "{}", words(&output));
        (findings(&desk), words(&output))
    };
    assert!(
        said.contains("never approved") && said.contains("1 is orphaned"),
        "{said}"
    );
    assert_eq!(
        crate::finding(&found, "golden/coordinate.default.txt")["verdict"],
        "missing"
    );
}

#[test]
fn a_file_decides_nothing_about_what_code_runs() {
    let desk = approved(&plugin("sieve-policy"));
    fails(
        &verify(&desk, &[]),
        2,
        &[
            "snapshots has snapshots of a plugin",
            "name its library with --plugin",
        ],
    );
    fails(
        &verify(&desk, &["--plugin", "none.so"]),
        2,
        &["cannot read the plugin none.so"],
    );
    desk.write("junk.so", "junk");
    fails(
        &verify(&desk, &["--plugin", "junk.so"]),
        2,
        &["junk.so is not a plugin that can be loaded"],
    );
    let output = verify(
        &desk,
        &["init", "--plugin", "junk.so", "--snapshots", "other"],
    );
    fails(&output, 2, &["junk.so is not a plugin"]);
    assert!(!desk.path("other").exists());
    let settings = files_in(&desk.path("snapshots"));
    assert!(!String::from_utf8_lossy(&settings["verify.toml"]).contains(".so"));
}
