//! What every command that reads a table does first: configuration, plugins, data.

use std::{
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

use eyemap_engine::{
    config::{Config, PluginsConfig, Source},
    dataset::Dataset,
    governor::Pressure,
    ingest::{IngestOptions, Spooled, read_dataset, scratch_help, table_files},
    manifest::Waiting,
    pipeline::Pipeline,
    plugins::{Finder, Mode, PluginError, Said},
};

use crate::{
    args::{TableArgs, TrustedArgs},
    failure::{Failure, USAGE},
    out,
    progress::Progress,
};

/// Reads the configuration, or takes the defaults.
pub(crate) fn config(path: Option<&Path>) -> Result<(Config, Source), Failure> {
    match path {
        Some(path) => Ok(Config::read(path)?),
        None => Ok((Config::default(), Source::default())),
    }
}

/// What the user says of plugins besides the configuration.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Given<'a> {
    /// Locks whose word is the user's.
    pub(crate) locks: &'a [PathBuf],
    /// A library to run.
    pub(crate) library: Option<&'a Path>,
}

impl<'a> Given<'a> {
    /// What the arguments say.
    pub(crate) fn locks(args: &'a TrustedArgs) -> Self {
        Self {
            locks: &args.locks,
            library: None,
        }
    }
}

/// The search path of plugins. What the configuration says of one lets it run in a worker at most, and what
/// more it asks for is a wish.
pub(crate) fn finder(
    config: &Config,
    source: &Source,
    given: Given<'_>,
) -> Result<Finder, Failure> {
    let plugins = &config.plugins;
    whole_ids(plugins)?;
    let mut finder = Finder::usual(&Said {
        config: Some(&*source.path).filter(|path| !path.as_os_str().is_empty()),
        path: &plugins.path,
        locks: &plugins.locks,
        given: given.locks,
    })?;
    finder.workers.limits = plugins.contained.limits();
    for (id, plugin) in &plugins.by_id {
        if plugin.trust {
            finder.trusted.insert(id.clone());
        }
        match plugin.mode {
            Some(Mode::Trusted) => drop(finder.wishes.insert(id.clone())),
            Some(mode) => drop(finder.modes.insert(id.clone(), mode)),
            None => {}
        }
    }
    for (path, key) in config.libraries() {
        finder.name_file(path.into(), key);
    }
    if let Some(library) = given.library {
        finder.trust_file(library)?;
        finder.name_file(library.to_owned(), "--plugin");
    }
    known_ids(plugins, &finder, source)?;
    Ok(finder)
}

/// What is said of an id that nobody has decides about nothing, and `deny` would not deny.
fn known_ids(plugins: &PluginsConfig, finder: &Finder, source: &Source) -> Result<(), Failure> {
    let names = plugins.by_id.keys().map(String::as_str);
    finder.check_names(names).map_err(|error| {
        let span = match &error {
            PluginError::NotFound { name, .. } => source.locate(&format!("plugins.by_id.{name}")),
            _ => None,
        };
        Failure::from(error).at(source, span)
    })
}

/// Says what files asked for in vain: that a plugin runs in this process.
pub(crate) fn tell_lowered(finder: &Finder) {
    for note in finder.notes() {
        out::note(&format!("note: {note}"));
    }
}

/// Loads what the configuration draws with.
pub(crate) fn pipeline(
    config: &Config,
    source: &Source,
    finder: &Finder,
) -> Result<Pipeline, Failure> {
    let loaded = Pipeline::load(config, finder);
    tell_lowered(finder);
    loaded.map_err(|error| Failure::stage(error, source))
}

/// Anybody may choose the last segment of an id, so nothing is trusted by it.
fn whole_ids(plugins: &PluginsConfig) -> Result<(), Failure> {
    for (name, plugin) in &plugins.by_id {
        if (plugin.trust || plugin.mode == Some(Mode::Trusted)) && !name.contains('.') {
            let what =
                format!("[plugins.by_id.{name:?}] trusts a plugin, but {name:?} is no whole id");
            let help = format!(
                "write it as `eyemap plugin list` shows it, such as [plugins.by_id.\"org.example.{}\"]",
                out::plain(name)
            );
            return Err(Failure::new(USAGE, what).help(help));
        }
    }
    Ok(())
}

/// The table of columns that exist: that of the arguments, or of the configuration.
pub(crate) fn atlas<'a>(args: &'a TableArgs, config: &'a Config) -> Option<&'a Path> {
    args.atlas.as_deref().or(config.atlas.file.as_deref())
}

/// Reads the table and its atlas. What does not fit in memory goes to `scratch`, unless the
/// configuration names another directory.
pub(crate) fn dataset(
    args: &TableArgs,
    config: &Config,
    (scratch, pressure): (Option<&Path>, Option<&Pressure>),
    cancel: &AtomicBool,
) -> Result<Dataset, Failure> {
    if args.tables.iter().any(|table| is_standard_input(table)) {
        return Err(no_standard_input());
    }
    let progress = Progress::of_bytes("reading", args.json);
    let report = |at: eyemap_engine::ingest::Progress| progress.at(at.bytes, at.total_bytes);
    let mut options = IngestOptions::of(config);
    options.atlas_file = args.atlas.as_deref().or(options.atlas_file);
    options.progress = Some(&report);
    options.cancel = Some(cancel);
    options.pressure = pressure;
    if let (None, Some(scratch)) = (&config.memory.scratch, scratch) {
        options.scratch = scratch.to_owned();
    }
    let dataset = read_dataset(&table_files(&args.tables)?, &options);
    progress.finish();
    Ok(dataset?)
}

/// Whether a table is given as `-`.
fn is_standard_input(table: &Path) -> bool {
    table == Path::new("-")
}

/// The objection of commands that name their tables in what they write.
fn no_standard_input() -> Failure {
    Failure::new(
        USAGE,
        "this command cannot read its table from standard input",
    )
    .help("write the table to a file, since it is read again later")
}

/// Puts a table that comes through standard input into an unnamed file in `scratch`, and that file into
/// the place of `-`. It is there as long as what is given back.
pub(crate) fn take_standard_input(
    tables: &mut [PathBuf],
    scratch: &Path,
) -> Result<Option<Spooled>, Failure> {
    let mut given = tables.iter_mut().filter(|table| is_standard_input(table));
    let Some(first) = given.next() else {
        return Ok(None);
    };
    if given.next().is_some() {
        return Err(Failure::new(USAGE, "standard input is named twice").help("write - once"));
    }
    let spooled = Spooled::of(&mut std::io::stdin().lock(), scratch).map_err(|error| {
        let message = format!(
            "standard input cannot be kept in {}: {error}",
            out::plain(&scratch.display().to_string())
        );
        Failure::new(USAGE, message).help(scratch_help(scratch))
    })?;
    *first = spooled.path();
    Ok(Some(spooled))
}

pub(crate) use crate::signals::stop_on_interrupt;

/// How a run waits for another one: it says so.
pub(crate) const fn waiting(cancel: &AtomicBool) -> Waiting<'_> {
    Waiting {
        cancel,
        tell: &|line| out::note(&format!("note: {line}")),
    }
}
