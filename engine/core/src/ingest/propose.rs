//! What to write into the configuration when a table lacks columns: all of them in one message, with
//! lines that can be pasted as they are.
//!
//! Proposals follow the names of the columns that are left and the values of the first rows. They are
//! words for people; nothing is read because of them.

use std::collections::BTreeMap;

use regex::Regex;

use super::{
    IngestOptions,
    cell::Cell,
    error::{Objection, clean, quote},
    sample::{Looks, Sample},
    schema::{Missing, Names, nearest, plain, toml_key, toml_text},
};
use crate::{
    config::{PATTERN_KEY, counted},
    model::{Metric, MetricKind},
};

/// What the columns of published tables are called: ours, and theirs without case and underscores.
const ALIASES: [(&str, &[&str]); 8] = [
    (
        "body_id",
        &[
            "rootid",
            "bodyid",
            "ptrootid",
            "bodyidlong",
            "segmentid",
            "neuronid",
            "cellid",
        ],
    ),
    (
        "cell_type",
        &["type", "celltype", "primarytype", "typestring"],
    ),
    ("region", &["neuropil", "area"]),
    ("side", &["hemisphere", "hemi", "somaside"]),
    ("hex1", &["olhex1", "hex1id", "assignedolhex1", "q"]),
    ("hex2", &["olhex2", "hex2id", "assignedolhex2", "p"]),
    ("layer", &["ollayer", "layerid"]),
    (
        "synapses",
        &[
            "totalsynapses",
            "syncount",
            "synapsecount",
            "nsyn",
            "nsynapses",
            "weight",
        ],
    ),
];

/// Columns that the parts of one text give.
const PLACES: [&str; 4] = ["region", "side", "hex1", "hex2"];

/// Most values of a column that a proposal translates.
const MOST_TRANSLATED: usize = 6;

/// What a table lacks.
pub(super) struct Lacking<'a> {
    /// Columns that are not there.
    pub(super) missing: Vec<Missing<'a>>,
    /// Whether nothing is counted: no metric and no body.
    pub(super) counts: bool,
}

impl Lacking<'_> {
    pub(super) fn is_nothing(&self) -> bool {
        self.missing.is_empty() && !self.counts
    }

    /// The objection, with lines to paste.
    pub(super) fn objection(
        &self,
        names: &Names<'_>,
        options: &IngestOptions<'_>,
        known: &[&str],
        sample: &Sample,
    ) -> Objection {
        if options.metrics.is_empty() {
            return Objection::new("no metric is configured")
                .help("write\n[metrics.synapses]\nkind = \"count\"\nsum_layers = true");
        }
        let mut proposal = Proposal {
            names,
            options,
            sample,
            free: names.free(known),
            columns: Vec::new(),
            metric: None,
        };
        proposal.fill(self);
        Objection::new(self.message(names, options)).help(proposal.help(self))
    }

    fn message(&self, names: &Names<'_>, options: &IngestOptions<'_>) -> String {
        let mut parts = Vec::new();
        match self.missing.as_slice() {
            [] => {}
            [Missing { ours, theirs: None }] => parts.push(format!("no column {}", quote(ours))),
            [
                Missing {
                    ours,
                    theirs: Some(theirs),
                },
            ] => parts.push(format!(
                "no column {}, named in [{}] for {ours}",
                quote(theirs),
                names.section
            )),
            several => {
                let shown = several.iter().map(|missing| match missing.theirs {
                    Some(theirs) => format!(
                        "{} (named in [{}] for {})",
                        quote(theirs),
                        names.section,
                        missing.ours
                    ),
                    None => quote(missing.ours),
                });
                parts.push(format!(
                    "no columns {}",
                    shown.collect::<Vec<_>>().join(", ")
                ));
            }
        }
        if self.counts {
            let listed: Vec<_> = options.metrics.keys().map(|name| quote(name)).collect();
            parts.push(format!(
                "no column of a metric ({}) and no \"body_id\"",
                listed.join(", ")
            ));
        }
        parts.join("; ")
    }
}

/// What is proposed.
struct Proposal<'a> {
    names: &'a Names<'a>,
    options: &'a IngestOptions<'a>,
    sample: &'a Sample,
    /// Columns that are neither read nor proposed yet.
    free: Vec<usize>,
    /// Lines of the table of columns: our name and where it comes from.
    columns: Vec<(String, String)>,
    /// A column that can be a metric of its own.
    metric: Option<(String, MetricKind)>,
}

impl Proposal<'_> {
    fn fill(&mut self, lacking: &Lacking<'_>) {
        let lacks = |ours: &str| lacking.missing.iter().any(|missing| missing.ours == ours);
        let by_pattern = PLACES.into_iter().any(lacks) && !lacks(PATTERN_KEY) && self.pattern();
        for missing in &lacking.missing {
            if !(by_pattern && PLACES.contains(&missing.ours)) {
                self.column(missing);
            }
        }
        if lacking.counts {
            self.counted();
        }
    }

    /// Proposes a pattern if a column holds what neuPrint calls columns.
    fn pattern(&mut self) -> bool {
        let Ok(regex) = Regex::new(r"^\w+_[LR]_col_\d+_\d+$") else {
            return false;
        };
        let matches = |index: &usize| self.sample.texts(*index).iter().any(|t| regex.is_match(t));
        let Some(column) = self.free.iter().copied().find(matches) else {
            return false;
        };
        let texts = self.sample.texts(column);
        let unmatched = match texts.iter().all(|text| regex.is_match(text)) {
            true => "",
            false => ", unmatched = \"skip\"",
        };
        let regions = self.options.regions.iter();
        let regions: Vec<_> = regions.map(|region| regex::escape(&region.name)).collect();
        let from = toml_text(&self.names.header[column]);
        let pattern = format!(r"^({})_([LR])_col_(\d+)_(\d+)$", regions.join("|"));
        // Names of regions with a quote or what moves a terminal are not for a literal text.
        let pattern = match pattern.contains('\'') || clean(&pattern) != pattern {
            true => toml_text(&pattern),
            false => format!("'{pattern}'"),
        };
        self.take(
            PATTERN_KEY,
            column,
            format!("{{ from = {from}, pattern = {pattern}{unmatched} }}"),
        );
        true
    }

    /// Proposes where one column comes from.
    fn column(&mut self, missing: &Missing<'_>) {
        let ours = missing.ours;
        if let Some(column) = self.likely(ours, missing.theirs.unwrap_or(ours)) {
            let named = self.translated(ours, column);
            return self.take(ours, column, named);
        }
        let line = match ours {
            "region" => {
                let first = self.options.regions.first();
                let name = first.map_or("ME", |region| region.name.as_str());
                format!("{{ value = {} }}  # the same for all rows", toml_text(name))
            }
            "side" => "{ value = \"R\" }  # the same for all rows".into(),
            _ => toml_text("<its name in the file>"),
        };
        self.columns.push((ours.into(), line));
    }

    fn take(&mut self, ours: &str, column: usize, line: String) {
        self.free.retain(|&index| index != column);
        self.columns.push((ours.into(), line));
    }

    /// The column of the file that is most likely one of ours.
    fn likely(&self, ours: &str, wanted: &str) -> Option<usize> {
        let name = |index: usize| self.names.header[index].as_str();
        if let Some(known) = self.known(ours) {
            return Some(known);
        }
        let free = self.free.iter().map(|&index| name(index));
        let found = nearest(wanted, free)?;
        // One value for all rows is likelier than a column that is only a little like it.
        let is_alike = plain(found).contains(&plain(wanted)) || !["region", "side"].contains(&ours);
        let index = self
            .free
            .iter()
            .copied()
            .find(|&index| name(index) == found);
        index.filter(|_| is_alike)
    }

    /// The column with one of the names that published tables use.
    fn known(&self, ours: &str) -> Option<usize> {
        let (_, aliases) = ALIASES.iter().find(|(name, _)| *name == ours)?;
        let is_one = |index: &usize| {
            let name = plain(&self.names.header[*index]);
            name == plain(ours) || aliases.contains(&name.as_str())
        };
        self.free.iter().copied().find(is_one)
    }

    /// A column as TOML names it, with values that are not ours translated.
    fn translated(&self, ours: &str, column: usize) -> String {
        let named = toml_text(&self.names.header[column]);
        let mut map = BTreeMap::new();
        for text in self.sample.texts(column) {
            if let Some(value) = translation(ours, text, self.options) {
                map.insert(text.clone(), value);
            }
        }
        if map.is_empty() || map.len() > MOST_TRANSLATED {
            return named;
        }
        let pairs = map
            .iter()
            .map(|(theirs, ours)| format!("{} = {}", toml_key(theirs), toml_text(ours)));
        let pairs = pairs.collect::<Vec<_>>().join(", ");
        format!("{{ column = {named}, map = {{ {pairs} }} }}")
    }

    /// Proposes what is counted.
    fn counted(&mut self) {
        let mut found = false;
        for ours in ["body_id", "layer"] {
            let wanted = ours == "body_id" || self.names.find(ours).is_none();
            if let Some(column) = self.known(ours).filter(|_| wanted) {
                found |= ours == "body_id";
                let named = toml_text(&self.names.header[column]);
                self.take(ours, column, named);
            }
        }
        let metrics: Vec<String> = self.options.metrics.keys().rev().cloned().collect();
        for metric in &metrics {
            let header = self.names.header;
            let alike = |index: &usize| resembles(&header[*index], metric);
            let column = self.free.iter().copied().find(alike);
            if let Some(column) = self.known(metric).or(column) {
                found = true;
                let named = toml_text(&header[column]);
                self.take(metric, column, named);
            }
        }
        if !found {
            self.odd_metric(metrics.first());
        }
    }

    /// Proposes a metric for a column of numbers, or else the configured one under its own name.
    fn odd_metric(&mut self, configured: Option<&String>) {
        let looks = |index: usize| self.sample.looks(index);
        let numeric = |index: &usize| looks(*index) != Looks::Other;
        match (self.free.iter().copied().find(numeric), configured) {
            (Some(column), _) => {
                let kind = match looks(column) {
                    Looks::Counts => MetricKind::Count,
                    Looks::Numbers | Looks::Other => MetricKind::Number,
                };
                self.metric = Some((self.names.header[column].clone(), kind));
            }
            (None, Some(metric)) => {
                let line = toml_text("<its name in the file>");
                self.columns.push((metric.clone(), line));
            }
            (None, None) => {}
        }
    }

    fn help(&self, lacking: &Lacking<'_>) -> String {
        let columns: Vec<String> = self
            .columns
            .iter()
            .map(|(ours, line)| format!("\n{} = {line}", toml_key(ours)))
            .collect();
        let mut help = format!("the file has the columns {}", self.names.listed());
        if !columns.is_empty() {
            let plain = |(_, line): &(String, String)| line.starts_with('"');
            let what = match columns.len() {
                1 if self.columns.iter().all(plain) => "to say which one it is",
                1 if lacking.missing.len() < 2 => "to say where it comes from",
                _ => "to say where they come from",
            };
            help += &format!(
                "; {what}, write\n[{}]{}",
                self.names.section,
                columns.concat()
            );
        }
        if let Some((name, kind)) = &self.metric {
            let lead = match columns.is_empty() {
                true => format!("; to draw {}, write", quote(name)),
                false => format!("\n# to draw {}:", quote(name)),
            };
            help += &format!("{lead}\n{}", metric_lines(name, *kind, &[]));
        }
        help
    }
}

/// Our value for one of a file's, if the file's is not ours already and ours can be told.
pub(super) fn translation(ours: &str, text: &str, options: &IngestOptions<'_>) -> Option<String> {
    let word = text.trim_ascii();
    match ours {
        "side" if Cell::Text(text).side().is_err() => match word.chars().next()? {
            'l' | 'L' => Some("L".into()),
            'r' | 'R' => Some("R".into()),
            _ => None,
        },
        "region" if options.regions.iter().all(|region| region.name != text) => {
            let word = word.to_lowercase();
            let names = options.regions.iter().map(|region| &region.name);
            let begins = names.filter(|name| word.starts_with(&name.to_lowercase()));
            begins.max_by_key(|name| name.len()).cloned()
        }
        _ => None,
    }
}

/// Whether a column of a file seems to be a metric under another name.
pub(super) fn resembles(column: &str, metric: &str) -> bool {
    let (column, metric) = (plain(column), plain(metric));
    let one = metric.strip_suffix('s').unwrap_or(&metric);
    let counted = ["count", "counts", "number"].map(|word| format!("{one}{word}"));
    !metric.is_empty()
        && (column == metric
            || column == one
            || column.ends_with(&metric)
            || counted.iter().any(|name| column.ends_with(name)))
}

/// The lines that configure a metric. A configuration with metrics names all, so those that there are
/// without one come with it.
pub(super) fn metric_lines(name: &str, kind: MetricKind, metrics: &[Metric]) -> String {
    let usual = counted();
    let is_usual = metrics
        .iter()
        .all(|metric| usual.contains_key(&metric.name));
    let lines = |name: &str, kind: MetricKind, sums: bool| {
        let kind = match kind {
            MetricKind::Count => "count",
            MetricKind::Number => "number",
        };
        let sums = if sums { "\nsum_layers = true" } else { "" };
        format!("[metrics.{}]\nkind = \"{kind}\"{sums}", toml_key(name))
    };
    let mut all = vec![lines(name, kind, false)];
    if is_usual {
        let others = metrics.iter();
        all.extend(others.map(|metric| lines(&metric.name, metric.kind, metric.sums_layers)));
    }
    all.join("\n")
}
