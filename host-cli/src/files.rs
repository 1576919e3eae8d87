//! Files that a command reads and files that it writes: none is both.

use std::path::{Path, PathBuf};

use eyemap_engine::{config::Config, ingest::table_files};

use crate::{
    args::TableArgs,
    failure::{Failure, USAGE},
    out, session,
};

/// What a command reads and writes. Files are the same by their place on the disk, whatever their names.
#[derive(Default)]
pub(crate) struct Files {
    reads: Vec<PathBuf>,
    writes: Vec<Output>,
}

/// A file that is written, and the option that named it.
struct Output {
    option: &'static str,
    path: PathBuf,
}

impl Files {
    /// Those that are read of a table: its parts, its atlas, the configuration and the tables of stages.
    pub(crate) fn of_table(args: &TableArgs, config: &Config) -> Self {
        let mut files = Self::default();
        // Tables that cannot be listed are told when they are read.
        let tables = table_files(&args.tables).unwrap_or_default();
        files.reads(tables.iter().map(PathBuf::as_path));
        files.reads(session::atlas(args, config));
        files.reads(args.config.as_deref());
        let stages = &config.stages;
        for stage in [&stages.coordinate, &stages.color, &stages.metadata] {
            files.reads(stage.tables.values().map(PathBuf::as_path));
        }
        files
    }

    /// Adds what is read.
    pub(crate) fn reads<'a>(&mut self, paths: impl IntoIterator<Item = &'a Path>) {
        self.reads.extend(paths.into_iter().map(Path::to_owned));
    }

    /// Adds what is written.
    pub(crate) fn writes<'a>(
        &mut self,
        option: &'static str,
        paths: impl IntoIterator<Item = &'a Path>,
    ) {
        let output = |path: &Path| Output {
            option,
            path: path.to_owned(),
        };
        self.writes.extend(paths.into_iter().map(output));
    }

    /// Refuses an output that is an input, or the output of another option.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        for (number, output) in self.writes.iter().enumerate() {
            let refused = |what: &str| {
                let (option, path) = (output.option, output.path.display().to_string());
                let message = format!("{option} {}: {what}", out::plain(&path));
                Err(Failure::new(USAGE, message).help(format!("name another file with {option}")))
            };
            if let Some(read) = self.reads.iter().find(|read| same(read, &output.path)) {
                let read = out::plain(&read.display().to_string());
                return refused(&format!(
                    "this command reads that file, as {read}, and would write over it"
                ));
            }
            let mut earlier = self.writes[..number].iter();
            if let Some(other) = earlier.find(|other| same(&other.path, &output.path)) {
                return refused(&format!("{} writes the same file", other.option));
            }
        }
        Ok(())
    }
}

/// Whether two names are of one file, or would be.
fn same(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (std::fs::metadata(a), std::fs::metadata(b)) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        (Err(_), Err(_)) => whole(a).is_some_and(|a| whole(b) == Some(a)),
        _ => false,
    }
}

/// The path of a file that is not there, in a directory without links.
fn whole(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?;
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    let dir = std::fs::canonicalize(dir.unwrap_or(Path::new("."))).ok()?;
    Some(dir.join(name))
}
