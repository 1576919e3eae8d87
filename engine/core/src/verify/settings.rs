//! `verify.toml`: what a snapshot directory is about. Written by `init`, changed by people.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
};

use globset::{Glob, GlobSet, GlobSetBuilder};
use serde::{Deserialize, Serialize};

use super::{ReferenceError, Tolerance};
use crate::{
    config::{Config, SelectConfig, Size},
    draw::Format,
    pipeline::Fingerprint,
    sink::{self, Dir},
};

/// Name of the settings in a snapshot directory.
pub const SETTINGS_FILE: &str = "verify.toml";

/// What is drawn and how it is compared. Paths are relative to the snapshot directory.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The table: one file, or several files or directories that are parts of one.
    pub tables: Vec<PathBuf>,
    /// The table of columns that exist. Default: that of the configuration, or derived from the table.
    pub atlas: Option<PathBuf>,
    /// The configuration. Default: none, so that every key has its default.
    pub config: Option<PathBuf>,
    /// `svg`, `svg-static`, `png`, `json`. Default: what the configuration says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub formats: Vec<Format>,
    /// Pixels of a PNG per px of the map, 0.1 to 8. Default: what the configuration says.
    pub scale: Option<f64>,
    /// Whether these are snapshots of a plugin, which `--plugin` names. Default: false.
    #[serde(skip_serializing_if = "is_default")]
    pub plugin: bool,
    /// Which maps. Default: what the configuration says.
    #[serde(skip_serializing_if = "is_default")]
    pub select: SelectConfig,
    /// Which pictures are kept beside their hashes.
    pub keep: Keep,
    /// What may differ. Default: nothing.
    #[serde(skip_serializing_if = "is_default")]
    pub tolerance: ToleranceSettings,
    /// Further configurations that a plugin is asked with, by name: `[configs.NAME]`. Default: none.
    #[serde(skip_serializing_if = "is_default")]
    pub configs: BTreeMap<String, serde_json::Map<String, serde_json::Value>>,
}

/// What says nothing is not written.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Which pictures are kept: `[keep]`. All others are known by their hashes, which tell that and in which
/// respect a picture differs, not which hexagon does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keep {
    /// So many pictures, chosen by a hash of their names, so that the choice is stable. Default: 36.
    pub pictures: usize,
    /// Pictures that are always kept, as globs on their names: `ME_R/synapses/Tm3.*`. Default: none.
    pub always: Vec<String>,
    /// Larger pictures are not kept. Default: 1 MiB.
    pub most_bytes: Size,
}

/// What may differ: `[tolerance]`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ToleranceSettings {
    /// A colour may differ by so many of 255 steps in each channel. Default: 0.
    pub color: u8,
    /// A hexagon's centre may lie so many px beside, 0 to 0.5. Default: 0.
    pub place_px: f64,
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            pictures: 36,
            always: Vec::new(),
            most_bytes: Size::of_bytes(1 << 20),
        }
    }
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("cannot read {}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no TOML of this form.
    #[error("{}: {message}", .path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What and where.
        message: String,
    },
}

impl SettingsError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                "`eyemap verify init TABLE` writes it; name another directory with --snapshots".into()
            }
            Self::Read { .. } => "check the path and its permissions".into(),
            Self::Wrong { .. } => "keys are tables, atlas, config, formats, scale, [select], [keep] and [tolerance]; docs/verify.md explains them".into(),
        }
    }
}

/// Larger settings are none.
const MOST_BYTES: u64 = 16 << 20;

/// A hexagon that lies further beside is at another place, whatever the palette.
const FURTHEST_PX: f64 = 0.5;

impl Settings {
    /// Reads the settings of a snapshot directory.
    ///
    /// # Errors
    /// When they cannot be read, or say what they cannot.
    pub fn read(dir: &Path) -> Result<Self, SettingsError> {
        let path = dir.join(SETTINGS_FILE);
        let bytes = Dir::open(dir).and_then(|dir| dir.read(SETTINGS_FILE, MOST_BYTES));
        let bytes = bytes.map_err(|source| SettingsError::Read {
            path: path.clone(),
            source,
        })?;
        let wrong = |message: String| SettingsError::Wrong {
            path: path.clone(),
            message,
        };
        let settings: Self = toml::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        settings.keep.globs().map_err(wrong)?;
        Ok(settings)
    }

    /// Writes them into a snapshot directory.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn write(&self, dir: &Path) -> Result<(), ReferenceError> {
        let path = dir.join(SETTINGS_FILE);
        let head =
            "# What `eyemap verify` draws and compares. Paths are relative to this file.\n\n";
        // Everything here has a form in TOML.
        let text = toml::to_string(self)
            .map_err(|error| ReferenceError::write(&path, io::Error::other(error.to_string())))?;
        sink::write_atomically(&path, format!("{head}{text}").as_bytes())
            .map_err(|source| ReferenceError::write(&path, source))
    }

    /// Puts what they say of maps into a configuration.
    pub fn apply(&self, config: &mut Config) {
        config.choose(&self.select, &self.formats, self.scale);
    }
}

impl ToleranceSettings {
    /// The tolerance, if there is one; what is wrong with it else.
    ///
    /// # Errors
    /// When a hexagon may lie so far beside that another place would pass, and it is not forced.
    pub fn tolerance(self, forced: bool) -> Result<Option<Tolerance>, String> {
        let Self { color, place_px } = self;
        if !(place_px >= 0.0 && place_px.is_finite()) {
            return Err(format!("a hexagon cannot lie {place_px} px beside"));
        }
        if place_px > FURTHEST_PX && !forced {
            return Err(format!(
                "{place_px} px beside is another place: at most {FURTHEST_PX}"
            ));
        }
        let is_any = color > 0 || place_px > 0.0;
        Ok(is_any.then_some(Tolerance {
            color,
            place_px,
            forced,
        }))
    }
}

impl Keep {
    fn globs(&self) -> Result<GlobSet, String> {
        let mut globs = GlobSetBuilder::new();
        for glob in &self.always {
            let glob = Glob::new(glob).map_err(|error| format!("keep.always: {error}"))?;
            globs.add(glob);
        }
        globs
            .build()
            .map_err(|error| format!("keep.always: {error}"))
    }

    /// Which of some artifacts have their pictures kept, whatever their size.
    pub(super) fn choose<'p>(
        &self,
        paths: impl Iterator<Item = &'p str> + Clone,
    ) -> BTreeSet<String> {
        let mut chosen: BTreeSet<String> = BTreeSet::new();
        if let Ok(globs) = self.globs() {
            let always = paths.clone().filter(|path| globs.is_match(path));
            chosen.extend(always.map(str::to_owned));
        }
        let mut ranked: Vec<(Fingerprint, &str)> = paths
            .map(|path| (Fingerprint::of_bytes(path.as_bytes()), path))
            .collect();
        ranked.sort_unstable();
        let ranked = ranked.into_iter().take(self.pictures);
        chosen.extend(ranked.map(|(_, path)| path.to_owned()));
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_as_they_are_written() {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings {
            tables: vec!["../counts.csv".into()],
            formats: vec![Format::Svg, Format::Png],
            scale: Some(2.0),
            ..Settings::default()
        };
        settings.write(dir.path()).unwrap();
        assert_eq!(Settings::read(dir.path()).unwrap(), settings);
        let wrong = "tables = []\n[keep]\npicture = 3\n";
        std::fs::write(dir.path().join(SETTINGS_FILE), wrong).unwrap();
        let error = Settings::read(dir.path()).unwrap_err().to_string();
        assert!(
            error.contains("picture") && error.contains("line 3"),
            "{error}"
        );
    }

    #[test]
    fn the_choice_of_kept_pictures_does_not_change_with_others() {
        let names: Vec<String> = (0..200)
            .map(|i| format!("ME_R/synapses/T{i}.svg"))
            .collect();
        let keep = Keep {
            pictures: 20,
            always: vec!["*/T7.svg".into()],
            ..Keep::default()
        };
        let all = keep.choose(names.iter().map(String::as_str));
        assert!(all.contains("ME_R/synapses/T7.svg") && (20..=21).contains(&all.len()));
        let fewer = keep.choose(names[..190].iter().map(String::as_str));
        assert!(all.intersection(&fewer).count() >= 17);
    }

    #[test]
    fn a_tolerance_that_moves_hexagons_elsewhere_has_to_be_forced() {
        let far = ToleranceSettings {
            color: 0,
            place_px: 0.6,
        };
        assert!(far.tolerance(false).is_err());
        assert!(far.tolerance(true).unwrap().unwrap().forced);
        assert_eq!(ToleranceSettings::default().tolerance(false), Ok(None));
        let wrong = ToleranceSettings {
            color: 0,
            place_px: f64::NAN,
        };
        assert!(wrong.tolerance(true).is_err());
    }
}
