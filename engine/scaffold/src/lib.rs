//! A new plugin: a crate of its own that builds, is tested, and draws a map.
//!
//! The crate is a copy of one of the project's templates, `plugins/template-*`, which are members of the
//! workspace and compiled and tested with it. What a copy must call otherwise (crate, library, type and id)
//! are words of the template itself; its `Cargo.toml` is written from values of this workspace, and the SDK
//! lies in it as source. A crate is written completely or not at all, and nothing that is there is touched.

mod cargo;
mod error;
mod name;
mod template;
mod vendor;
mod write;

use std::path::{Path, PathBuf};

pub use cargo::Sdk;
pub use error::ScaffoldError;

/// What a new plugin decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// How every hexagon is coloured.
    Color,
    /// Where every hexagon lies.
    Coordinate,
    /// What is written on a map.
    Metadata,
    /// Which entry of a cache dies first.
    Cache,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Color, Self::Coordinate, Self::Metadata, Self::Cache];

    /// `color`, `coordinate`, `metadata` or `cache`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Color => "color",
            Self::Coordinate => "coordinate",
            Self::Metadata => "metadata",
            Self::Cache => "cache",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A plugin that is to be made.
#[derive(Debug, Clone)]
pub struct NewPlugin {
    /// Name of the crate, `rose-color`: 1 to 64 of `a` to `z`, `0` to `9`, `-` and `_`, from a letter on.
    pub name: String,
    /// What it decides.
    pub kind: Kind,
    /// Directory of the crate, which is not there yet or empty; none is `./NAME`.
    pub path: Option<PathBuf>,
    /// Reverse-DNS id; none is `org.example.NAME`.
    pub id: Option<String>,
    /// Where cargo finds the SDK.
    pub sdk: Sdk,
}

/// A plugin that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Directory of the crate, as it was asked for.
    pub dir: PathBuf,
    /// The plugin's id.
    pub id: String,
    /// Its library after `cargo build --release`, relative to the directory.
    pub library: PathBuf,
    /// What was written, relative to the directory.
    pub files: Vec<PathBuf>,
}

impl Made {
    /// The files that are the author's, without the sources of the SDK.
    pub fn own_files(&self) -> impl Iterator<Item = &Path> {
        let all = self.files.iter().map(PathBuf::as_path);
        all.filter(|path| !path.starts_with(vendor::DIR))
    }

    /// Whether the SDK lies in the crate as source.
    pub fn is_vendored(&self) -> bool {
        self.files.iter().any(|path| path.starts_with(vendor::DIR))
    }
}

/// Makes the crate of a plugin.
///
/// # Errors
/// When name, id or SDK cannot be used, when there is something in the directory, or when it cannot be
/// written. Nothing is left behind then.
pub fn make(plugin: &NewPlugin) -> Result<Made, ScaffoldError> {
    let names = name::Names::of(&plugin.name, plugin.kind, plugin.id.as_deref())?;
    let manifest = cargo::manifest(&names.krate, plugin.kind, &plugin.sdk)?;
    let mut files = template::files(plugin.kind, &names);
    files.push(("Cargo.toml".into(), manifest));
    if plugin.sdk == Sdk::Vendored {
        let lock = vendor::lock(&names.krate, cargo::FIRST_VERSION);
        files.push(("Cargo.lock".into(), lock));
        files.extend(vendor::files());
    }
    let dir = plugin.path.as_deref().unwrap_or(Path::new(&names.krate));
    write::write(dir, &files)?;
    Ok(Made {
        dir: dir.to_owned(),
        library: names.library(),
        files: files.iter().map(|(path, _)| path.into()).collect(),
        id: names.id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_is_complete_and_has_no_word_of_its_template() {
        let dir = tempfile::tempdir().expect("a directory");
        for kind in Kind::ALL {
            let name = format!("rose-{}", kind.name());
            let plugin = NewPlugin {
                path: Some(dir.path().join(&name)),
                name: name.clone(),
                kind,
                id: Some("net.lab.rose".into()),
                sdk: Sdk::default(),
            };
            let made = make(&plugin).expect("made");
            assert!(made.files.len() >= 9, "{:?}", made.files);
            assert!(made.is_vendored());
            for file in made.own_files() {
                let text = std::fs::read_to_string(made.dir.join(file)).expect("a file");
                for word in [
                    "template-",
                    "template_",
                    "TemplateC",
                    "TemplateM",
                    "0.0.0",
                    "workspace = true",
                ] {
                    assert!(
                        !text.contains(word),
                        "{kind:?}: {word} in {}",
                        file.display()
                    );
                }
            }
            let lib = std::fs::read_to_string(made.dir.join("src/lib.rs")).expect("lib.rs");
            assert!(lib.contains("id: \"net.lab.rose\""), "{lib}");
            assert!(lib.contains("#![forbid(unsafe_code)]"), "{lib}");
            let again = make(&plugin).expect_err("it is there");
            assert!(matches!(again, ScaffoldError::Occupied { .. }), "{again}");
        }
    }
}
