//! Plugins that fail, panic or give wrong answers: the host says which, where, and goes on.

use eyemap_engine::{
    Side,
    stage::{
        StageError, StageName,
        StageName::{Color, Coordinate, Metadata},
    },
};
use eyemap_snapshots::trial::{Trial, dataset, row_of_values};
use serde_json::{Value, json};

/// Draws three columns with a fixture as one stage.
fn draw(stage: StageName, fixture: &str, config: Value) -> Result<usize, StageError> {
    let trial = Trial::default().with(stage, fixture, config);
    let scene = trial.draw(&row_of_values(&[1.0, 2.0, 3.0]), Side::Right)?;
    Ok(scene.batch().len())
}

/// Draws with a fixture, which must fail, and then without it, which must not.
fn failure(stage: StageName, fixture: &str, config: Value) -> String {
    let error = draw(stage, fixture, config.clone()).expect_err(&config.to_string());
    assert_eq!(
        draw(stage, "misbehaving", json!({})).expect("the host goes on"),
        3
    );
    let text = format!("{error}\nhelp: {}", error.help().unwrap_or_default());
    assert!(text.lines().count() <= 12, "{text}");
    text
}

#[test]
fn a_panic_in_any_step_of_any_stage_is_an_error_with_its_source_line() {
    for stage in [Coordinate, Color, Metadata] {
        for step in ["create", "needs", "prepare", "call", "describe"] {
            if step == "needs" && stage != Color {
                continue;
            }
            let text = failure(stage, "misbehaving", json!({ "at": step }));
            for part in [
                stage.word(),
                "org.eyemap.fixture.misbehaving",
                &format!("panicked: asked to panic in {step}"),
                "misbehaving.rs:",
            ] {
                assert!(
                    text.contains(part),
                    "{stage:?} {step}: no {part:?} in {text}"
                );
            }
        }
    }
}

#[test]
fn an_error_of_a_plugin_is_passed_on_in_its_words() {
    for stage in [Coordinate, Color, Metadata] {
        for step in ["create", "prepare"] {
            let text = failure(stage, "misbehaving", json!({ "at": step, "how": "error" }));
            assert!(text.contains(&format!("asked to fail in {step}")), "{text}");
            assert!(text.contains("report it to its author"), "{text}");
        }
    }
}

#[test]
fn a_panic_in_a_destructor_spoils_nothing() {
    for stage in [Coordinate, Color, Metadata] {
        assert_eq!(
            draw(stage, "misbehaving", json!({ "at": "drop" })).expect("a scene"),
            3
        );
    }
}

#[test]
fn a_wrong_key_is_named_with_its_path() {
    let error = draw(Color, "misbehaving", json!({ "att": "call" })).expect_err("unknown key");
    assert!(error.to_string().contains("unknown field `att`"), "{error}");
    assert_eq!(
        error.config_key().as_deref(),
        Some("stages.color.config.att")
    );
}

/// A fixture gives an answer, and the host says what is wrong with it.
fn wrong(stage: StageName, answer: Value, expected: &str) {
    let text = failure(stage, "raw_answers", answer.clone());
    assert!(
        text.contains(expected),
        "{answer}: no {expected:?} in {text}"
    );
}

/// A description as the plugin would write it.
fn said(description: Value) -> Value {
    json!({ "describe": description.to_string() })
}

#[test]
fn wrong_places_are_refused() {
    let cell = r#"{"cell":{"circumradius_px":5}}"#;
    wrong(
        Coordinate,
        json!({ "describe": cell, "x": "nan" }),
        "column 12,10 at (NaN, 10) px",
    );
    wrong(
        Coordinate,
        json!({ "describe": cell, "placed": 0 }),
        "places none of the 3 columns",
    );
    assert_eq!(
        draw(Coordinate, "raw_answers", json!({ "describe": cell })).expect("a scene"),
        3
    );
}

#[test]
fn wrong_descriptions_of_places_are_refused() {
    wrong(
        Coordinate,
        json!({ "describe": "{" }),
        "its description cannot be read",
    );
    wrong(
        Coordinate,
        json!({ "describe": "[1]" }),
        "its description cannot be read",
    );
    wrong(
        Coordinate,
        said(json!({ "cell": { "circumradius_px": -1 } })),
        "a circumradius of -1 px",
    );
    let guide = |guide: Value| said(json!({ "cell": { "circumradius_px": 5 }, "guides": [guide] }));
    let line = |color: &str, width: f64| json!({ "kind": "polyline", "points": [[0, 0]], "color": color, "width_px": width });
    wrong(
        Coordinate,
        guide(line("red", 1.0)),
        "a guide with a number or colour that is none",
    );
    wrong(
        Coordinate,
        guide(line("#ff0000", -1.0)),
        "a guide with a number or colour that is none",
    );
    wrong(
        Coordinate,
        guide(line("#ff0000", 1e300)),
        "a guide with a number or colour that is none",
    );
    wrong(
        Coordinate,
        guide(json!({ "kind": "spiral" })),
        "its description cannot be read",
    );
}

#[test]
fn wrong_needs_and_legends_are_refused() {
    wrong(
        Color,
        json!({ "needs": r#"{"whole":{"quantiles":[1.5]}}"# }),
        "it asks for the quantile 1.5",
    );
    wrong(
        Color,
        json!({ "needs": r#"{"whole":{"scope":"galaxy"}}"# }),
        "its description cannot be read",
    );
    let legend = |legend: Value| said(json!({ "legend": legend }));
    wrong(
        Color,
        legend(json!({ "kind": "bins", "ticks": [1], "colors": ["#ff0000"] })),
        "a Bins legend with 1 ticks",
    );
    wrong(
        Color,
        legend(json!({ "kind": "swatches", "ticks": [1], "colors": ["red"] })),
        "a legend with a colour that is none",
    );
    wrong(
        Color,
        legend(json!({ "kind": "ramp", "ticks": [0, null], "colors": ["#ff0000"] })),
        "its description cannot be read",
    );
    wrong(
        Color,
        json!({ "describe": "]" }),
        "its description cannot be read",
    );
    assert_eq!(
        draw(
            Color,
            "raw_answers",
            said(json!({ "legend": null, "sparkle": 1 }))
        )
        .expect("a scene"),
        3
    );
}

#[test]
fn wrong_texts_are_refused() {
    let labels = |n: usize| json!({ "layer_labels": vec!["x"; n] }).to_string();
    wrong(
        Metadata,
        json!({ "describe": "nonsense" }),
        "its description cannot be read",
    );
    wrong(
        Metadata,
        json!({ "describe": labels(4), "beyond": [0] }),
        "a tooltip for column 3 of 3",
    );
    wrong(
        Metadata,
        json!({ "describe": labels(4), "beyond": [-1, -2] }),
        "a tooltip for column 1 of 3",
    );
    wrong(
        Metadata,
        json!({ "describe": labels(4), "beyond": [-1, -1] }),
        "a tooltip for column 2 of 3",
    );
    let tooltip = json!({ "describe": labels(4), "beyond": [-2, -1] });
    assert_eq!(draw(Metadata, "raw_answers", tooltip).expect("a scene"), 3);
}

#[test]
fn labels_of_layers_are_as_many_as_the_map_has_and_of_a_map_without_layers_do_not_matter() {
    let labels =
        |n: usize| json!({ "describe": json!({ "layer_labels": vec!["x"; n] }).to_string() });
    let layered = dataset(
        "cell_type,region,side,hex1,hex2,layer,synapses\nTm1,LOP,R,10,10,0,3\nTm1,LOP,R,10,10,2,3\n",
    );
    let draw_layered = |n: usize| {
        let trial = Trial::default().with(Metadata, "raw_answers", labels(n));
        trial
            .draw(&layered, Side::Right)
            .map(|scene| scene.head.n_layers)
    };
    let error = draw_layered(3).expect_err("too few").to_string();
    assert!(error.contains("3 layer labels for 4 layers"), "{error}");
    assert_eq!(draw_layered(4).expect("a scene"), 4);
    for n in [0, 3, 4] {
        assert_eq!(
            draw(Metadata, "raw_answers", labels(n)).expect("a scene"),
            3
        );
    }
}

#[test]
fn an_error_without_the_sdk_is_passed_on_too() {
    wrong(
        Color,
        json!({ "error": "out of crayons" }),
        "out of crayons",
    );
}
