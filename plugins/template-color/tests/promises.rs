//! What the plugin promises, and what it answers.

use eyemap_sdk::{prelude::*, testing};
use template_color::TemplateColor;

const DARK: Rgba = Rgba::opaque(0xa5, 0x0f, 0x15);
const LIGHT: Rgba = Rgba::opaque(0xfe, 0xe5, 0xd9);

/// The scale for a configuration, written as JSON.
fn scale(config: &str) -> TemplateColor {
    let config = eyemap_sdk::config::parse(config).expect("a configuration");
    let stage = TemplateColor::create(config, &Tables::NONE).expect("a stage");
    stage.prepare(&ColorJob::default()).expect("a scale")
}

#[test]
fn values_above_the_threshold_are_dark() {
    // `colors` also fails if any split of the batch gives other colours.
    let found = testing::colors(&scale("{}"), &[0.0, 10.0, 10.5, 1e300]);
    assert_eq!(found, [LIGHT, LIGHT, DARK, DARK]);
    assert_eq!(testing::colors(&scale(r#"{"at": -1}"#), &[0.0]), [DARK]);
}

#[test]
fn an_unknown_key_is_refused_by_name() {
    let refused = eyemap_sdk::config::parse::<TemplateColor>(r#"{"att": 1}"#);
    let message = refused.expect_err("refused").to_string();
    assert!(message.contains("att"), "{message}");
}

#[test]
fn the_colours_are_as_approved() {
    let mut text = String::new();
    for config in ["{}", r#"{"at": 0.5}"#] {
        let scale = scale(config);
        text.push_str(&format!("[{config}]\n"));
        for value in [-1.0, 0.0, 0.5, 1.0, 10.0, 11.0, 3e7] {
            text.push_str(&format!("value {value}: {}\n", scale.color_of(value)));
        }
        for status in ColumnStatus::ALL.into_iter().skip(1) {
            let color = scale.color_without_value(status);
            text.push_str(&format!("{}: {color}\n", status.word()));
        }
    }
    testing::golden("golden/colors.txt", &text);
}
