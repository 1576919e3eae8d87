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
    /// What it is called: `{label}` of titles.
    pub title: String,
    /// Above the legend. Default: the title.
    #[serde(default)]
    pub legend: String,
    /// `{label}` of tooltips. Default: the title.
    #[serde(default)]
    pub value: String,
    /// What is counted or measured, within a sentence: `{quantity}`. Default: the title with a small
    /// first letter.
    #[serde(default)]
    pub quantity: String,
}

/// The labels of a metric: the user's, else those of neuView, else the metric's name.
pub(crate) fn of(users: &BTreeMap<String, Labels>, metric: &str) -> Labels {
    let labels = |title: &str, value: &str, quantity: &str| Labels {
        title: title.into(),
        legend: String::new(),
        value: value.into(),
        quantity: quantity.into(),
    };
    let mut found = match (users.get(metric), metric) {
        (Some(users), _) => users.clone(),
        (None, "synapses") => labels("Synapses", "Synapse count", ""),
        (None, "cells") => labels("Cell Count", "Cell count", "cells"),
        (None, other) => labels(&in_words(other), "", ""),
    };
    for text in [&mut found.legend, &mut found.value] {
        if text.is_empty() {
            text.clone_from(&found.title);
        }
    }
    if found.quantity.is_empty() {
        found.quantity = uncapitalized(&found.title);
    }
    found
}

/// `Mean depth` as `mean depth`; `PSDs` as it is.
fn uncapitalized(title: &str) -> String {
    let mut letters = title.chars();
    match letters.next() {
        Some(first)
            if letters
                .clone()
                .next()
                .is_none_or(|next| !next.is_uppercase()) =>
        {
            first.to_lowercase().chain(letters).collect()
        }
        _ => title.to_owned(),
    }
}

/// `mean_depth` as `Mean depth`.
fn in_words(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
