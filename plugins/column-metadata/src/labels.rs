//! What metrics are called.

use std::collections::BTreeMap;

/// What one metric is called.
#[derive(
    Debug,
    Clone,
    PartialEq,
    eyemap_sdk::serde::Deserialize,
    eyemap_sdk::serde::Serialize,
    eyemap_sdk::schemars::JsonSchema,
)]
#[serde(crate = "eyemap_sdk::serde", deny_unknown_fields)]
#[schemars(crate = "eyemap_sdk::schemars")]
pub struct Labels {
    /// In the map's title.
    pub title: String,
    /// Above the legend. Default: the title.
    #[serde(default)]
    pub legend: String,
    /// In tooltips. Default: the title.
    #[serde(default)]
    pub value: String,
}

/// The labels of a metric: the user's, else those of neuView, else the metric's name.
pub(crate) fn of(users: &BTreeMap<String, Labels>, metric: &str) -> Labels {
    let labels = |title: &str, legend: &str, value: &str| Labels {
        title: title.into(),
        legend: legend.into(),
        value: value.into(),
    };
    let mut found = match (users.get(metric), metric) {
        (Some(users), _) => users.clone(),
        (None, "synapses") => labels("Synapses", "Total Synapses", "Synapse count"),
        (None, "cells") => labels("Cell Count", "Cell Count", "Cell count"),
        (None, other) => labels(&in_words(other), "", ""),
    };
    for text in [&mut found.legend, &mut found.value] {
        if text.is_empty() {
            text.clone_from(&found.title);
        }
    }
    found
}

/// `mean_depth` as `Mean depth`.
fn in_words(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
