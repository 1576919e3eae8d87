//! Arguments of `eyemap plugin`.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use eyemap_scaffold::{Kind, NewPlugin, Sdk};

/// What a new plugin is, and where.
#[derive(Debug, ClapArgs)]
pub(crate) struct NewArgs {
    /// Name of the crate, such as rose-color
    name: String,
    /// What it decides: color, coordinate, metadata or cache
    #[arg(long, value_name = "STAGE", value_parser = kind)]
    stage: Kind,
    /// Directory of the crate; without it ./NAME
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
    /// Id of the plugin, a domain of yours backwards and a name; without it org.example.NAME
    #[arg(long, value_name = "REVERSE.DNS")]
    id: Option<String>,
    /// Build against the SDK in this directory, engine/sdk in a copy of eyemap's source; without it against the
    /// source that this eyemap carries
    #[arg(long, value_name = "DIR", conflicts_with = "sdk_version")]
    sdk: Option<PathBuf>,
    /// Build against this published version of the SDK, from the registry
    #[arg(long, value_name = "VERSION")]
    sdk_version: Option<String>,
}

impl NewArgs {
    /// The plugin that is asked for.
    pub(crate) fn plugin(&self) -> NewPlugin {
        let sdk = match (&self.sdk, &self.sdk_version) {
            (Some(path), _) => Sdk::Path(path.clone()),
            (None, Some(version)) => Sdk::Version(version.clone()),
            (None, None) => Sdk::default(),
        };
        NewPlugin {
            name: self.name.clone(),
            kind: self.stage,
            path: self.path.clone(),
            id: self.id.clone(),
            sdk,
        }
    }
}

fn kind(text: &str) -> Result<Kind, String> {
    Kind::from_name(text).ok_or_else(|| {
        let known = Kind::ALL.map(Kind::name).join(", ");
        format!("stages are {known}")
    })
}
