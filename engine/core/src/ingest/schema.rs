//! Which column of a file is which of ours, and which of three shapes the table has.
//!
//! Names match exactly or through the configuration; nothing is guessed, only suggested (by `propose`).

use std::{collections::BTreeMap, sync::Arc};

use super::{
    IngestOptions,
    error::{Objection, clean, quote},
    field::{Field, Pattern},
    propose::Lacking,
    sample::Sample,
};
use crate::{
    config::{ColumnSource, MetricConfig, PATTERN_KEY, RowPattern},
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

/// Columns that every table has.
const NEEDED: [&str; 5] = ["cell_type", "region", "side", "hex1", "hex2"];

/// Less alike than this and a name is not suggested.
const ALIKE: f64 = 0.4;

/// Names longer than this many bytes are neither compared nor repeated.
const LONGEST: usize = 200;

/// Most columns that a message lists.
const MOST_LISTED: usize = 24;

/// The names in a file's header, seen through the configuration.
pub(super) struct Names<'a> {
    pub(super) header: &'a [String],
    sources: &'a BTreeMap<String, ColumnSource>,
    /// The table of the configuration that says where columns come from, `table.columns`.
    pub(super) section: &'static str,
    pattern: Option<Pattern>,
}

impl<'a> Names<'a> {
    /// Checks that the configuration names only columns that are known to us.
    pub(super) fn new(
        header: &'a [String],
        sources: &'a BTreeMap<String, ColumnSource>,
        section: &'static str,
        known: &[&str],
    ) -> Result<Self, Objection> {
        let mut names = Self {
            header,
            sources,
            section,
            pattern: None,
        };
        for (ours, source) in sources {
            let is_pattern = matches!(source, ColumnSource::Pattern { .. }) && ours == PATTERN_KEY;
            if !is_pattern && !known.contains(&ours.as_str()) {
                let message = format!("[{section}] maps {}, which is not read", quote(ours));
                let nearest = nearest(ours, known.iter().copied());
                let nearest = nearest.map_or(String::new(), |name| format!("; is {name} meant?"));
                return Err(Objection::new(message).help(format!(
                    "names on the left are {}{nearest}",
                    known.join(", ")
                )));
            }
        }
        names.pattern = names.pattern()?;
        Ok(names)
    }

    /// The pattern that the configuration has, unless its column is not there.
    fn pattern(&self) -> Result<Option<Pattern>, Objection> {
        let Some(ColumnSource::Pattern {
            from,
            pattern,
            unmatched,
        }) = self.sources.get(PATTERN_KEY)
        else {
            return Ok(None);
        };
        let Some(column) = self.position(from) else {
            return Ok(None);
        };
        let wrong =
            |why| Objection::new(format!("[{}] {PATTERN_KEY}.pattern: {why}", self.section));
        Ok(Some(Pattern {
            column,
            rows: Arc::new(RowPattern::new(pattern).map_err(wrong)?),
            unmatched: *unmatched,
            section: self.section,
        }))
    }

    /// The pattern that rows are matched with.
    pub(super) fn row_pattern(&self) -> Option<Pattern> {
        self.pattern.clone()
    }

    fn position(&self, theirs: &str) -> Option<usize> {
        self.header.iter().position(|name| name == theirs)
    }

    /// Where one of our columns comes from.
    pub(super) fn find(&self, ours: &str) -> Option<Field> {
        let group = self.pattern.as_ref().and_then(|pattern| {
            let group = *pattern.rows.groups.get(ours)?;
            let column = pattern.column;
            Some(Field::Group { column, group })
        });
        match self.sources.get(ours) {
            Some(ColumnSource::Constant(value)) => Some(Field::Constant(value.clone())),
            Some(ColumnSource::Mapped { column, map }) => {
                let theirs = column.as_deref().unwrap_or(ours);
                self.position(theirs).map(|column| Field::Mapped {
                    column,
                    map: map.clone(),
                })
            }
            Some(ColumnSource::Named(theirs)) => self.position(theirs).map(Field::Column),
            Some(ColumnSource::Pattern { .. }) | None => {
                group.or_else(|| self.position(ours).map(Field::Column))
            }
        }
    }

    /// The columns among `wanted` that are not there, and those that the configuration names in vain.
    pub(super) fn missing<'n>(&'n self, wanted: &[&'n str]) -> Vec<Missing<'n>> {
        let named = self.sources.iter().filter_map(|(ours, source)| {
            let theirs = match source {
                ColumnSource::Named(theirs) | ColumnSource::Pattern { from: theirs, .. } => theirs,
                ColumnSource::Mapped { column, .. } => column.as_ref().unwrap_or(ours),
                ColumnSource::Constant(_) => return None,
            };
            self.position(theirs).is_none().then_some(Missing {
                ours,
                theirs: Some(theirs),
            })
        });
        let mut missing: Vec<_> = named.collect();
        let is_known = |missing: &[Missing<'_>], ours| missing.iter().any(|m| m.ours == ours);
        // What a pattern would give is there once its column is.
        let by_pattern = match self.sources.get(PATTERN_KEY) {
            Some(ColumnSource::Pattern { pattern, .. }) if self.pattern.is_none() => {
                RowPattern::new(pattern).map_or(Vec::new(), |p| p.groups.into_keys().collect())
            }
            _ => Vec::new(),
        };
        for &ours in wanted {
            let absent = self.find(ours).is_none() && !by_pattern.contains(&ours);
            if absent && !is_known(&missing, ours) {
                missing.push(Missing { ours, theirs: None });
            }
        }
        missing
    }

    /// Where a column comes from that was looked for before.
    pub(super) fn require(&self, ours: &str) -> Result<Field, Objection> {
        let found = self.find(ours);
        found.ok_or_else(|| Objection::new(format!("no column {}", quote(ours))))
    }

    /// Indices of the columns of the file that none of ours is read from.
    pub(super) fn free(&self, known: &[&str]) -> Vec<usize> {
        let read: Vec<usize> = known
            .iter()
            .filter_map(|ours| self.find(ours)?.column())
            .collect();
        let indices = 0..self.header.len();
        indices.filter(|index| !read.contains(index)).collect()
    }

    /// The columns of the file, in words.
    pub(super) fn listed(&self) -> String {
        listed(self.header.iter())
    }
}

/// A column that is not there.
pub(super) struct Missing<'a> {
    pub(super) ours: &'a str,
    /// The name that the configuration gives it.
    pub(super) theirs: Option<&'a str>,
}

/// Names in words, at most [`MOST_LISTED`] of them.
pub(super) fn listed<'a>(names: impl ExactSizeIterator<Item = &'a String>) -> String {
    let more = names.len().saturating_sub(MOST_LISTED);
    let mut shown: Vec<_> = names.take(MOST_LISTED).map(|name| quote(name)).collect();
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    shown.join(", ")
}

/// The most similar of some names, if any is similar at all.
pub(super) fn nearest<'a>(name: &str, others: impl Iterator<Item = &'a str>) -> Option<&'a str> {
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

/// A name without what people write in different ways: case, spaces, underscores.
pub(super) fn plain(text: &str) -> String {
    let letters = text.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
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
pub(crate) fn toml_key(key: &str) -> String {
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
    Wide(Vec<Field>),
    /// The name of a metric, and its value.
    Tall { metric: Field, value: Field },
    /// The synapses of a body.
    Synapses(Field),
    /// The row itself is what counts.
    Presence,
}

/// Where everything stands in a table.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) shape: TableShape,
    /// What rows are matched with before anything else.
    pub(super) pattern: Option<Pattern>,
    pub(super) cell_type: Field,
    pub(super) region: Field,
    pub(super) side: Field,
    pub(super) hex1: Field,
    pub(super) hex2: Field,
    pub(super) layer: Option<Field>,
    pub(super) body: Option<Field>,
    pub(super) values: Values,
    /// The metrics that rows can have values of, in the order of the configuration.
    pub(super) metrics: Vec<Metric>,
}

impl Layout {
    /// Finds shape and columns. `sample` is looked at to propose what is missing.
    pub(super) fn of(
        header: &[String],
        options: &IngestOptions<'_>,
        sample: &dyn Fn() -> Sample,
    ) -> Result<Self, Objection> {
        let metrics = options.metrics;
        let others = metrics.keys().map(String::as_str);
        let known: Vec<_> = OURS
            .into_iter()
            .chain(others.filter(|metric| !OURS.contains(metric)))
            .collect();
        let names = Names::new(header, &options.table.columns, "table.columns", &known)?;
        let lacking = Lacking {
            missing: names.missing(&needed(&names)),
            counts: !counts(&names, metrics),
        };
        if !lacking.is_nothing() {
            return Err(lacking.objection(&names, options, &known, &sample()));
        }
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
            pattern: names.row_pattern(),
        };
        if layout.body.is_some() {
            layout.bodies(&names, metrics)?;
        } else {
            layout.canonical(&names, metrics);
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

    fn canonical(&mut self, names: &Names<'_>, metrics: &BTreeMap<String, MetricConfig>) {
        if let (Some(metric_column), Some(value)) = (names.find("metric"), names.find("value")) {
            self.values = Values::Tall {
                metric: metric_column,
                value,
            };
            self.metrics = metrics.iter().map(metric).collect();
            return;
        }
        let mut fields = Vec::new();
        for (name, config) in metrics {
            if let Some(field) = names.find(name) {
                fields.push(field);
                self.metrics.push(metric((name, config)));
            }
        }
        self.values = Values::Wide(fields);
    }

    /// The columns of the file that are read.
    pub(super) fn columns(&self) -> Vec<usize> {
        let places = [
            &self.cell_type,
            &self.region,
            &self.side,
            &self.hex1,
            &self.hex2,
        ];
        let values: Vec<&Field> = match &self.values {
            Values::Wide(values) => values.iter().collect(),
            Values::Tall { metric, value } => vec![metric, value],
            Values::Synapses(synapses) => vec![synapses],
            Values::Presence => Vec::new(),
        };
        let fields = places.into_iter().chain(&self.layer).chain(&self.body);
        let mut columns: Vec<usize> = fields
            .chain(values)
            .filter_map(Field::column)
            .chain(self.pattern.as_ref().map(|pattern| pattern.column))
            .collect();
        columns.sort_unstable();
        columns.dedup();
        columns
    }
}

/// The columns that a table needs; which, its others say.
fn needed(names: &Names<'_>) -> Vec<&'static str> {
    let mut needed = NEEDED.to_vec();
    let is_of_bodies = names.find("body_id").is_some();
    if is_of_bodies && names.find("layer").is_some() {
        needed.push("synapses");
    }
    needed
}

/// Whether rows count something.
fn counts(names: &Names<'_>, metrics: &BTreeMap<String, MetricConfig>) -> bool {
    let has = |name: &str| names.find(name).is_some();
    has("body_id") || has("metric") && has("value") || metrics.keys().any(|name| has(name))
}

fn metric((name, config): (&String, &MetricConfig)) -> Metric {
    Metric {
        name: name.clone(),
        kind: config.kind,
        sums_layers: config.sum_layers,
    }
}
