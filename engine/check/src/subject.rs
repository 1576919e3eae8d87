//! The library that is asked.

use std::path::{Path, PathBuf};

use eyemap_engine::plugins::{Finder, Manifest, Mode, Plugin, PluginError, Workers, read_manifest};

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
    /// How workers are started, when the plugin shall run in one and not in this process.
    pub workers: Option<Workers>,
    /// Whether the plugin shall find another machine and another day.
    pub elsewhere: bool,
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
            workers: None,
            elsewhere: false,
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
        self.finder()?.load(&self.path.to_string_lossy())
    }

    /// Finds the library, and nothing else; lets it run where [`Self::workers`] says.
    ///
    /// # Errors
    /// When it has no manifest that can be used.
    pub fn finder(&self) -> Result<Finder, PluginError> {
        let mut finder = Finder {
            force: Some(match self.workers {
                Some(_) => Mode::Contained,
                None => Mode::Trusted,
            }),
            workers: self.workers.clone().unwrap_or_default(),
            shown: [(self.path.clone(), self.named.clone())].into(),
            ..Finder::default()
        };
        finder.trust_file(&self.path)?;
        Ok(finder)
    }

    /// An error in one line that names the file as its user did.
    pub fn told(&self, error: &PluginError) -> String {
        self.in_words_of_its_user(&error.to_string(), &self.path)
    }

    /// A text in one line that names the file as its user did, in place of the `path` that it was loaded from.
    pub fn in_words_of_its_user(&self, text: &str, path: &Path) -> String {
        let (own, named) = (path.to_string_lossy(), self.named.to_string_lossy());
        let text = text.replace(&*own, &named);
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}
