//! What the plugin promises, and what it answers.

use diverging_color::{Diverging, DivergingColor};
use eyemap_sdk::{job::Statistics, prelude::*, testing};

fn stage(config: &str) -> Result<DivergingColor> {
    let config = eyemap_sdk::config::parse(config).expect("a configuration");
    DivergingColor::create(config, &Tables::NONE)
}

fn job(min: f64, max: f64) -> ColorJob {
    let statistics = Statistics {
        min: Some(min),
        max: Some(max),
        ..Default::default()
    };
    ColorJob {
        statistics,
        ..Default::default()
    }
}

/// The scale for a configuration, written as JSON, and values from `min` to `max`.
fn scale(config: &str, min: f64, max: f64) -> Diverging {
    let stage = stage(config).expect("a stage");
    stage.prepare(&job(min, max)).expect("a scale")
}

fn words(scale: &Diverging, values: &[f64]) -> Vec<String> {
    // `colors` also fails if any split of the batch gives other colours.
    let colors = testing::colors(scale, values);
    colors.iter().map(Rgba::to_string).collect()
}

#[test]
fn the_farthest_value_has_the_full_colour_and_the_other_side_the_same_scale() {
    let scale = scale("{}", -10.0, 40.0);
    assert_eq!(
        words(&scale, &[-40.0, -20.0, 0.0, 20.0, 40.0]),
        ["#2166ac", "#8cafd2", "#f7f7f7", "#d58891", "#b2182b"]
    );
    let legend = scale.describe().legend.expect("a legend");
    assert_eq!(legend.ticks, [-40.0, -20.0, 0.0, 20.0, 40.0]);
    assert_eq!(legend.colors[1], "#8cafd2");
}

#[test]
fn values_beyond_the_reach_have_the_colour_of_the_end() {
    let scale = scale(r#"{"center": 5, "reach": 2}"#, 0.0, 100.0);
    assert_eq!(
        words(&scale, &[-1e300, 3.0, 7.0, 1e300]),
        ["#2166ac", "#2166ac", "#b2182b", "#b2182b"]
    );
}

#[test]
fn a_range_set_by_hand_overrules_the_reach() {
    let stage = stage(r#"{"reach": 2}"#).expect("a stage");
    let job = ColorJob {
        range: Some([-8.0, 4.0]),
        ..job(0.0, 1.0)
    };
    let legend = stage.prepare(&job).expect("a scale").describe().legend;
    assert_eq!(legend.expect("a legend").ticks[4], 8.0);
}

#[test]
fn a_scope_without_values_or_with_one_alone_has_a_scale() {
    let stage = stage("{}").expect("a stage");
    let empty = stage.prepare(&ColorJob::default()).expect("a scale");
    assert_eq!(words(&empty, &[0.0]), ["#f7f7f7"]);
    assert_eq!(
        words(&scale(r#"{"center": 3}"#, 3.0, 3.0), &[3.0]),
        ["#f7f7f7"]
    );
}

#[test]
fn what_cannot_be_used_is_refused_with_its_key() {
    for (config, message) in [
        (r#"{"reach": 0}"#, "0 is not above zero (at reach)"),
        (
            r#"{"low": "blue"}"#,
            "\"blue\" is no colour: write #rrggbb (at low)",
        ),
        (
            r##"{"mid": "#12"}"##,
            "\"#12\" is no colour: write #rrggbb (at mid)",
        ),
    ] {
        assert_eq!(stage(config).expect_err("refused").to_string(), message);
    }
}

#[test]
fn the_colours_are_as_approved() {
    let mut text = String::new();
    for config in [
        "{}",
        r##"{"center": 12.5, "low": "#1b7837", "mid": "#ffffff", "high": "#762a83"}"##,
    ] {
        for (min, max) in [(-30.0, 10.0), (0.0, 3e7), (5.0, 5.0)] {
            let scale = scale(config, min, max);
            text.push_str(&format!("[{config}, values from {min} to {max}]\n"));
            let share = |i: i32| min + (max - min) * f64::from(i) / 4.0;
            for value in (-1..=5).map(share) {
                text.push_str(&format!("value {value}: {}\n", scale.color_of(value)));
            }
            let legend = scale.describe().legend.expect("a legend");
            text.push_str(&format!("ticks: {:?}\n", legend.ticks));
        }
    }
    testing::golden("golden/colors.txt", &text);
}
