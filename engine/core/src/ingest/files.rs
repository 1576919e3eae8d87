//! The files of a table that is given as files and directories.

use std::path::{Path, PathBuf};

use super::{
    error::{Objection, Place, TableError, clean},
    foreign::{self, Foreign},
};

/// Ends of names that a file of a table in a directory can have.
const ENDS: [&str; 8] = [
    ".parquet", ".csv", ".csv.gz", ".tsv", ".tsv.gz", ".arrow", ".feather", ".ipc",
];

/// The files of a table. A directory stands for the tables in it, by name, without those that begin
/// with a dot or an underscore.
///
/// # Errors
/// When a directory cannot be read, or has no table.
pub fn table_files(given: &[PathBuf]) -> Result<Vec<PathBuf>, TableError> {
    let mut files = Vec::new();
    for path in given {
        if path.is_dir() {
            files.extend(of_directory(path)?);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn of_directory(dir: &Path) -> Result<Vec<PathBuf>, TableError> {
    let failed = |error| TableError::read(dir, error);
    let mut files = Vec::new();
    let mut others = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().to_lowercase();
        let hidden = name.starts_with(['.', '_']);
        let is_file = entry.path().is_file();
        if is_file && !hidden && ENDS.iter().any(|end| name.ends_with(end)) {
            files.push(entry.path());
        } else if is_file && !hidden {
            others.push(entry.path());
        }
    }
    files.sort();
    others.sort();
    if files.is_empty() {
        let message = "is a directory without tables";
        let mut help = format!("the files of a table end in {}", ENDS.join(", "));
        let mut known = others
            .iter()
            .filter_map(|path| Some((path, foreign::by_ending(path)?)));
        if let Some((path, Foreign { name, help: how })) = known.next() {
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            help += &format!("; {} is {name}: {how}", clean(&file));
        }
        return Err(Objection::new(message).help(help).at(dir, Place::File));
    }
    Ok(files)
}
