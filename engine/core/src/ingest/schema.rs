//! Which column of a file is which of ours, and which of three shapes the table has.
//!
//! Names match exactly or through the configuration; nothing is guessed, only suggested.

use std::collections::BTreeMap;

use super::error::{Objection, clean, quote};
use crate::{
    config::MetricConfig,
    model::{Metric, TableShape},
};

/// Columns that a table can have besides its metrics.
const OURS: [&str; 10] = [
    "body_id",
    "cell_type",
    "region",
    "side",
    "hex1",
    "hex2",
    "layer",
    "synapses",
    "metric",
    "value",
];

/// Less alike than this and a name is not suggested.
const ALIKE: f64 = 0.4;

/// Names longer than this many bytes are neither compared nor repeated.
const LONGEST: usize = 200;

/// Most columns that a message lists.
const MOST_LISTED: usize = 24;

/// The names in a file's header, seen through the configuration.
pub(super) struct Names<'a> {
    header: &'a [String],
    mapped: &'a BTreeMap<String, String>,
    /// The table of the configuration that maps names, `table.columns`.
    section: &'static str,
}

impl<'a> Names<'a> {
    /// Checks that every mapped name is known to us and present in the file.
    pub(super) fn new(
        header: &'a [String],
        mapped: &'a BTreeMap<String, String>,
        section: &'static str,
        known: &[&str],
    ) -> Result<Self, Objection> {
        let names = Self {
            header,
            mapped,
            section,
        };
        for (ours, theirs) in mapped {
            if !known.contains(&ours.as_str()) {
                let message = format!("[{section}] maps {}, which is not read", quote(ours));
                let nearest = nearest(ours, known.iter().copied());
                let nearest = nearest.map_or(String::new(), |name| format!("; is {name} meant?"));
                return Err(Objection::new(message).help(format!(
                    "names on the left are {}{nearest}",
                    known.join(", ")
                )));
            }
            if names.find(ours).is_none() {
                let message = format!(
                    "no column {}, named in [{section}] for {ours}",
                    quote(theirs)
                );
                return Err(Objection::new(message).help(names.fix(ours, theirs)));
            }
        }
        Ok(names)
    }

    /// The index of one of our columns.
    pub(super) fn find(&self, ours: &str) -> Option<usize> {
        let theirs = self.mapped.get(ours).map_or(ours, String::as_str);
        self.header.iter().position(|name| name == theirs)
    }

    /// The index of one of our columns, or why there is none.
    pub(super) fn require(&self, ours: &str) -> Result<usize, Objection> {
        self.find(ours).ok_or_else(|| {
            Objection::new(format!("no column {}", quote(ours))).help(self.fix(ours, ours))
        })
    }

    /// What to write into the configuration, with the most likely column.
    fn fix(&self, ours: &str, wanted: &str) -> String {
        let others = self.header.iter().map(String::as_str);
        let free = others.filter(|name| *name == ours || !OURS.contains(name));
        let theirs = nearest(wanted, free).unwrap_or("<its name in the file>");
        let listed = self.header.iter().take(MOST_LISTED);
        let mut found: Vec<_> = listed.map(|name| quote(name)).collect();
        if self.header.len() > MOST_LISTED {
            found.push(format!("and {} more", self.header.len() - MOST_LISTED));
        }
        format!(
            "the file has the columns {}; to say which one it is, write\n[{}]\n{} = {}",
            found.join(", "),
            self.section,
            toml_key(ours),
            toml_text(theirs),
        )
    }
}

/// The most similar of some names, if any is similar at all.
pub(super) fn nearest<'a>(name: &str, others: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| -> String {
        let letters = text.chars().filter(|c| c.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect()
    };
    if name.len() > LONGEST {
        return None;
    }
    let name = plain(name);
    let score = |other: &str| {
        let other = plain(other);
        let part = !other.is_empty() && (other.ends_with(&name) || name.ends_with(&other));
        strsim::normalized_damerau_levenshtein(&name, &other) + f64::from(u8::from(part))
    };
    let others = others.filter(|other| other.len() <= LONGEST);
    let scored = others.map(|other| (score(other), other));
    let best = scored.reduce(|best, next| if next.0 > best.0 { next } else { best })?;
    (best.0 >= ALIKE).then_some(best.1)
}

/// A text as TOML writes it; one that would harm a terminal is shown escaped and cut short instead.
pub(super) fn toml_text(text: impl AsRef<str>) -> String {
    let text = text.as_ref();
    if text.len() > LONGEST || clean(text) != text {
        return quote(text);
    }
    toml::Value::String(text.into()).to_string()
}

/// A key as TOML writes it.
pub(super) fn toml_key(key: &str) -> String {
    let bare = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    if !key.is_empty() && key.bytes().all(bare) {
        key.into()
    } else {
        toml_text(key)
    }
}

/// Where the values of a row stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Values {
    /// One column for each of [`Layout::metrics`].
    Wide(Vec<usize>),
    /// The name of a metric, and its value.
    Tall { metric: usize, value: usize },
    /// The synapses of a body.
    Synapses(usize),
    /// The row itself is what counts.
    Presence,
}

/// Where everything stands in a table.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) shape: TableShape,
    pub(super) cell_type: usize,
    pub(super) region: usize,
    pub(super) side: usize,
    pub(super) hex1: usize,
    pub(super) hex2: usize,
    pub(super) layer: Option<usize>,
    pub(super) body: Option<usize>,
    pub(super) values: Values,
    /// The metrics that rows can have values of, in the order of the configuration.
    pub(super) metrics: Vec<Metric>,
}

impl Layout {
    /// Finds shape and columns.
    pub(super) fn of(
        header: &[String],
        mapped: &BTreeMap<String, String>,
        metrics: &BTreeMap<String, MetricConfig>,
    ) -> Result<Self, Objection> {
        let known: Vec<_> = OURS
            .into_iter()
            .chain(
                metrics
                    .keys()
                    .map(String::as_str)
                    .filter(|m| !OURS.contains(m)),
            )
            .collect();
        let names = Names::new(header, mapped, "table.columns", &known)?;
        let mut layout = Self {
            shape: TableShape::Canonical,
            cell_type: names.require("cell_type")?,
            region: names.require("region")?,
            side: names.require("side")?,
            hex1: names.require("hex1")?,
            hex2: names.require("hex2")?,
            layer: names.find("layer"),
            body: names.find("body_id"),
            values: Values::Presence,
            metrics: Vec::new(),
        };
        if layout.body.is_some() {
            layout.bodies(&names, metrics)?;
        } else {
            layout.canonical(&names, metrics)?;
        }
        Ok(layout)
    }

    fn bodies(
        &mut self,
        names: &Names<'_>,
        metrics: &BTreeMap<String, MetricConfig>,
    ) -> Result<(), Objection> {
        let mut counted = vec!["cells"];
        if self.layer.is_some() || names.find("synapses").is_some() {
            self.shape = TableShape::BodySynapses;
            self.values = Values::Synapses(names.require("synapses")?);
            counted.push("synapses");
        } else {
            self.shape = TableShape::Cells;
        }
        let has = |name: &String| counted.contains(&name.as_str());
        self.metrics = metrics
            .iter()
            .filter(|(name, _)| has(name))
            .map(metric)
            .collect();
        if self.metrics.is_empty() {
            let message = format!(
                "a table of bodies gives {}, which are no configured metrics",
                counted.join(" and ")
            );
            return Err(Objection::new(message).help("write\n[metrics.cells]\nkind = \"count\""));
        }
        Ok(())
    }

    fn canonical(
        &mut self,
        names: &Names<'_>,
        metrics: &BTreeMap<String, MetricConfig>,
    ) -> Result<(), Objection> {
        if let (Some(metric_column), Some(value)) = (names.find("metric"), names.find("value")) {
            self.values = Values::Tall {
                metric: metric_column,
                value,
            };
            self.metrics = metrics.iter().map(metric).collect();
            return Ok(());
        }
        let mut columns = Vec::new();
        for (name, config) in metrics {
            if let Some(column) = names.find(name) {
                columns.push(column);
                self.metrics.push(metric((name, config)));
            }
        }
        if columns.is_empty() {
            return Err(no_metric(names, metrics));
        }
        self.values = Values::Wide(columns);
        Ok(())
    }

    /// The columns of the file that are read.
    pub(super) fn columns(&self) -> Vec<usize> {
        let mut columns = vec![self.cell_type, self.region, self.side, self.hex1, self.hex2];
        columns.extend(self.layer);
        columns.extend(self.body);
        match &self.values {
            Values::Wide(values) => columns.extend(values),
            Values::Tall { metric, value } => columns.extend([metric, value]),
            Values::Synapses(synapses) => columns.push(*synapses),
            Values::Presence => {}
        }
        columns
    }
}

fn metric((name, config): (&String, &MetricConfig)) -> Metric {
    Metric {
        name: name.clone(),
        kind: config.kind,
        sums_layers: config.sum_layers,
    }
}

fn no_metric(names: &Names<'_>, metrics: &BTreeMap<String, MetricConfig>) -> Objection {
    let Some(first) = metrics.keys().next_back() else {
        return Objection::new("no metric is configured")
            .help("write\n[metrics.synapses]\nkind = \"count\"\nsum_layers = true");
    };
    let listed: Vec<_> = metrics.keys().map(|name| quote(name)).collect();
    let message = format!(
        "no column of a metric ({}) and no \"body_id\"",
        listed.join(", ")
    );
    Objection::new(message).help(names.fix(first, first))
}
