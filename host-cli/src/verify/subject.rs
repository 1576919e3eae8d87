//! What is verified: the maps of a table, or a plugin.

use std::{
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

use eyemap_engine::{
    config::{Config, Source},
    dataset::Dataset,
    pipeline::{Pipeline, Request},
    plan::plan,
    plugins::Finder,
    verify::{
        Settings,
        golden::{GoldenConfig, GoldenFile, vectors},
    },
};

use crate::{
    args::{TableArgs, TrustedArgs},
    failure::{Failure, USAGE},
    session::{self, Given},
};

/// A configuration with what it loads and what it draws.
pub(super) struct Subject {
    pub(super) config: Config,
    pub(super) finder: Finder,
    pub(super) pipeline: Pipeline,
    pub(super) dataset: Dataset,
    pub(super) requests: Vec<Request>,
    /// Golden vectors, by the names of their artifacts.
    pub(super) texts: Vec<(String, String)>,
}

/// How a subject is made.
pub(super) struct Making<'a> {
    pub(super) settings: &'a Settings,
    /// The snapshot directory, which paths of the settings are relative to.
    pub(super) dir: &'a Path,
    /// A configuration in place of that of the settings.
    pub(super) config: Option<&'a Path>,
    /// Locks whose word is the user's.
    pub(super) trusted: &'a TrustedArgs,
    pub(super) jobs: Option<usize>,
    pub(super) json: bool,
    pub(super) cancel: &'a AtomicBool,
}

impl Making<'_> {
    /// The subject of a table, or of a plugin.
    pub(super) fn subject(&self, library: Option<&Path>) -> Result<Subject, Failure> {
        match (library, self.settings.plugin) {
            (Some(library), _) => self.of_plugin(library),
            (None, false) => {
                let (config, source) = self.config()?;
                let finder = session::finder(&config, &source, Given::locks(self.trusted))?;
                self.of_table(config, (&source, finder))
            }
            // A file does not decide what code runs here.
            (None, true) => {
                let message = format!("{} has snapshots of a plugin", self.dir.display());
                Err(Failure::new(USAGE, message).help("name its library with --plugin"))
            }
        }
    }

    /// Asks a plugin its golden questions, and puts it in the place of the project's own.
    fn of_plugin(&self, library: &Path) -> Result<Subject, Failure> {
        let (mut config, source) = self.config()?;
        let given = Given {
            library: Some(library),
            ..Given::locks(self.trusted)
        };
        let finder = session::finder(&config, &source, given)?;
        // A name without a directory would be an id.
        let path = std::path::absolute(library).unwrap_or_else(|_| library.to_owned());
        let library = path.display().to_string();
        let named = self.settings.configs.iter();
        let configs: Vec<GoldenConfig> = named
            .map(|(name, config)| GoldenConfig {
                name: name.clone(),
                config: config.clone(),
                ..GoldenConfig::default()
            })
            .collect();
        let texts = vectors(&finder, &library, &configs)?;
        let mut draws = false;
        for text in &texts {
            let stages = &mut config.stages;
            let stage = match text.name.split('.').next() {
                Some("coordinate") => &mut stages.coordinate,
                Some("color") => &mut stages.color,
                Some("metadata") => &mut stages.metadata,
                _ => continue,
            };
            stage.plugin.clone_from(&library);
            draws = true;
        }
        let mut subject = self.of_table(config, (&source, finder))?;
        if !draws {
            // A policy changes no picture.
            subject.requests.clear();
        }
        let name = |text: &GoldenFile| format!("golden/{}.txt", text.name);
        subject.texts = texts
            .into_iter()
            .map(|text| (name(&text), text.text))
            .collect();
        Ok(subject)
    }

    fn of_table(
        &self,
        config: Config,
        (source, finder): (&Source, Finder),
    ) -> Result<Subject, Failure> {
        let settings = self.settings;
        if settings.tables.is_empty() {
            let message = "verify.toml names no table";
            return Err(Failure::new(USAGE, message)
                .help("write `tables = [\"counts.csv\"]`, relative to the snapshot directory"));
        }
        let table = TableArgs {
            tables: settings
                .tables
                .iter()
                .map(|path| self.dir.join(path))
                .collect(),
            atlas: settings.atlas.as_ref().map(|path| self.dir.join(path)),
            config: None,
            json: self.json,
        };
        self.read(config, (source, finder), &table)
    }

    /// The configuration, with what the settings say of maps in it.
    fn config(&self) -> Result<(Config, Source), Failure> {
        let path = match (self.config, &self.settings.config) {
            (Some(ours), _) => Some(ours.to_owned()),
            (None, Some(theirs)) => Some(self.dir.join(theirs)),
            (None, None) => None,
        };
        let (mut config, source) = session::config(path.as_deref())?;
        self.settings.apply(&mut config);
        config.run.jobs = self.jobs.unwrap_or(config.run.jobs);
        if let Some((key, message)) = config.wrong_value() {
            return Err(Failure::new(USAGE, format!("{key}: {message}")));
        }
        Ok((config, source))
    }

    /// Loads the plugins, reads the table and plans the maps.
    fn read(
        &self,
        config: Config,
        (source, finder): (&Source, Finder),
        table: &TableArgs,
    ) -> Result<Subject, Failure> {
        let pipeline = session::pipeline(&config, source, &finder)?;
        let dataset = session::dataset(table, &config, (None, None), self.cancel)?;
        let requests = plan(&dataset, &config.select)?.requests;
        Ok(Subject {
            config,
            finder,
            pipeline,
            dataset,
            requests,
            texts: Vec::new(),
        })
    }
}

/// A path as it is written in a directory: relative to it.
pub(super) fn relative_to(dir: &Path, path: &Path) -> PathBuf {
    let (dir, path) = (whole(dir), whole(path));
    let same = dir.components().zip(path.components());
    let same = same.take_while(|(a, b)| a == b).count();
    if same == 0 {
        return path;
    }
    let up = dir.components().skip(same).map(|_| Path::new(".."));
    let down = path.components().skip(same);
    up.map(Path::to_owned)
        .chain(down.map(|part| PathBuf::from(part.as_os_str())))
        .collect()
}

/// A path without links, whether it is there or will be.
fn whole(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let there = absolute
        .ancestors()
        .find_map(|above| Some((above, std::fs::canonicalize(above).ok()?)));
    match there {
        Some((above, real)) => match absolute.strip_prefix(above) {
            Ok(rest) if !rest.as_os_str().is_empty() => real.join(rest),
            _ => real,
        },
        None => absolute,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_told_from_the_directory_that_names_it() {
        let tell = |dir: &str, path: &str| relative_to(Path::new(dir), Path::new(path));
        assert_eq!(
            tell("/nowhere/a/b", "/nowhere/a/c.csv"),
            Path::new("../c.csv")
        );
        assert_eq!(tell("/nowhere/a", "/nowhere/a/b/c"), Path::new("b/c"));
        assert_eq!(tell("/nowhere/a/b", "/nowhere/x"), Path::new("../../x"));
    }
}
