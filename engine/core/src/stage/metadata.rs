//! Asks a plugin what is written on a map.

use eyemap_abi::{
    ColumnBatch, MetadataStageBox, PreparedMetadataBox,
    abi_stable::std_types::RStr,
    job::{MetadataDescription, MetadataJob},
};

use super::{Origin, StageError, StageName, to_json};
use crate::{
    config::StageConfig,
    plugins::{Finder, utf8},
};

/// A metadata stage.
pub struct MetadataStage {
    /// The plugin behind it.
    pub origin: Origin,
    stage: MetadataStageBox,
}

/// The texts of one map.
pub struct Texts<'a> {
    stage: &'a MetadataStage,
    prepared: PreparedMetadataBox,
    /// The job, as the plugin got it.
    pub job: String,
    /// Texts and templates.
    pub description: MetadataDescription,
}

/// Tooltips that replace the template's: index in the batch and text, rising.
pub type Annotations = Vec<(usize, String)>;

/// Texts longer than this are a fault.
const MAX_TEXT_BYTES: usize = 64 * 1024;

impl MetadataStage {
    /// Loads the plugin.
    ///
    /// # Errors
    /// When it cannot be loaded or refuses its configuration.
    pub fn load(finder: &Finder, config: &StageConfig) -> Result<Self, StageError> {
        let (origin, stage) = Origin::create(
            StageName::Metadata,
            finder,
            config,
            |plugin, config, tables| plugin.create_metadata(config, tables),
        )?;
        Ok(Self { origin, stage })
    }

    /// Prepares the texts of a map.
    ///
    /// # Errors
    /// When the plugin refuses the job, or names another number of layers than the job has.
    pub fn prepare(&self, job: &MetadataJob) -> Result<Texts<'_>, StageError> {
        let _call = self.origin.enter();
        let json = to_json(job);
        let prepared = self
            .origin
            .answer(self.stage.prepare(RStr::from_str(&json)))?;
        let answer = self.origin.answer(prepared.describe())?;
        if answer.len() > MAX_TEXT_BYTES + json.len() * 16 {
            return Err(self
                .origin
                .wrong(format!("a description of {} bytes", answer.len())));
        }
        let mut description: MetadataDescription = self.origin.describe(&answer)?;
        let (found, expected) = (description.layer_labels.len(), job.layer_labels.len());
        // A map without layers shows no label: a plugin that always names those of its region is right too.
        if expected == 0 {
            description.layer_labels.clear();
        } else if found != expected {
            return Err(self
                .origin
                .wrong(format!("{found} layer labels for {expected} layers")));
        }
        Ok(Texts {
            stage: self,
            prepared,
            job: json,
            description,
        })
    }
}

impl Texts<'_> {
    /// Tooltips that differ from the templates.
    ///
    /// # Errors
    /// When the plugin fails, or names a column twice or one that does not exist.
    pub fn annotate(&self, batch: &ColumnBatch<'_>) -> Result<Annotations, StageError> {
        let origin = &self.stage.origin;
        origin.check_size(batch.hex1.len())?;
        let _call = origin.enter();
        let overrides = origin.answer(self.prepared.annotate(batch))?;
        let mut last = None;
        let mut annotations = Vec::with_capacity(overrides.len());
        for found in overrides {
            let index = found.index as usize;
            if index >= batch.hex1.len() || last.is_some_and(|last| last >= index) {
                return Err(origin.wrong(format!(
                    "a tooltip for column {index} of {}",
                    batch.hex1.len()
                )));
            }
            if found.text.len() > MAX_TEXT_BYTES {
                return Err(origin.wrong(format!("a tooltip of {} bytes", found.text.len())));
            }
            last = Some(index);
            let text = utf8(&found.text).map_err(|what| origin.wrong(format!("it {what}")))?;
            annotations.push((index, text.to_owned()));
        }
        Ok(annotations)
    }
}

impl std::fmt::Debug for Texts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Texts")
            .field("description", &self.description)
            .finish()
    }
}
