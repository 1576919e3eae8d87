//! What the maps of a directory were drawn with: `.manifest.drawn`, a line of JSON for each way.
//!
//! A run adds its way before it draws the first map, so that no map is there of which nothing is said. Once
//! all that is listed was drawn or looked at by one run, its way alone is left. What a way is made of
//! [`plan`](crate::plan::Drawn) knows.

use std::io::{self, Write as _};

use super::{Entries, Journal, Key, Listed, ManifestError, Places, Status, io_error, lines::Lines};
use crate::sink::Dir;

/// Name of the list in the output directory.
const DRAWN_FILE: &str = ".manifest.drawn";
/// A directory that was drawn in a thousand ways may say so.
const MOST_BYTES: u64 = 16 << 20;
/// The way of maps that were there before anybody noted one.
const UNKNOWN: &str = "unknown";

/// The ways in which the maps of a directory were drawn; none in one of which nobody knows.
///
/// # Errors
/// When the list cannot be read.
pub fn drawn_with(dir: &Dir) -> Result<Vec<String>, ManifestError> {
    let failed = io_error(&dir.path().join(DRAWN_FILE));
    let mut lines = match dir.open_file(DRAWN_FILE, MOST_BYTES) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        file => Lines::new(file.map_err(&failed)?),
    };
    let mut ways = Vec::new();
    while let Some(line) = lines.next().map_err(&failed)? {
        ways.push(String::from_utf8_lossy(line).into_owned());
    }
    Ok(ways)
}

impl Journal<'_> {
    /// Notes a way in which maps are drawn from now on.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub fn draws_with(&self, way: &str) -> Result<(), ManifestError> {
        self.locked(|| {
            let ways = drawn_with(&self.dir)?;
            if ways.iter().any(|known| known == way) {
                return Ok(());
            }
            let first = match ways.is_empty() && !self.known.is_empty() {
                true => format!("{UNKNOWN}\n"),
                false => String::new(),
            };
            let failed = io_error(&self.dir.path().join(DRAWN_FILE));
            let mut file = self.dir.append(DRAWN_FILE).map_err(&failed)?;
            file.write_all(format!("{first}{way}\n").as_bytes())
                .map_err(failed)
        })
    }
}

impl Listed<'_> {
    /// Leaves one way alone, if it is that of all that is listed: of the maps that a run wanted, drew and
    /// found as it would have drawn them.
    ///
    /// # Errors
    /// When the manifest cannot be read, or the list not written.
    pub fn is_drawn_with(
        &self,
        way: &str,
        wanted: impl Iterator<Item = Key>,
    ) -> Result<(), ManifestError> {
        if drawn_with(self.dir)?.len() < 2 {
            return Ok(());
        }
        let wanted = Places::of(wanted);
        for entry in Entries::open(self.dir)?.into_iter().flatten() {
            let entry = entry?;
            let failed = entry.status == Status::Failed && !entry.path.is_empty();
            if failed || !wanted.has(&entry.key) {
                return Ok(());
            }
        }
        let written = self.dir.write(DRAWN_FILE, format!("{way}\n").as_bytes());
        written.map_err(io_error(&self.dir.path().join(DRAWN_FILE)))
    }
}
