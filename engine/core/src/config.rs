//! The one configuration file, as types. Each field states its effect, its unit and its default.
//!
//! `docs/eyemap.toml` shows every key with its default; a test holds the two together.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    draw::Format,
    model::{Metric, MetricKind, Region},
    plugins::Mode,
};

mod amount;
mod cache;
mod columns;
mod contained;
mod memory;
mod monitor;
mod read;
mod schema;

pub use amount::{Period, Size};
pub use cache::{ArtifactsConfig, CacheConfig, CacheOverride, ResolvedCache};
pub use columns::{ColumnSource, Unmatched};
pub(crate) use columns::{PATTERN_KEY, RowPattern};
pub use contained::ContainedConfig;
pub use memory::MemoryConfig;
pub use monitor::{Limit, MonitorConfig};

pub use crate::cache::CacheMode;
pub use crate::sink::ArchiveKind;
pub use read::{ConfigError, Source};

/// How the table is read: `[table]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TableConfig {
    /// Where columns come from, by our name: `body_id = "bodyId"` is a column of the file,
    /// `region = { value = "ME" }` the same for all rows. Default: columns with our names.
    pub columns: BTreeMap<String, ColumnSource>,
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
    /// Where columns of the atlas file come from, by our name, as in `[table.columns]`. Default: columns
    /// with our names.
    pub columns: BTreeMap<String, ColumnSource>,
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

/// The configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How the table is read.
    pub table: TableConfig,
    /// Which columns exist.
    pub atlas: AtlasConfig,
    /// Regions, with the labels of their layers. Default: the fly's optic lobe.
    pub regions: Vec<RegionConfig>,
    /// Metrics, by name. Default: `synapses` and `cells`.
    pub metrics: BTreeMap<String, MetricConfig>,
    /// Size and orientation of maps.
    pub map: MapConfig,
    /// Colour ranges set by hand, by metric. Default: from the data.
    pub range: BTreeMap<String, RangeConfig>,
    /// The three stages.
    pub stages: StagesConfig,
    /// Which maps are drawn.
    pub select: SelectConfig,
    /// What is written.
    pub output: OutputConfig,
    /// How the work is done.
    pub run: RunConfig,
    /// How much memory it takes.
    pub memory: MemoryConfig,
    /// What is kept.
    pub cache: CacheConfig,
    /// What is measured.
    pub monitor: MonitorConfig,
    /// Where plugins come from.
    pub plugins: PluginsConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            table: TableConfig::default(),
            atlas: AtlasConfig::default(),
            regions: optic_lobe(),
            metrics: counted(),
            map: MapConfig::default(),
            range: BTreeMap::new(),
            stages: StagesConfig::default(),
            select: SelectConfig::default(),
            output: OutputConfig::default(),
            run: RunConfig::default(),
            memory: MemoryConfig::default(),
            cache: CacheConfig::default(),
            monitor: MonitorConfig::default(),
            plugins: PluginsConfig::default(),
        }
    }
}

/// Size and orientation of maps: `[map]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MapConfig {
    /// Circumradius of a hexagon, in px, above 0 and up to 1000. Default: 6.
    pub hex_size_px: f64,
    /// Distance of neighbours relative to touching hexagons, 0.1 to 100. Default: 1.1.
    pub spacing: f64,
    /// How maps are turned: `peer` (the right eye mirrored), `anatomical`, `none`, or a name that the
    /// coordinate plugin knows. Default: `peer`.
    pub orientation: String,
    /// Empty space around the hexagons, in px, 0 to 10000. Default: 10.
    pub margin_px: f64,
    /// Smallest width of the canvas, in px, 0 to 100000. Default: 380.
    pub min_width_px: f64,
    /// Smallest height of the canvas, in px, 0 to 100000. Default: 410.
    pub min_height_px: f64,
    /// Whether two arrows beside the map say where dorsal and anterior lie, where the coordinate plugin
    /// knows. Default: true.
    pub compass: bool,
}

impl Default for MapConfig {
    fn default() -> Self {
        Self {
            hex_size_px: 6.0,
            spacing: 1.1,
            orientation: "peer".into(),
            margin_px: 10.0,
            min_width_px: 380.0,
            min_height_px: 410.0,
            compass: true,
        }
    }
}

/// A colour range set by hand: `[range.METRIC]`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RangeConfig {
    /// `[low, high]` for whole columns. Default: from the data.
    pub whole: Option<[f64; 2]>,
    /// `[low, high]` for layers. Default: from the data.
    pub layer: Option<[f64; 2]>,
}

/// The three stages: `[stages.coordinate]`, `[stages.color]`, `[stages.metadata]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StagesConfig {
    /// Where hexagons lie. Default: `hex-coordinates`.
    pub coordinate: StageConfig,
    /// How they are coloured. Default: `binned-color`.
    pub color: StageConfig,
    /// What is written on the map. Default: `column-metadata`.
    pub metadata: StageConfig,
}

impl Default for StagesConfig {
    fn default() -> Self {
        let mut stages = Self {
            coordinate: StageConfig::default(),
            color: StageConfig::default(),
            metadata: StageConfig::default(),
        };
        stages.name_plugins();
        stages
    }
}

impl StagesConfig {
    /// Gives a stage whose table names no plugin the project's own.
    fn name_plugins(&mut self) {
        let defaults = ["hex-coordinates", "binned-color", "column-metadata"];
        let stages = [&mut self.coordinate, &mut self.color, &mut self.metadata];
        for (stage, default) in stages.into_iter().zip(defaults) {
            if stage.plugin.is_empty() {
                stage.plugin = default.into();
            }
        }
    }
}

/// One stage.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StageConfig {
    /// The plugin: an id, the last part of an id, or a path with a `/`. Default: the project's own.
    pub plugin: String,
    /// The plugin's own table; `eyemap plugin list` shows its keys. Default: empty.
    pub config: serde_json::Map<String, serde_json::Value>,
    /// Side tables for the plugin, by the name it asks for, as files relative to the configuration
    /// file. Default: none.
    pub tables: BTreeMap<String, PathBuf>,
}

/// Which maps are drawn: `[select]`. Filters never change a colour.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SelectConfig {
    /// Cell types, as globs (`T4*`). Default: all.
    pub types: Vec<String>,
    /// Regions. Default: all that the atlas has.
    pub regions: Vec<String>,
    /// Sides, `L` and `R`. Default: all that the atlas has.
    #[schemars(with = "Vec<String>")]
    pub sides: Vec<eyemap_abi::job::Side>,
    /// Metrics. Default: all that the table has.
    pub metrics: Vec<String>,
}

/// What is written: `[output]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OutputConfig {
    /// `svg`, `svg-static`, `png`, `json`. Default: `svg`.
    #[schemars(with = "Vec<String>")]
    pub formats: Vec<Format>,
    /// Pixels of a PNG per px of the map, 0.1 to 8. Default: 1.
    pub scale: f64,
    /// Whether an `index.html` with thumbnails is written. Default: false.
    pub index: bool,
    /// Whether maps go into archives in place of files of their own: `none`, `tar` or `zip`.
    /// Default: `none`.
    pub archive: ArchiveKind,
    /// Maps of an archive, each in all its formats, 1 to 1000000. Default: 1000.
    pub archive_maps: usize,
}

impl OutputConfig {
    /// Maps of an archive, if maps go into archives.
    pub fn archived(&self) -> Option<usize> {
        (self.archive != ArchiveKind::None).then_some(self.archive_maps)
    }
}

impl Default for OutputConfig {
    fn default() -> Self {
        Self {
            formats: vec![Format::Svg],
            scale: 1.0,
            index: false,
            archive: ArchiveKind::None,
            archive_maps: 1000,
        }
    }
}

/// How the work is done: `[run]`. Nothing here changes a picture.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RunConfig {
    /// Number of threads; 0 takes one a core. Default: 0.
    pub jobs: usize,
}

/// Where plugins come from: `[plugins]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PluginsConfig {
    /// Directories that are searched before all others, relative to the configuration file.
    /// Default: none.
    pub path: Vec<PathBuf>,
    /// Locks besides `eyemap-plugins.lock` beside the configuration file, relative to it. What they list
    /// runs in workers, unless their user has accepted them. Default: none.
    pub locks: Vec<PathBuf>,
    /// What plugins in worker processes may use.
    pub contained: ContainedConfig,
    /// Decisions about single plugins, by id. Default: none.
    pub by_id: BTreeMap<String, PluginConfig>,
}

/// A decision about one plugin: `[plugins.by_id."org.example.plugin"]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PluginConfig {
    /// Load it whatever its hash, in a worker, for a plugin that is being written. Default: false.
    pub trust: bool,
    /// `contained` runs it in a worker process, `deny` not at all. `trusted` says that it is made for this
    /// process, where native code can do all that you can do: whether it may is for a lock of yours to say.
    /// Default: in this process for plugins that ship with eyemap and for those that a lock of yours lists
    /// as `in-process`, `contained` for all others.
    pub mode: Option<Mode>,
}

impl Config {
    /// Regions as the model knows them.
    pub fn model_regions(&self) -> Vec<Region> {
        let region = |region: &RegionConfig| Region {
            name: region.name.clone(),
            layer_labels: region.layers.clone(),
        };
        self.regions.iter().map(region).collect()
    }

    /// Metrics as the model knows them.
    pub fn model_metrics(&self) -> Vec<Metric> {
        let metric = |(name, metric): (&String, &MetricConfig)| Metric {
            name: name.clone(),
            kind: metric.kind,
            sums_layers: metric.sum_layers,
        };
        self.metrics.iter().map(metric).collect()
    }

    /// Makes paths relative to the configuration file usable from anywhere.
    fn resolve(&mut self, dir: &Path) {
        let stages = &mut self.stages;
        let tables = [
            &mut stages.coordinate,
            &mut stages.color,
            &mut stages.metadata,
        ]
        .into_iter()
        .flat_map(|stage| stage.tables.values_mut());
        let files = self.atlas.file.iter_mut();
        let paths = files
            .chain(&mut self.cache.artifacts.store)
            .chain(&mut self.memory.scratch)
            .chain(&mut self.plugins.path);
        for path in paths.chain(&mut self.plugins.locks).chain(tables) {
            *path = dir.join(&path);
        }
        let plugins = [
            &mut stages.coordinate.plugin,
            &mut stages.color.plugin,
            &mut stages.metadata.plugin,
        ];
        for plugin in plugins.into_iter().chain(self.cache.policies_mut()) {
            if plugin.contains('/') {
                *plugin = dir.join(&plugin).to_string_lossy().into_owned();
            }
        }
    }
}

impl Config {
    /// Chooses maps and their form: what is said takes the place of what was configured.
    pub fn choose(&mut self, select: &SelectConfig, formats: &[Format], scale: Option<f64>) {
        fn replace<T: Clone>(ours: &mut Vec<T>, theirs: &[T]) {
            if !theirs.is_empty() {
                *ours = theirs.to_vec();
            }
        }
        replace(&mut self.select.types, &select.types);
        replace(&mut self.select.regions, &select.regions);
        replace(&mut self.select.sides, &select.sides);
        replace(&mut self.select.metrics, &select.metrics);
        replace(&mut self.output.formats, formats);
        self.output.scale = scale.unwrap_or(self.output.scale);
    }
}
