//! What can go wrong in a stage.

use eyemap_abi::{ErrorKind, PluginError as AbiError};

use super::StageName;
use crate::{ingest::TableError, plugins::PluginError};

/// What went wrong in a stage.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StageError {
    /// Its plugin cannot be loaded.
    #[error("the {} stage has no plugin", .stage.word())]
    Load {
        /// The stage.
        stage: StageName,
        /// Why.
        source: Box<PluginError>,
    },
    /// A side table cannot be read.
    #[error("the side table {name:?} of the {} stage cannot be read", .stage.word())]
    SideTable {
        /// The stage.
        stage: StageName,
        /// The table's name.
        name: String,
        /// Why.
        source: Box<TableError>,
    },
    /// The plugin reports a failure.
    #[error("{} plugin {plugin}: {error}", .stage.word())]
    Plugin {
        /// The stage.
        stage: StageName,
        /// The plugin.
        plugin: String,
        /// What it said.
        error: Box<AbiError>,
    },
    /// The plugin's answer is not acceptable.
    #[error("{} plugin {plugin} gave an answer that cannot be used: {message}", .stage.word())]
    Answer {
        /// The stage.
        stage: StageName,
        /// The plugin.
        plugin: String,
        /// What is wrong with it.
        message: String,
    },
    /// Values of the table cannot be had again.
    #[error("the values of the map cannot be read back")]
    Table {
        /// Why.
        source: Box<TableError>,
    },
    /// The table does not have what the map needs.
    #[error("{message}")]
    Data {
        /// What is missing.
        message: String,
        /// What to do about it.
        help: String,
    },
}

impl StageError {
    pub(crate) fn table(source: TableError) -> Self {
        Self::Table {
            source: Box::new(source),
        }
    }

    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Load { source, .. } => Some(source.help()),
            Self::SideTable { source, .. } | Self::Table { source } => source.help(),
            Self::Plugin { error, stage, .. } => Some(match error.kind {
                ErrorKind::Config if of_tables(&error.at) => format!(
                    "[stages.{0}.tables] names the tables that the plugin of [stages.{0}] reads, and no others",
                    stage.word()
                ),
                ErrorKind::Config => format!(
                    "`eyemap plugin list --schema` shows the keys of [stages.{}.config]",
                    stage.word()
                ),
                ErrorKind::Input => "the job or the data do not suit this plugin".into(),
                ErrorKind::Panic | ErrorKind::Internal => {
                    "this is a fault of the plugin: report it to its author".into()
                }
            }),
            Self::Answer { .. } => {
                Some("this is a fault of the plugin: report it to its author".into())
            }
            Self::Data { help, .. } => Some(help.clone()),
        }
    }

    /// The key in the configuration that is to blame, as a path.
    pub fn config_key(&self) -> Option<String> {
        match self {
            Self::Plugin { stage, error, .. } if error.kind == ErrorKind::Config => {
                let stage = stage.word();
                Some(match error.at.as_str() {
                    "" => format!("stages.{stage}.config"),
                    at if of_tables(at) => format!("stages.{stage}.{at}"),
                    "orientation" if stage == "coordinate" => "map.orientation".into(),
                    at => format!("stages.{stage}.config.{at}"),
                })
            }
            Self::Load { stage, .. } => Some(format!("stages.{}.plugin", stage.word())),
            Self::SideTable { stage, name, .. } => {
                Some(format!("stages.{}.tables.{name}", stage.word()))
            }
            _ => None,
        }
    }
}

/// Whether a plugin blames the tables that it was given, or one of them.
fn of_tables(at: &str) -> bool {
    at == "tables" || at.starts_with("tables.")
}
