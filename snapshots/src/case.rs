//! A case: input, one call of the command, and what is kept of the result.
//!
//! One file below `cases/` is one case, and its path without `.toml` is its name. Everything that a case
//! names is compared with a reference; what it does not name must be unremarkable, see `tests/cases.rs`.

mod artifact;
mod check;
mod picture;
mod references;

pub use artifact::sound;
pub use picture::difference;
pub use references::{Breach, Reference, breaches};

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use serde::Deserialize;

/// What cannot be used as a case.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaseError {
    /// The file or a directory cannot be read.
    #[error("{}: {source}", .path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file says something that a case cannot say.
    #[error("{}: {message}", .path.display())]
    Wrong {
        /// Which.
        path: PathBuf,
        /// What, and what to do.
        message: String,
    },
}

/// One case, as its file says it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Case {
    /// Its path below `cases/` without `.toml`: `color/bins`.
    #[serde(skip)]
    pub name: String,
    /// One sentence: what it shows.
    pub title: String,
    /// Text of `table.csv`.
    pub table: Option<String>,
    /// Text of `atlas.csv`.
    pub atlas: Option<String>,
    /// Text of `eyemap.toml`.
    pub config: Option<String>,
    /// Other files, name to text; a name that ends in `.gz` is compressed.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Files below `examples/` that are put beside the others, by path.
    #[serde(default)]
    pub examples: Vec<String>,
    /// Text of standard input. Default: none.
    pub stdin: Option<String>,
    /// Calls that come first; they must end with exit code 0.
    #[serde(default)]
    pub before: Vec<Vec<String>>,
    /// Arguments of `eyemap`. Maps go to `out`.
    pub arguments: Vec<String>,
    /// Exit code. Default: 0.
    #[serde(default)]
    pub exit: i32,
    /// What differs between runs and machines and is no part of the case.
    #[serde(default)]
    pub redact: Vec<Redaction>,
    /// What is compared with references.
    pub expect: Expect,
}

/// What is compared with references. Paths are relative to `out`, and there are no globs: the names of
/// references must follow from the case alone, or a stray one could not be told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Expect {
    /// Maps in the format `json`.
    pub scene: Vec<String>,
    /// Maps in the format `svg`.
    pub svg: Vec<String>,
    /// Maps in the format `svg-static`.
    pub svg_static: Vec<String>,
    /// Maps in the format `png`.
    pub png: Vec<String>,
    /// Other texts, such as `index.html`.
    pub text: Vec<String>,
    /// Standard output; unless it is named it must be empty.
    pub stdout: bool,
    /// Standard error; unless it is named it must say no more than how many maps were drawn.
    pub stderr: bool,
    /// The names of all files below `out`.
    pub files: bool,
}

/// What an artifact is, which says how it is checked and compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A map in the format `json`.
    Scene,
    /// A map in the format `svg`.
    Svg,
    /// A map in the format `svg-static`.
    SvgStatic,
    /// A map in the format `png`.
    Png,
    /// Any other text.
    Text,
}

/// What is left out of standard output and standard error before they are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Redaction {
    /// Durations and rates, and lines that say where time went or what was slow.
    Times,
    /// Resident memory of the process.
    Memory,
    /// The directory of the build, where plugins are.
    Build,
    /// The directory in which the case runs.
    Desk,
    /// Versions of the engine and of plugins.
    Versions,
    /// Fingerprints and hashes, which cover versions and plugin files.
    Hashes,
}

/// All cases below a directory by name, and what cannot be used as one.
///
/// # Errors
/// When a directory cannot be read. A file that is no case does not hide the others.
pub fn cases_in(dir: &Path) -> Result<(Vec<Case>, Vec<CaseError>), CaseError> {
    let (mut cases, mut errors) = (Vec::new(), Vec::new());
    for path in files_below(dir)? {
        match Case::read(dir, &path) {
            Ok(case) => cases.push(case),
            Err(error) => errors.push(error),
        }
    }
    errors.extend(check::same_titles(dir, &cases));
    Ok((cases, errors))
}

/// All files below a directory, sorted; none if there is no such directory.
fn files_below(dir: &Path) -> Result<Vec<PathBuf>, CaseError> {
    let unreadable = |source| CaseError::Unreadable {
        path: dir.to_owned(),
        source,
    };
    let entries = match std::fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(unreadable)?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            files.extend(files_below(&path)?);
        } else {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

impl Case {
    /// Reads the case in a file below `dir`.
    ///
    /// # Errors
    /// When it cannot be read, a key or value is wrong, or it would let something pass unseen.
    pub fn read(dir: &Path, path: &Path) -> Result<Self, CaseError> {
        let wrong = |message: String| CaseError::Wrong {
            path: path.to_owned(),
            message,
        };
        let text = std::fs::read_to_string(path).map_err(|source| CaseError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let name = check::name(dir, path).map_err(wrong)?;
        let case: Self = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        let case = Self { name, ..case };
        check::case(&case).map_err(wrong)?;
        Ok(case)
    }

    /// Names and texts of the files that it brings along.
    pub fn inputs(&self) -> impl Iterator<Item = (&str, &str)> {
        let named = [
            ("table.csv", &self.table),
            ("atlas.csv", &self.atlas),
            ("eyemap.toml", &self.config),
        ];
        let named = named.map(|(name, text)| text.as_deref().map(|text| (name, text)));
        let files = self.files.iter();
        let files = files.map(|(name, text)| (name.as_str(), text.as_str()));
        named.into_iter().flatten().chain(files)
    }
}

impl Expect {
    /// The artifacts that are compared, by path below `out`.
    pub fn artifacts(&self) -> impl Iterator<Item = (Form, &str)> {
        let forms = [
            (Form::Scene, &self.scene),
            (Form::Svg, &self.svg),
            (Form::SvgStatic, &self.svg_static),
            (Form::Png, &self.png),
            (Form::Text, &self.text),
        ];
        forms
            .into_iter()
            .flat_map(|(form, paths)| paths.iter().map(move |path| (form, path.as_str())))
    }
}
