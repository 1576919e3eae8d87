//! What the plugin promises, and what it answers.

use eyemap_sdk::{prelude::*, testing};
use template_metadata::{TemplateMetadata, Texts};

/// The texts of a map of Tm3 in the right lobula, for a configuration written as JSON.
fn texts(config: &str) -> Texts {
    let config = eyemap_sdk::config::parse(config).expect("a configuration");
    let stage = TemplateMetadata::create(config, &Tables::NONE).expect("a stage");
    let job = MetadataJob {
        cell_type: "Tm3".into(),
        region: "LO".into(),
        side: Side::Right,
        metric: "synapses".into(),
        layer_labels: vec!["4".into(), "5A".into()],
        columns_with_data: 3,
        columns_in_region: 9,
        ..Default::default()
    };
    stage.prepare(&job).expect("texts")
}

const COLUMNS: [(i32, i32, Option<f64>); 4] = [
    (1, 2, Some(100.0)),
    (1, 3, Some(100.5)),
    (2, 2, None),
    (2, 3, Some(3e7)),
];

#[test]
fn only_large_values_have_tooltips_of_their_own() {
    // `tooltips` also fails if any split of the batch gives other tooltips.
    let found = testing::tooltips(&texts("{}"), 0, &COLUMNS);
    let marked: Vec<bool> = found.iter().map(Option::is_some).collect();
    assert_eq!(marked, [false, true, false, true]);
    assert_eq!(found[1].as_deref(), Some("1, 3: count 100.5 (large)"));
}

#[test]
fn every_layer_has_a_label() {
    assert_eq!(texts("{}").describe().layer_labels, ["4", "5A"]);
}

#[test]
fn an_unknown_key_is_refused_by_name() {
    let refused = eyemap_sdk::config::parse::<TemplateMetadata>(r#"{"larg": 1}"#);
    let message = refused.expect_err("refused").to_string();
    assert!(message.contains("larg"), "{message}");
}

#[test]
fn the_texts_are_as_approved() {
    let mut text = String::new();
    for config in ["{}", r#"{"value_name": "T-bars", "large": 1000}"#] {
        let texts = texts(config);
        text.push_str(&format!("[{config}]\n"));
        let MetadataDescription {
            title,
            layer_title,
            subject,
            legend_title,
            description,
            whole,
            ..
        } = texts.describe();
        text.push_str(&format!("title: {title}\nlayer title: {layer_title}\n"));
        for line in subject {
            text.push_str(&format!("subject: {}\n", line.text));
        }
        text.push_str(&format!(
            "legend: {legend_title}\ndescription: {description}\n"
        ));
        for status in ColumnStatus::ALL {
            text.push_str(&format!("{}: {}\n", status.word(), whole.of(status)));
        }
        let tooltips = testing::tooltips(&texts, 0, &COLUMNS);
        for (tooltip, (hex1, hex2, value)) in tooltips.iter().zip(COLUMNS) {
            let shown = tooltip.as_deref().unwrap_or("as the template");
            text.push_str(&format!("column {hex1}, {hex2} with {value:?}: {shown}\n"));
        }
    }
    testing::golden("golden/texts.txt", &text);
}
