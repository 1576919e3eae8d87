//! Golden vectors of real plugins: those of the project as they are approved, those of the SDK's
//! examples within their bounds, and errors for plugins that cannot have any.

use eyemap_engine::{
    plugins::{Finder, PluginError},
    verify::golden::{GoldenConfig, GoldenError, GoldenFile, compare_text, vectors},
};
use eyemap_snapshots::{finder, plugin, trial::example};
use serde_json::{Value, json};

/// A finder that trusts one file, and the name by which to ask for it.
fn of_file(path: &std::path::Path) -> (Finder, String) {
    let mut finder = Finder {
        workers: eyemap_snapshots::workers(),
        ..Finder::default()
    };
    finder.trust_file(path).expect("a plugin");
    (finder, path.to_string_lossy().into_owned())
}

fn config(name: &str, config: Value) -> GoldenConfig {
    GoldenConfig {
        name: name.into(),
        config: serde_json::from_value(config).expect("a table"),
        ..GoldenConfig::default()
    }
}

fn of_example(name: &str, configs: &[GoldenConfig]) -> Result<Vec<GoldenFile>, GoldenError> {
    let (finder, library) = of_file(&example(name));
    vectors(&finder, &library, configs)
}

fn check_bounds(files: &[GoldenFile]) {
    for file in files {
        assert!(
            file.text.len() < 30_000,
            "{}: {} bytes",
            file.name,
            file.text.len()
        );
        assert!(compare_text(&file.text, &file.text).is_empty());
        let plain = |c: char| c == '\n' || !c.is_control();
        assert!(file.text.chars().all(plain), "{}", file.name);
    }
}

#[test]
fn the_vectors_of_the_projects_stages_are_as_approved() {
    for (id, configs) in [
        ("hex-coordinates", vec![]),
        (
            "binned-color",
            vec![config(
                "viridis-3",
                json!({ "palette": "viridis", "bins": 3, "zero": "#000000" }),
            )],
        ),
        (
            "column-metadata",
            vec![config("short", json!({ "column": "" }))],
        ),
    ] {
        let files = vectors(&finder(), id, &configs).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(files.len(), 1 + configs.len());
        check_bounds(&files);
        for file in files {
            insta::assert_snapshot!(file.name, file.text);
        }
    }
}

#[test]
fn a_cache_policy_has_vectors_too() {
    let files = vectors(&finder(), "lru-policy", &[]).unwrap_or_else(|error| panic!("{error}"));
    check_bounds(&files);
    insta::assert_snapshot!("cache.lru", files[0].text);
    let other = vectors(&finder(), "sieve-policy", &[]).unwrap_or_else(|error| panic!("{error}"));
    assert!(!compare_text(&files[0].text, &other[0].text).is_empty());
}

#[test]
fn every_other_plugin_has_vectors_within_bounds() {
    for id in [
        "arc",
        "fifo",
        "gdsf-cost",
        "s3-fifo",
        "size-weighted",
        "ttl",
        "w-tinylfu",
    ] {
        let files = vectors(&finder(), &format!("{id}-policy"), &[]);
        check_bounds(&files.unwrap_or_else(|error| panic!("{id}: {error}")));
    }
    for name in [
        "categorical_color",
        "contralateral_badge",
        "diverging_color",
        "mollweide_coordinates",
        "orientation_arrows",
        "quantile_color",
    ] {
        let files = of_example(name, &[]).unwrap_or_else(|error| panic!("{name}: {error}"));
        check_bounds(&files);
    }
}

#[test]
fn a_changed_option_is_told_in_words() {
    let configs = [
        config("a", json!({ "palette": ["#ffffff", "#ff8800"] })),
        config("b", json!({ "palette": ["#ffffff", "#ff8801"] })),
    ];
    let files = vectors(&finder(), "binned-color", &configs).expect("vectors");
    let found = compare_text(&files[1].text, &files[2].text);
    let lines: Vec<String> = found.iter().map(|difference| difference.line()).collect();
    assert!(
        lines.contains(
            &"color.b: whole columns, values 1 to 30: value 100 has data: #ff8800ff -> #ff8801ff"
                .to_owned()
        ),
        "{lines:#?}"
    );
}

#[test]
fn a_refusal_is_an_answer_and_a_fault_is_an_error() {
    let configs = [config("wrong", json!({ "bins": 0 }))];
    let files = vectors(&finder(), "binned-color", &configs).expect("vectors");
    assert!(
        files[1]
            .text
            .contains("refused: configuration at \"bins\", \"0 bins: give 1 to 64\""),
        "{}",
        files[1].text
    );

    let at = |step: &str| vec![config("trouble", json!({ "at": step }))];
    for step in ["create", "prepare", "call", "describe"] {
        let error = of_example("misbehaving", &at(step)).expect_err(step);
        let GoldenError::Stage { name, source, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!(name, "coordinate.trouble");
        assert!(
            source
                .to_string()
                .contains(&format!("asked to panic in {step}")),
            "{source}"
        );
        assert!(error.help().contains("report it to its author"));
    }
}

#[test]
fn a_plugin_whose_answers_depend_on_more_has_no_vectors() {
    assert!(of_example("unsteady", &[]).is_ok());
    for (on, when, remedy) in [
        ("calls", "when asked again", "random"),
        ("batch", "in batches of 1", "chunk_invariant: false"),
    ] {
        let error = of_example("unsteady", &[config("moody", json!({ "on": on }))]).expect_err(on);
        let text = error.to_string();
        let first = format!(
            "color.moody gives other answers {when}: whole columns, values 1 to 30: value -1e+300 has data: #"
        );
        assert!(text.starts_with(&first), "{text}");
        assert!(error.help().contains(remedy), "{}", error.help());
    }
}

#[test]
fn only_the_bytes_that_were_named_are_trusted() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("library.so");
    std::fs::copy(plugin("binned-color"), &path).expect("a copy");
    let (finder, library) = of_file(&path);
    let mut bytes = std::fs::read(&path).expect("the copy");
    bytes.push(0);
    std::fs::write(&path, bytes).expect("a change");
    match vectors(&finder, &library, &[]) {
        Err(GoldenError::Plugin { source, .. }) => {
            assert!(matches!(*source, PluginError::Untrusted { .. }), "{source}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn files_that_are_no_plugins_and_names_that_are_no_file_names_are_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("text.so");
    std::fs::write(&path, "not a library").expect("a file");
    assert!(Finder::default().trust_file(&path).is_err());
    assert!(
        Finder::default()
            .trust_file(&dir.path().join("none.so"))
            .is_err()
    );
    for name in ["", "../up", "A", "a.b", "default", "a\nb"] {
        let error = vectors(&finder(), "binned-color", &[config(name, json!({}))]);
        let text = error.expect_err(name).to_string();
        assert!(
            text.starts_with("a configuration cannot be called"),
            "{text}"
        );
        assert!(!text.contains('\n'));
    }
    let twice = [config("a", json!({})), config("a", json!({}))];
    assert!(vectors(&finder(), "binned-color", &twice).is_err());
}
