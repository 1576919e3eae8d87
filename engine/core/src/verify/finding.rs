//! What a comparison found: the one document that reports, CI output and `merge` are made of.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{draw::Format, plan::Shard};

/// Version of the form of [`Findings`].
const FORM: u32 = 1;

/// At most so many differences of one artifact are told one by one; the rest are counted.
pub(super) const TOLD: usize = 200;

/// [`Difference::what`] of a difference that is known by hashes alone.
pub(super) const BY_HASH: &str = "by its hash";

/// All that a comparison found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Findings {
    /// Version of this form, 1.
    pub form: u32,
    /// Version of the engine that drew.
    pub engine: String,
    /// Which part was compared; none for the whole.
    pub shard: Option<Shard>,
    /// Hash of the snapshot directory's manifest: shards that are joined have the same.
    pub manifest: String,
    /// What was allowed to differ; none for an exact comparison.
    pub tolerance: Option<Tolerance>,
    /// How many artifacts ended how.
    pub amounts: Amounts,
    /// Whatever is not as approved, by path.
    pub findings: Vec<Finding>,
    /// Artifacts of this part that were approved and that nothing drew: `merge` decides whether they are
    /// orphans. Empty for the whole.
    pub undecided: Vec<String>,
    /// What the user should know besides.
    pub notes: Vec<String>,
}

/// How many artifacts ended how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amounts {
    /// Artifacts drawn and compared.
    pub compared: u64,
    /// Equal, byte by byte.
    pub same: u64,
    /// Not equal, and within the tolerance that was asked for.
    pub within_tolerance: u64,
    /// Not as approved.
    pub differ: u64,
    /// Not drawn, because of an error.
    pub failed: u64,
    /// Drawn, and never approved; or approved, and the kept picture is gone.
    pub missing: u64,
    /// Approved, and nothing draws it any more.
    pub orphaned: u64,
    /// Approved, and the reference cannot be used.
    pub damaged: u64,
}

/// What may differ. Every use is recorded in the [`Findings`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tolerance {
    /// A colour may differ by so many of 255 steps in each channel.
    pub color: u8,
    /// A hexagon's centre may lie so many px beside.
    pub place_px: f64,
    /// Whether it was used although it hides a step of the palette.
    pub forced: bool,
}

/// One artifact that is not as approved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Its name: where `render` would write it, `ME_R/synapses/Tm3.svg`.
    pub path: String,
    /// Which map it is; none if nothing draws it any more.
    pub map: Option<MapName>,
    /// Its format; none if the path tells none.
    pub format: Option<Format>,
    /// What is wrong.
    pub verdict: Verdict,
    /// The level that told what is different; none without a difference.
    pub level: Option<Level>,
    /// What is wrong, in one sentence, in the words of the field.
    pub message: String,
    /// The first differences, those that explain most before others.
    pub differences: Vec<Difference>,
    /// Number of all differences; those that were not told included.
    pub n_differences: u64,
    /// What differs as pixels, if pixels were compared.
    pub pixels: Option<PixelDifference>,
    /// Hash of the bytes that were approved when this was found; none if nothing was.
    pub approved: Option<String>,
    /// The approved picture, relative to the snapshot directory; none if only its hashes are kept.
    pub reference: Option<String>,
    /// The new picture, relative to the directory of pending files, or below `pictures/` in the output
    /// directory where only its hashes will be kept; none if nothing was drawn or written.
    pub pending: Option<String>,
}

/// A map by its names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MapName {
    /// Cell type.
    pub cell_type: String,
    /// Region.
    pub region: String,
    /// Side of the brain: `L` or `R`.
    pub side: String,
    /// Metric.
    pub metric: String,
}

/// What is wrong with an artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It could not be drawn.
    Failed,
    /// It is not as approved.
    Differs,
    /// Its reference cannot be used.
    Damaged,
    /// It was never approved, or its kept picture is gone.
    Missing,
    /// It was approved, and nothing draws it any more.
    Orphaned,
}

/// How deep a comparison went until it could tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The bytes differ and nothing that is seen does, or no more is known.
    Bytes,
    /// Columns, layers, labels or the legend differ.
    Structure,
    /// Pixels differ.
    Pixels,
}

/// What a difference is about. The order is that of explanation: what comes first tends to be the cause
/// of what comes later. What columns are comes before the texts that count them and the scale that spans
/// their values; colours of values that are the same come after that scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The same map drawn again, in another way that must not matter.
    Unstable,
    /// What a plugin answers to one of the golden questions.
    Answer,
    /// The constant script.
    Script,
    /// A column that is there in one picture only.
    Column,
    /// Where a hexagon lies.
    Place,
    /// The outline of a hexagon.
    Shape,
    /// Whether a column has data, has none, is not in the region or is unknown.
    Status,
    /// The value of a whole column.
    Value,
    /// The value of a layer.
    LayerValue,
    /// The size of the canvas.
    Canvas,
    /// A tick, a label, a colour or the title of a legend.
    Legend,
    /// The title, for whole columns or for a layer.
    Title,
    /// Another text, line or mark beside the hexagons: subject, guides, buttons, description.
    Label,
    /// The text that tooltips are made from.
    Template,
    /// The colour of a whole column whose value is the same.
    Color,
    /// The colour of a layer whose value is the same.
    LayerColor,
    /// The tooltip of one hexagon, whose template and values are the same.
    Tooltip,
    /// Pixels, where nothing else is known.
    Pixels,
    /// How it is written; nothing that is seen differs.
    Writing,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// What it is about.
    pub kind: Kind,
    /// The column, `[hex1, hex2]`; none if it is about the whole map.
    pub column: Option<[i32; 2]>,
    /// The label of the layer; none for whole columns.
    pub layer: Option<String>,
    /// Which of several things of its kind: `tick 3`, `label 2`, `has data`. May be empty.
    pub what: String,
    /// What was approved.
    pub before: String,
    /// What there is now.
    pub after: String,
    /// Fills of the hexagon, then and now, `#rrggbb`; none where there is no hexagon.
    pub fills: Option<[String; 2]>,
    /// Centre of the hexagon in px from the upper left corner of the canvas, as it is now or, if it is
    /// gone, as it was.
    pub at: Option<[f64; 2]>,
}

/// Two pictures, pixel by pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PixelDifference {
    /// Number of pixels that differ by more than the tolerance.
    pub count: u64,
    /// Number of pixels of the larger picture.
    pub of: u64,
    /// Smallest rectangle that holds them: left, top, width, height in pixels.
    pub bounds: [u32; 4],
    /// Largest difference of a channel, 1 to 255.
    pub largest: u8,
}

impl Findings {
    /// Nothing found yet.
    pub fn new(manifest: String, shard: Option<Shard>, tolerance: Option<Tolerance>) -> Self {
        Self {
            form: FORM,
            engine: env!("CARGO_PKG_VERSION").into(),
            shard,
            manifest,
            tolerance,
            amounts: Amounts::default(),
            findings: Vec::new(),
            undecided: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Leaves out findings that were accepted: their artifacts are as approved now, or approved no more.
    pub(super) fn settle(&mut self, accepted: &BTreeSet<String>) {
        let settled = self
            .findings
            .extract_if(.., |finding| accepted.contains(&finding.path));
        for finding in settled {
            *self.amounts.counter(finding.verdict) -= 1;
            self.amounts.same += u64::from(finding.verdict != Verdict::Orphaned);
        }
    }

    /// Whether this is a form that can be read.
    pub const fn is_known_form(&self) -> bool {
        self.form == FORM
    }

    /// Whether everything is as approved.
    pub const fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}

impl Finding {
    /// An artifact of which a verdict is all that is known.
    pub fn bare(path: String, verdict: Verdict) -> Self {
        Self {
            path,
            map: None,
            format: None,
            verdict,
            level: None,
            message: String::new(),
            differences: Vec::new(),
            n_differences: 0,
            pixels: None,
            approved: None,
            reference: None,
            pending: None,
        }
    }
}

impl Amounts {
    /// Adds the amounts of another part.
    pub const fn add(&mut self, other: &Self) {
        self.compared += other.compared;
        self.same += other.same;
        self.within_tolerance += other.within_tolerance;
        self.differ += other.differ;
        self.failed += other.failed;
        self.missing += other.missing;
        self.orphaned += other.orphaned;
        self.damaged += other.damaged;
    }

    /// Counts a verdict.
    pub const fn count(&mut self, verdict: Verdict) {
        *self.counter(verdict) += 1;
    }

    const fn counter(&mut self, verdict: Verdict) -> &mut u64 {
        match verdict {
            Verdict::Failed => &mut self.failed,
            Verdict::Differs => &mut self.differ,
            Verdict::Damaged => &mut self.damaged,
            Verdict::Missing => &mut self.missing,
            Verdict::Orphaned => &mut self.orphaned,
        }
    }
}

impl Kind {
    /// Whether each map can have one of its own, so that what differs says little about other maps.
    pub const fn is_of_hexagons(self) -> bool {
        matches!(
            self,
            Self::Column
                | Self::Place
                | Self::Shape
                | Self::Status
                | Self::Value
                | Self::LayerValue
                | Self::Color
                | Self::LayerColor
                | Self::Tooltip
        )
    }

    /// What it is called, in the plural where a map has many.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unstable => "drawn again, something else",
            Self::Answer => "answers of the plugin",
            Self::Canvas => "size of the canvas",
            Self::Script => "script",
            Self::Legend => "legend",
            Self::Title => "title",
            Self::Label => "labels and lines",
            Self::Template => "tooltips, by their template",
            Self::Column => "which columns there are",
            Self::Place => "places of hexagons",
            Self::Shape => "outlines of hexagons",
            Self::Status => "statuses of columns",
            Self::Value => "values of columns",
            Self::LayerValue => "values of layers",
            Self::Color => "colours of columns",
            Self::LayerColor => "colours of layers",
            Self::Tooltip => "tooltips of single hexagons",
            Self::Pixels => "pixels",
            Self::Writing => "how it is written; it looks the same",
        }
    }
}

impl Difference {
    /// It in one line: `column 29,20 layer 4: 7 (bin 2) -> 12 (bin 3)`.
    pub fn line(&self) -> String {
        let mut place = String::new();
        if let Some([hex1, hex2]) = self.column {
            place = format!("column {hex1},{hex2}");
        }
        if let Some(layer) = &self.layer {
            let gap = if place.is_empty() { "" } else { " " };
            place = format!("{place}{gap}layer {layer}");
        }
        let subject = match self.kind {
            Kind::Unstable => "drawn again",
            Kind::Answer => "answer",
            Kind::Canvas => "canvas",
            Kind::Script => "script",
            Kind::Legend => "legend",
            Kind::Title => "title",
            Kind::Label => "label",
            Kind::Template => "tooltip template",
            Kind::Place => "place",
            Kind::Shape => "outline",
            Kind::Color | Kind::LayerColor => "colour",
            Kind::Tooltip => "tooltip",
            Kind::Pixels => "pixels",
            Kind::Writing => "writing",
            Kind::Column | Kind::Status | Kind::Value | Kind::LayerValue => "",
        };
        let words = [place.as_str(), subject, self.what.as_str()];
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        format!("{}: {} -> {}", words.join(" "), self.before, self.after)
    }
}

impl std::fmt::Display for MapName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            cell_type,
            region,
            side,
            metric,
        } = self;
        write!(f, "{cell_type} {region} {side} {metric}")
    }
}
