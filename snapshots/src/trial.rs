//! A small table, and any plugins as the stages that draw it.

use std::path::{Path, PathBuf};

use eyemap_engine::{
    Side,
    config::{Config, StageConfig},
    dataset::Dataset,
    ingest::{IngestOptions, read_dataset},
    pipeline::{Pipeline, Request, Scene},
    plugins::{Finder, Mode, read_manifest},
    stage::{StageError, StageName},
};

/// A library that cargo built as an example of the SDK or of the fixtures.
///
/// # Panics
/// When it was not built.
pub fn example(name: &str) -> PathBuf {
    let path = crate::build_dir()
        .join("examples")
        .join(crate::library(name));
    assert!(
        path.exists(),
        "{} is missing: {}",
        path.display(),
        crate::HOW
    );
    path
}

/// The three stages of the bundle, any of which can be replaced.
pub struct Trial {
    /// The configuration.
    pub config: Config,
    /// The bundle, and the ids of what replaced its stages.
    pub finder: Finder,
}

impl Default for Trial {
    fn default() -> Self {
        Self {
            config: Config::default(),
            finder: crate::finder(),
        }
    }
}

impl Trial {
    /// The stage that has this name.
    pub fn stage(&mut self, stage: StageName) -> &mut StageConfig {
        let stages = &mut self.config.stages;
        match stage {
            StageName::Coordinate => &mut stages.coordinate,
            StageName::Color => &mut stages.color,
            StageName::Metadata => &mut stages.metadata,
        }
    }

    /// Puts an example in place of a stage, lets it run in this process and configures it with JSON.
    ///
    /// # Panics
    /// When the example was not built, or the JSON is no object.
    #[must_use]
    pub fn with(mut self, stage: StageName, name: &str, config: serde_json::Value) -> Self {
        let path = example(name);
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{error}"));
        let manifest = read_manifest(&path, &bytes).unwrap_or_else(|error| panic!("{error}"));
        self.finder.modes.insert(manifest.id.clone(), Mode::Trusted);
        self.finder.trusted.insert(manifest.id);
        let stage = self.stage(stage);
        stage.plugin = path.to_string_lossy().into_owned();
        stage.config = serde_json::from_value(config).unwrap_or_else(|error| panic!("{error}"));
        self
    }

    /// Loads the stages.
    ///
    /// # Errors
    /// When one of them cannot be loaded or refuses its configuration.
    pub fn pipeline(&self) -> Result<Pipeline, StageError> {
        Pipeline::load(&self.config, &self.finder)
    }

    /// Draws the first cell type, in the first region in which it has rows, on one side.
    ///
    /// # Errors
    /// When a stage fails.
    ///
    /// # Panics
    /// When the table is empty.
    pub fn draw(&self, table: &Dataset, side: Side) -> Result<Scene, StageError> {
        let pipeline = self.pipeline()?;
        let request = Request {
            cell_type: 0,
            region: table.types[0].parts[0].region,
            side,
            metric: 0,
        };
        pipeline.maps(table).scene(request)
    }
}

/// Reads a table from CSV text; its atlas is derived.
///
/// # Panics
/// When it is no table.
pub fn dataset(csv: &str) -> Dataset {
    let dir = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let path = dir.path().join("table.csv");
    std::fs::write(&path, csv).unwrap_or_else(|error| panic!("{error}"));
    dataset_from(&path)
}

/// Reads a table from a file; its atlas is derived.
///
/// # Panics
/// When it is no table.
pub fn dataset_from(path: &Path) -> Dataset {
    let config = Config::default();
    read_dataset(&[path.to_owned()], &IngestOptions::of(&config))
        .unwrap_or_else(|error| panic!("{error}"))
}

/// Rows of whole columns of `Tm1` in LOP, right, at `hex1 = 10 + i`, `hex2 = 10`, one a value.
pub fn row_of_values(values: &[f64]) -> Dataset {
    let mut csv = String::from("cell_type,region,side,hex1,hex2,layer,synapses\n");
    for (i, value) in values.iter().enumerate() {
        csv.push_str(&format!("Tm1,LOP,R,{},10,0,{value}\n", 10 + i));
    }
    dataset(&csv)
}
