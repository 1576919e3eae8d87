//! `plan.json`: what would be drawn from what, so that machines that share the work agree.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use eyemap_abi::job::Side;
use serde::{Deserialize, Serialize};

use crate::{
    config::{Config, OutputConfig, RangeConfig, SelectConfig},
    draw::{Format, WRITER_VERSION},
    fingerprint::Hash,
    sink::state,
    stage::Identity,
};

const FORM: u32 = 1;
/// A larger file is no plan: it would name a million cell types and more.
const MOST_BYTES: u64 = 256 << 20;

/// A file that maps are drawn from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Where it was.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// BLAKE3 of its bytes, in hexadecimal digits.
    pub blake3: String,
}

/// A plugin that draws.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// `coordinate`, `color` or `metadata`.
    pub stage: String,
    /// The plugin's id and version.
    pub plugin: String,
    /// A hash of its file, its configuration and its side tables.
    pub hash: String,
}

/// The maps, as a product: every cell type in every place for every metric in every format.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Product {
    /// Regions and sides.
    pub places: Vec<(String, Side)>,
    /// Metrics.
    pub metrics: Vec<String>,
    /// Formats.
    pub formats: Vec<Format>,
    /// Cell types, rising.
    pub cell_types: Vec<String>,
}

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Amount {
    /// Cell types.
    pub cell_types: u64,
    /// Maps, whatever their formats.
    pub maps: u64,
    /// Those of them that no column has data for.
    pub blank: u64,
    /// Bytes of all formats, estimated.
    pub bytes: u64,
}

/// One shard of those that are suggested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardAmount {
    /// Its number, from 1.
    pub shard: u32,
    /// Its first cell type; none in an empty one.
    pub first: Option<String>,
    /// Its last cell type.
    pub last: Option<String>,
    /// How much it draws.
    #[serde(flatten)]
    pub amount: Amount,
}

/// What the configuration says of what is drawn, with the arguments in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// Which maps.
    pub select: SelectConfig,
    /// In which form.
    pub output: OutputConfig,
    /// Colour ranges set by hand.
    pub range: std::collections::BTreeMap<String, RangeConfig>,
}

/// A plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanFile {
    /// 1; another number is another form.
    pub form: u32,
    /// Version of the engine and of its writers.
    pub engine: String,
    /// How much is drawn.
    #[serde(flatten)]
    pub amount: Amount,
    /// Bytes that a shard should have; none if nobody asked.
    pub shard_bytes: Option<u64>,
    /// The shards that are suggested.
    pub shards: Vec<ShardAmount>,
    /// The tables.
    pub tables: Vec<Source>,
    /// The table of columns that exist.
    pub atlas: Option<Source>,
    /// The configuration file.
    pub config: Option<PathBuf>,
    /// A hash of the rest of the configuration that reaches a picture.
    pub configuration: String,
    /// The plugins.
    pub plugins: Vec<Stage>,
    /// What was chosen.
    pub choice: Choice,
    /// The maps.
    pub product: Product,
}

/// Why a plan cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// A file cannot be read or written.
    #[error("cannot use {}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is damaged or of another form.
    #[error("{} is no plan of this engine: {reason}", .path.display())]
    Damaged {
        /// The plan.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// What it was made from is different now.
    #[error("{what} changed since the plan was made")]
    Changed {
        /// What.
        what: String,
    },
}

impl PlanError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Io { .. } => "check that the file is there and can be read".into(),
            Self::Damaged { .. } => "make it anew with `eyemap plan`".into(),
            Self::Changed { .. } => {
                "plan again with `eyemap plan`, and draw every shard from the new plan".into()
            }
        }
    }
}

/// Version of what draws: the engine and its writers.
pub(super) fn engine() -> String {
    format!("{} writer {WRITER_VERSION}", env!("CARGO_PKG_VERSION"))
}

impl PlanFile {
    /// The number that a plan of this engine has for its form.
    pub const FORM: u32 = FORM;

    /// Reads a plan.
    ///
    /// # Errors
    /// When it cannot be read, is damaged, or has another form.
    pub fn read(path: &Path) -> Result<Self, PlanError> {
        let text = state::read(path, MOST_BYTES).map_err(io_error(path))?;
        let damaged = |reason: String| PlanError::Damaged {
            path: path.into(),
            reason,
        };
        let value: serde_json::Value =
            serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
        match &value["form"] {
            form if *form == FORM => {}
            form => {
                let reason = format!("it has form {form}, this engine knows {FORM}");
                return Err(damaged(reason));
            }
        }
        serde_json::from_value(value).map_err(|error| damaged(error.to_string()))
    }

    /// Whether tables and atlas are those of the plan, by their bytes: where they lie does not matter.
    ///
    /// # Errors
    /// Names the first one that changed.
    pub fn check_sources(&self, tables: &[PathBuf], atlas: Option<&Path>) -> Result<(), PlanError> {
        let changed = |what: String| PlanError::Changed { what };
        if tables.len() != self.tables.len() {
            let (now, then) = (tables.len(), self.tables.len());
            return Err(changed(format!("the number of tables ({now}, not {then})")));
        }
        for (planned, path) in self.tables.iter().zip(tables) {
            if !planned.is(&Source::of(path)?) {
                return Err(changed(format!("the table {}", path.display())));
            }
        }
        match (&self.atlas, atlas) {
            (None, None) => Ok(()),
            (Some(planned), Some(path)) if planned.is(&Source::of(path)?) => Ok(()),
            (_, Some(path)) => Err(changed(format!("the atlas {}", path.display()))),
            (Some(_), None) => Err(changed(
                "the atlas, which is gone from the arguments,".into(),
            )),
        }
    }

    /// Whether engine, configuration and plugins are those of the plan.
    ///
    /// # Errors
    /// Names the first one that changed.
    pub fn check_stages(&self, config: &Config, stages: &[Identity; 3]) -> Result<(), PlanError> {
        let changed = |what: String| Err(PlanError::Changed { what });
        if self.engine != engine() {
            return changed(format!("the engine ({}, not {})", engine(), self.engine));
        }
        let now = Stage::all(stages);
        if now != self.plugins {
            return changed(changed_stage(&now, &self.plugins));
        }
        if self.configuration != configuration(config) {
            let path = self.config.as_deref().unwrap_or(Path::new("the defaults"));
            return changed(format!("the configuration ({})", path.display()));
        }
        Ok(())
    }
}

impl Source {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(path: &Path) -> Result<Self, PlanError> {
        let mut hasher = blake3::Hasher::new();
        let mut file = File::open(path).map_err(io_error(path))?;
        let bytes = io::copy(&mut file, &mut hasher).map_err(io_error(path))?;
        Ok(Self {
            path: std::path::absolute(path).unwrap_or_else(|_| path.into()),
            bytes,
            blake3: hasher.finalize().to_hex().to_string(),
        })
    }

    fn is(&self, other: &Self) -> bool {
        self.bytes == other.bytes && self.blake3 == other.blake3
    }
}

impl Choice {
    /// What a configuration chooses.
    pub fn of(config: &Config) -> Self {
        Self {
            select: config.select.clone(),
            output: config.output.clone(),
            range: config.range.clone(),
        }
    }

    /// Puts the choice into a configuration.
    pub fn apply(&self, config: &mut Config) {
        config.select = self.select.clone();
        config.output = self.output.clone();
        config.range = self.range.clone();
    }
}

impl Stage {
    /// What a plan says of all stages.
    pub(super) fn all(stages: &[Identity; 3]) -> Vec<Self> {
        stages.iter().map(Self::of).collect()
    }

    /// What a plan says of a stage.
    pub(super) fn of(stage: &Identity) -> Self {
        Self {
            stage: stage.name.word().into(),
            plugin: format!("{} {}", stage.id, stage.version),
            hash: Hash::of_stage(stage).finish().to_string(),
        }
    }
}

/// Names the first plugin that is another.
pub(super) fn changed_stage(now: &[Stage], then: &[Stage]) -> String {
    let mut pairs = now.iter().zip(then);
    match pairs.find(|(now, then)| now != then) {
        Some((now, _)) => format!(
            "the {} plugin ({}), its file, configuration or side tables",
            now.stage, now.plugin
        ),
        None => "the number of plugins".into(),
    }
}

/// A hash of what a configuration says of pictures, beside the choice. Paths do not count: what they
/// lead to is compared by itself.
pub(super) fn configuration(config: &Config) -> String {
    let plain = Config::default();
    let mut config = Config {
        select: plain.select,
        output: plain.output,
        range: plain.range,
        run: plain.run,
        memory: plain.memory,
        cache: plain.cache,
        monitor: plain.monitor,
        plugins: plain.plugins,
        ..config.clone()
    };
    config.atlas.file = None;
    let stages = &mut config.stages;
    for stage in [
        &mut stages.coordinate,
        &mut stages.color,
        &mut stages.metadata,
    ] {
        stage.plugin.clear();
        stage.tables.clear();
    }
    let mut hash = Hash::new();
    // A configuration was read from text, so it can be written as text.
    hash.text(&serde_json::to_string(&config).unwrap_or_default());
    hash.finish().to_string()
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> PlanError + use<> {
    let path = path.to_owned();
    move |source| PlanError::Io {
        path: path.clone(),
        source,
    }
}
