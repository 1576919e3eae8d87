//! The three stages as the host sees them: calls go out timed and inside a span, answers come back
//! checked. A stage never sees a file; nothing it returns is believed before it is looked at.

mod color;
mod coordinate;
mod error;
mod metadata;
mod side_tables;

use std::{
    path::Path,
    sync::{
        MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use eyemap_abi::{
    PluginError as AbiError, Table,
    abi_stable::std_types::{RErr, ROk, RResult, RSlice, RStr, RString},
};

pub use color::{ColorStage, Scale};
pub use coordinate::{CoordinateStage, Placed, Placement};
pub use error::StageError;
pub use metadata::{Annotations, MetadataStage, Texts};

use crate::{
    config::StageConfig,
    plugins::{Finder, Plugin, PluginError, clean, utf8},
};

/// Larger maps are refused for a stage that does not promise chunk invariance.
pub const MAX_WHOLE_MAP: usize = 1_000_000;

/// Which stage, in the words of TOML, spans and reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StageName {
    /// Where hexagons lie.
    Coordinate,
    /// How they are coloured.
    Color,
    /// What is written on the map.
    Metadata,
}

impl StageName {
    /// The word: `coordinate`, `color`, `metadata`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Coordinate => "coordinate",
            Self::Color => "color",
            Self::Metadata => "metadata",
        }
    }
}

/// What all three have in common: the plugin behind it, its configuration, and what its calls cost.
#[derive(Debug)]
pub struct Origin {
    /// Which stage it is.
    pub name: StageName,
    /// The plugin.
    pub plugin: &'static Plugin,
    /// Its configuration as canonical JSON (keys sorted).
    pub config: String,
    /// Names and BLAKE3 hashes of its side tables.
    pub tables: Vec<(String, [u8; 32])>,
    calls: AtomicU64,
    spent_ns: AtomicU64,
}

/// What a stage is made of: who changes any of it draws other maps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Which stage it is.
    pub name: StageName,
    /// The plugin's id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its file.
    pub sha256: String,
    /// Its configuration as canonical JSON.
    pub config: String,
    /// Names and BLAKE3 hashes of its side tables.
    pub tables: Vec<(String, [u8; 32])>,
}

impl Identity {
    /// Looks at the files of a stage. None of its code runs.
    ///
    /// # Errors
    /// When there is no such plugin, or a side table cannot be read.
    pub fn look(name: StageName, finder: &Finder, stage: &StageConfig) -> Result<Self, StageError> {
        let (manifest, sha256) = finder
            .look(&stage.plugin)
            .map_err(|source| StageError::Load {
                stage: name,
                source: Box::new(source),
            })?;
        Ok(Self {
            name,
            id: manifest.id,
            version: manifest.version,
            sha256,
            config: canonical(stage),
            tables: side_tables::read(name, &stage.tables)?.hashes(),
        })
    }
}

/// The configuration of a stage as canonical JSON: keys sorted.
fn canonical(stage: &StageConfig) -> String {
    serde_json::Value::Object(stage.config.clone()).to_string()
}

/// One call into a plugin: timed, and alone if the plugin wants that.
struct Call<'a> {
    origin: &'a Origin,
    start: Instant,
    _alone: Option<MutexGuard<'a, ()>>,
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        let nanoseconds = self.start.elapsed().as_nanos();
        // 2^64 ns are 584 years.
        self.origin
            .spent_ns
            .fetch_add(nanoseconds as u64, Ordering::Relaxed);
        self.origin.calls.fetch_add(1, Ordering::Relaxed);
    }
}

impl Origin {
    /// Finds the plugin, reads its side tables and lets it build its stage.
    fn create<S>(
        name: StageName,
        finder: &Finder,
        stage: &StageConfig,
        create: impl FnOnce(
            &'static Plugin,
            RStr<'_>,
            RSlice<'_, Table<'_>>,
        ) -> Result<RResult<S, AbiError>, PluginError>,
    ) -> Result<(Self, S), StageError> {
        let failed = |source| StageError::Load {
            stage: name,
            source: Box::new(source),
        };
        let plugin = finder.load(&stage.plugin).map_err(failed)?;
        let side_tables = side_tables::read(name, &stage.tables)?;
        let origin = Self {
            name,
            plugin,
            config: canonical(stage),
            tables: side_tables.hashes(),
            calls: AtomicU64::new(0),
            spent_ns: AtomicU64::new(0),
        };
        let created = side_tables.lend(|tables| {
            let _call = origin.enter();
            let config = RStr::from_str(&origin.config);
            create(plugin, config, RSlice::from_slice(tables))
        });
        let stage = origin.answer(created.map_err(failed)?)?;
        Ok((origin, stage))
    }

    /// The plugin's id.
    pub fn id(&self) -> &str {
        &self.plugin.manifest.id
    }

    /// What it is made of.
    pub fn identity(&self) -> Identity {
        Identity {
            name: self.name,
            id: self.id().to_owned(),
            version: self.plugin.manifest.version.clone(),
            sha256: self.plugin.sha256.clone(),
            config: self.config.clone(),
            tables: self.tables.clone(),
        }
    }

    /// The plugin's file.
    pub fn path(&self) -> &Path {
        &self.plugin.path
    }

    /// Held around each call of the plugin.
    fn enter(&self) -> Call<'_> {
        let alone = self.plugin.alone();
        Call {
            origin: self,
            start: Instant::now(),
            _alone: alone,
        }
    }

    /// Number of calls so far, and the time spent in them over all threads.
    pub fn spent(&self) -> (u64, Duration) {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (
            load(&self.calls),
            Duration::from_nanos(load(&self.spent_ns)),
        )
    }

    fn answer<T>(&self, answer: RResult<T, AbiError>) -> Result<T, StageError> {
        match answer {
            ROk(value) => Ok(value),
            RErr(error) => Err(StageError::Plugin {
                stage: self.name,
                plugin: self.id().to_owned(),
                error: Box::new(clean(error)),
            }),
        }
    }

    /// Reads a description that the plugin gave as JSON.
    fn describe<T: serde::de::DeserializeOwned>(&self, json: &RString) -> Result<T, StageError> {
        let json = utf8(json).map_err(|what| self.wrong(format!("it {what}")))?;
        serde_json::from_str(json)
            .map_err(|error| self.wrong(format!("its description cannot be read: {error}")))
    }

    /// An answer that the host does not accept.
    fn wrong(&self, message: String) -> StageError {
        StageError::Answer {
            stage: self.name,
            plugin: self.id().to_owned(),
            message,
        }
    }

    fn check_size(&self, elements: usize) -> Result<(), StageError> {
        if self.plugin.manifest.chunk_invariant || elements <= MAX_WHOLE_MAP {
            return Ok(());
        }
        Err(self.wrong(format!(
            "it needs whole maps (it is not chunk-invariant), and {elements} elements are more than {MAX_WHOLE_MAP}"
        )))
    }
}

/// A job as a plugin gets it.
pub(crate) fn to_json(job: &impl serde::Serialize) -> String {
    // Jobs are structs of numbers, text and lists: there is nothing that JSON cannot say.
    serde_json::to_string(job).unwrap_or_default()
}
