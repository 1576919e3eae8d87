//! The one configuration file, as types. Each field states its effect, its unit and its default.

use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::MetricKind;

/// How the table is read: `[table]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TableConfig {
    /// Names of columns in the file, by our name: `body_id = "bodyId"`. Default: our names.
    pub columns: BTreeMap<String, String>,
    /// Leave out (and count) rows whose `hex1`, `hex2` or `layer` is null in place of refusing the
    /// table. Default: false.
    pub skip_unplaced: bool,
}

/// What happens to rows in columns that the atlas does not list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unlisted {
    /// The table is refused, naming the row.
    #[default]
    Error,
    /// The column is added to the atlas, and the report says how many were.
    Add,
}

/// Which columns exist: `[atlas]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AtlasConfig {
    /// The atlas table, relative to the configuration file. Default: derived from the data.
    pub file: Option<PathBuf>,
    /// Names of columns in the atlas file, by our name. Default: our names.
    pub columns: BTreeMap<String, String>,
    /// Rows in columns that the atlas does not list: `error` or `add`. Default: `error`.
    pub unlisted: Unlisted,
}

/// A region: one `[[regions]]` entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegionConfig {
    /// Its name, as in the table.
    pub name: String,
    /// Labels of its layers, from layer 1 up. Default: no layers.
    #[serde(default)]
    pub layers: Vec<String>,
}

/// A metric: `[metrics.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MetricConfig {
    /// `count` (whole numbers from zero up) or `number` (any finite number). Default: `count`.
    pub kind: MetricKind,
    /// Whether the value of a whole column is the sum of its layers where the table gives no row of
    /// layer 0. Default: false.
    pub sum_layers: bool,
}

impl Default for MetricConfig {
    fn default() -> Self {
        Self {
            kind: MetricKind::Count,
            sum_layers: false,
        }
    }
}

/// The fly's optic lobe: ME with ten layers, LO with seven, LOP with four.
pub fn optic_lobe() -> Vec<RegionConfig> {
    let region = |name: &str, layers: &[&str]| RegionConfig {
        name: name.into(),
        layers: layers.iter().map(|&label| label.into()).collect(),
    };
    vec![
        region("ME", &["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]),
        region("LO", &["1", "2", "3", "4", "5A", "5B", "6"]),
        region("LOP", &["1", "2", "3", "4"]),
    ]
}

/// `synapses`, which sum over layers, and `cells`, which do not.
pub fn counted() -> BTreeMap<String, MetricConfig> {
    let count = |sum_layers| MetricConfig {
        kind: MetricKind::Count,
        sum_layers,
    };
    BTreeMap::from([
        ("synapses".into(), count(true)),
        ("cells".into(), count(false)),
    ])
}
