//! The library that is asked.

use std::path::{Path, PathBuf};

use eyemap_engine::plugins::{Finder, Manifest, Plugin, PluginError, read_manifest};

use crate::Outcome;

/// A library under check, as each child sees it.
#[derive(Debug)]
pub struct Subject {
    /// The file, to load it from: in a child, checked bytes in memory that nobody can change.
    pub path: PathBuf,
    /// The file that its user named: for messages, and for what is beside it.
    pub named: PathBuf,
    /// Its bytes, read once.
    pub bytes: Vec<u8>,
    /// Where random inputs start: the same seed asks the same questions.
    pub seed: u64,
}

impl Subject {
    /// Reads the file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(path: PathBuf, seed: u64) -> std::io::Result<Self> {
        let bytes = std::fs::read(&path)?;
        Ok(Self {
            named: path.clone(),
            path,
            bytes,
            seed,
        })
    }

    /// The manifest in the file, without running it.
    ///
    /// # Errors
    /// When there is none that can be used.
    pub fn manifest(&self) -> Result<Manifest, PluginError> {
        read_manifest(&self.path, &self.bytes)
    }

    /// Loads the library into this process.
    ///
    /// # Errors
    /// When it cannot be loaded; a check of something else is skipped then, as another check says why.
    pub fn plugin(&self) -> Result<&'static Plugin, Outcome> {
        self.load().map_err(|error| {
            Outcome::skipped(format!("it cannot be loaded: {}", self.told(&error)))
        })
    }

    /// Loads the library into this process.
    ///
    /// # Errors
    /// When it cannot be loaded.
    pub fn load(&self) -> Result<&'static Plugin, PluginError> {
        load(&self.path)
    }

    /// An error in one line that names the file as its user did.
    pub fn told(&self, error: &PluginError) -> String {
        let (own, named) = (self.path.to_string_lossy(), self.named.to_string_lossy());
        let text = error.to_string().replace(&*own, &named);
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// Loads the bytes that a file has now.
pub(crate) fn load(path: &Path) -> Result<&'static Plugin, PluginError> {
    let mut finder = Finder::default();
    finder.trust_file(path)?;
    finder.load(&path.to_string_lossy())
}
