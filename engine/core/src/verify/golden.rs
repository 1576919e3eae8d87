//! Golden vectors: what a plugin answers to fixed inputs, as text for version control.
//!
//! An author of a plugin wants to know that a change of the code changed nothing else. Each stage of a
//! library is asked the same questions, written in this module and the same for everybody; questions and
//! answers are lines of text, so a difference reads well in a review. Refusals of a job are answers too.
//!
//! A plugin that panics, that gives answers which the host cannot use, or that answers otherwise when it
//! is asked again or in other batches has no golden vectors: that is an error, which says what differs.

mod color;
mod compare;
mod coordinate;
mod lines;
mod metadata;
mod policy;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

pub use compare::{GoldenDifference, compare_text};
use lines::{Lines, Unanswered};

/// The jobs of the questions, for those who ask a stage in other ways.
pub mod jobs {
    pub use super::{
        color::jobs as color, coordinate::jobs as coordinate, metadata::jobs as metadata,
    };
}

use super::ci::plain;
use crate::{
    config::StageConfig,
    plugins::{Extension, Finder, Plugin, PluginError},
    stage::StageError,
};

/// Version of the questions. Raised when any of them changes: all vectors change with it.
const FORM: u32 = 2;
/// Batches in which a stage is asked again: none of them may change an answer.
const BATCHES: [usize; 2] = [1, 7];
/// Longest name of a configuration.
const MAX_NAME: usize = 64;

/// The vectors of one stage with one configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoldenFile {
    /// Stage and configuration, `color.default`: letters, digits, `-`, `_` and one dot.
    pub name: String,
    /// The vectors, below 30 kB for plugins with texts of usual length; ends with a line break.
    pub text: String,
}

/// A configuration with which a plugin is asked.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GoldenConfig {
    /// Its name in file names: 1 to 64 of `a` to `z`, `0` to `9`, `-`, `_`. `default` is the empty
    /// configuration, which is always there.
    pub name: String,
    /// The plugin's own table.
    pub config: serde_json::Map<String, serde_json::Value>,
    /// Side tables, by the name that the plugin asks for.
    pub tables: BTreeMap<String, PathBuf>,
}

/// Why there are no golden vectors.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GoldenError {
    /// The library cannot be loaded.
    #[error("there are no golden vectors of {library}")]
    Plugin {
        /// As it was asked for.
        library: String,
        /// Why.
        source: Box<PluginError>,
    },
    /// The library has no extension that can be asked.
    #[error("{id} exports nothing that has golden vectors")]
    Nothing {
        /// The plugin.
        id: String,
    },
    /// The name of a configuration cannot be part of a file name, or is there twice.
    #[error("a configuration cannot be called {name:?}: {reason}")]
    Name {
        /// The name.
        name: String,
        /// Why not.
        reason: &'static str,
    },
    /// A stage failed where it may not.
    #[error("{name}: no answer to {question:?}")]
    Stage {
        /// Stage and configuration.
        name: String,
        /// What was asked.
        question: String,
        /// What went wrong.
        source: Box<StageError>,
    },
    /// A cache policy failed while it was used.
    #[error("{name}: no answer to {question:?}: {reason}")]
    Policy {
        /// Extension and configuration.
        name: String,
        /// What was asked.
        question: String,
        /// What went wrong.
        reason: String,
    },
    /// The answers depend on more than the questions.
    #[error("{name} gives other answers {when}: {difference}")]
    Unstable {
        /// Stage and configuration.
        name: String,
        /// `when asked again`, `in batches of 7`.
        when: String,
        /// The first answer that differs.
        difference: String,
    },
}

impl GoldenError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Plugin { source, .. } => source.help(),
            Self::Nothing { .. } => {
                "golden vectors are of coordinate, color and metadata stages and of cache policies"
                    .into()
            }
            Self::Name { .. } => "use 1 to 64 of a-z, 0-9, - and _, each name once".into(),
            Self::Stage { source, .. } => source.help().unwrap_or_default(),
            Self::Policy { .. } => "this is a fault of the plugin: report it to its author".into(),
            Self::Unstable { when, .. } if when.starts_with("in batches") => {
                "an answer for one column may not depend on others of its batch; if it must, set \
                 `chunk_invariant: false` in `export_plugin!`"
                    .into()
            }
            Self::Unstable { .. } => {
                "answers may depend on configuration, job and values alone: look for clocks, random \
                 numbers, the order of hash maps and state that is kept between calls"
                    .into()
            }
        }
    }
}

/// Asks every stage of a library, with its default configuration and with those given, and returns what
/// it answers: by stage (coordinate, color, metadata, cache), then by configuration in the order given.
///
/// `library` is an id, or a path with a `/`; the finder has to trust it ([`Finder::trust_file`] for a
/// file that the user names). Every stage is built and asked twice and, where the plugin promises that
/// batches do not matter, in batches of 1 and of 7 too. It runs where the finder says: a file that is only
/// named runs in a worker, with a limit of time for each call.
///
/// # Errors
/// When the library cannot be loaded, a stage panics or gives answers that the host cannot use, or
/// answers are not the same each time.
pub fn vectors(
    finder: &Finder,
    library: &str,
    configs: &[GoldenConfig],
) -> Result<Vec<GoldenFile>, GoldenError> {
    check_names(configs)?;
    let plugin = finder.load(library).map_err(|source| GoldenError::Plugin {
        library: library.to_owned(),
        source: Box::new(source),
    })?;
    let default = GoldenConfig {
        name: "default".into(),
        ..Default::default()
    };
    let mut files = Vec::new();
    for asked in Asked::ALL.into_iter().filter(|asked| asked.is_of(plugin)) {
        for config in std::iter::once(&default).chain(configs) {
            let question = Question {
                finder,
                library,
                plugin,
                asked,
                config,
            };
            files.push(question.file()?);
        }
    }
    if files.is_empty() {
        let id = plugin.manifest.id.clone();
        return Err(GoldenError::Nothing { id });
    }
    Ok(files)
}

fn check_names(configs: &[GoldenConfig]) -> Result<(), GoldenError> {
    let mut seen = BTreeSet::from(["default"]);
    for GoldenConfig { name, .. } in configs {
        let refused = |reason| {
            Err(GoldenError::Name {
                name: plain(name, MAX_NAME),
                reason,
            })
        };
        let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
        if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(fine) {
            return refused("it cannot be part of a file name everywhere");
        }
        if !seen.insert(name) {
            return refused("there is one of this name");
        }
    }
    Ok(())
}

/// An extension that can be asked.
#[derive(Debug, Clone, Copy)]
enum Asked {
    Coordinate,
    Color,
    Metadata,
    Cache,
}

impl Asked {
    const ALL: [Self; 4] = [Self::Coordinate, Self::Color, Self::Metadata, Self::Cache];

    const fn word(self) -> &'static str {
        match self {
            Self::Coordinate => "coordinate",
            Self::Color => "color",
            Self::Metadata => "metadata",
            Self::Cache => "cache",
        }
    }

    const fn id(self) -> &'static str {
        match self {
            Self::Coordinate => eyemap_abi::CoordinateExtension::ID,
            Self::Color => eyemap_abi::ColorExtension::ID,
            Self::Metadata => eyemap_abi::MetadataExtension::ID,
            Self::Cache => eyemap_abi::CacheExtension::ID,
        }
    }

    fn is_of(self, plugin: &Plugin) -> bool {
        let mut exported = plugin.manifest.extensions.iter();
        exported.any(|extension| extension == self.id())
    }
}

/// One extension with one configuration.
#[derive(Clone, Copy)]
struct Question<'a> {
    finder: &'a Finder,
    library: &'a str,
    plugin: &'static Plugin,
    asked: Asked,
    config: &'a GoldenConfig,
}

impl Question<'_> {
    fn name(&self) -> String {
        format!("{}.{}", self.asked.word(), self.config.name)
    }

    fn stage_config(&self) -> StageConfig {
        StageConfig {
            plugin: self.library.to_owned(),
            config: self.config.config.clone(),
            tables: self.config.tables.clone(),
        }
    }

    /// The vectors, after asking again in each way that may change nothing.
    fn file(&self) -> Result<GoldenFile, GoldenError> {
        let text = self.text(usize::MAX)?;
        self.same(&text, &self.text(usize::MAX)?, "when asked again".into())?;
        if self.plugin.manifest.chunk_invariant && !matches!(self.asked, Asked::Cache) {
            for batch in BATCHES {
                let again = self.text(batch)?;
                self.same(&text, &again, format!("in batches of {batch}"))?;
            }
        }
        Ok(GoldenFile {
            name: self.name(),
            text,
        })
    }

    fn same(&self, first: &str, again: &str, when: String) -> Result<(), GoldenError> {
        if first == again {
            return Ok(());
        }
        let difference = compare_text(first, again).into_iter().next();
        Err(GoldenError::Unstable {
            name: self.name(),
            when,
            difference: difference.map_or_else(
                || "the order of the answers".into(),
                |difference| difference.line_without_name(),
            ),
        })
    }

    fn text(&self, batch: usize) -> Result<String, GoldenError> {
        let mut lines = Lines::new(&self.name(), &self.plugin.manifest.id, batch);
        let config = serde_json::Value::Object(self.config.config.clone()).to_string();
        lines.answer("configuration", &lines::quoted(&config));
        for table in self.config.tables.keys() {
            lines.answer("side table", &lines::quoted(table));
        }
        let asked = match self.asked {
            Asked::Coordinate => coordinate::ask(self, &mut lines),
            Asked::Color => color::ask(self, &mut lines),
            Asked::Metadata => metadata::ask(self, &mut lines),
            Asked::Cache => policy::ask(self, &mut lines),
        };
        match asked {
            Ok(()) => Ok(lines.finish()),
            Err(Unanswered::Stage(source)) => Err(GoldenError::Stage {
                name: self.name(),
                question: lines.question(),
                source: Box::new(source),
            }),
            Err(Unanswered::Policy(reason)) => Err(GoldenError::Policy {
                name: self.name(),
                question: lines.question(),
                reason,
            }),
        }
    }
}
