//! The manifest a line at a time: read, checked and written without being held.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use super::{
    Entry, FORM, Key, MANIFEST_FILE, MOST_BYTES, ManifestError, damaged, io_error, lines::Lines,
    unreadable,
};
use crate::sink::{Bounded, Dir, Pending, PendingWriter, Scratch};

const END: &[u8] = b"]}";

fn first_line() -> String {
    format!("{{\"form\":{FORM},\"maps\":[")
}

/// The entries of a manifest, rising by key. Each is checked: its form, its order, that its path is
/// that of its map. After an error there is nothing more.
#[derive(Debug)]
pub struct Entries {
    path: PathBuf,
    lines: Lines<Bounded>,
    last: Option<Key>,
    /// Whether the last entry had a comma after it.
    more: bool,
    ended: bool,
}

impl Entries {
    /// Opens the manifest of a directory; none if it has none.
    ///
    /// # Errors
    /// When it cannot be read, or its first line is that of another form.
    pub fn open(dir: &Dir) -> Result<Option<Self>, ManifestError> {
        let path = dir.path().join(MANIFEST_FILE);
        let file = match dir.open_file(MANIFEST_FILE, MOST_BYTES) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(io_error(&path))?,
        };
        let mut entries = Self {
            lines: Lines::new(file),
            path,
            last: None,
            more: true,
            ended: false,
        };
        let first = entries.lines.next();
        let reason = match first.map_err(|error| unreadable(&entries.path, error))? {
            Some(line) if line == first_line().as_bytes() => return Ok(Some(entries)),
            Some(line) => other_form(line),
            None => "it has no whole line".into(),
        };
        Err(damaged(&entries.path, reason))
    }

    fn read(&mut self) -> Result<Option<Entry>, ManifestError> {
        let number = self.lines.number + 1;
        let line = match self.lines.next() {
            Ok(Some(line)) => line,
            Ok(None) => return Err(damaged(&self.path, format!("it ends in line {number}"))),
            Err(error) => return Err(unreadable(&self.path, error)),
        };
        let at_end = line == END;
        if at_end && (!self.more || self.last.is_none()) {
            return self.end();
        }
        let (text, more) = match line.strip_suffix(b",") {
            Some(text) => (text, true),
            None => (line, false),
        };
        let entry = serde_json::from_slice::<Entry>(text);
        if at_end || !self.more {
            return Err(damaged(
                &self.path,
                format!("line {number}: a comma is wrong before it"),
            ));
        }
        self.more = more;
        let entry = entry
            .map_err(|error| damaged(&self.path, format!("line {number} is no entry: {error}")))?;
        self.check(&entry, number)?;
        self.last = Some(entry.key.clone());
        Ok(Some(entry))
    }

    fn check(&self, entry: &Entry, number: u64) -> Result<(), ManifestError> {
        if !entry.is_in_place() {
            let path = match &entry.archive {
                Some(archive) => format!("{:?} in {archive:?}", entry.path),
                None => format!("{:?}", entry.path),
            };
            return Err(damaged(
                &self.path,
                format!("line {number}: {path} is not the path of its map"),
            ));
        }
        if self.last.as_ref().is_some_and(|last| *last >= entry.key) {
            return Err(damaged(
                &self.path,
                format!("line {number} is out of order"),
            ));
        }
        Ok(())
    }

    fn end(&mut self) -> Result<Option<Entry>, ManifestError> {
        let more = self.lines.next().map(|line| line.is_some());
        match more {
            Ok(false) if !self.lines.is_cut() => Ok(None),
            Ok(_) => Err(damaged(&self.path, "there is more after its end".into())),
            Err(error) => Err(unreadable(&self.path, error)),
        }
    }
}

impl Iterator for Entries {
    type Item = Result<Entry, ManifestError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let entry = self.read().transpose();
        self.ended = !matches!(entry, Some(Ok(_)));
        entry
    }
}

/// What a first line that is not ours says of itself.
fn other_form(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let form = text.strip_prefix("{\"form\":").map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit());
        &rest[..end.unwrap_or(rest.len())]
    });
    match form {
        Some(form) if !form.is_empty() && form != FORM.to_string() => {
            format!("it has form {form}, this engine knows {FORM}")
        }
        _ => format!("its first line is not {}", first_line()),
    }
}

/// How many things are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Entries: maps in formats.
    pub entries: u64,
    /// Maps, whatever their formats.
    pub maps: u64,
    /// Cell types.
    pub cell_types: u64,
}

impl Counts {
    /// Counts keys that rise.
    pub fn of<'a>(keys: impl Iterator<Item = &'a Key>) -> Self {
        let (mut counts, mut last) = (Self::default(), None);
        for key in keys {
            counts.add(last, key);
            last = Some(key);
        }
        counts
    }

    fn add(&mut self, last: Option<&Key>, key: &Key) {
        let same_type = last.is_some_and(|last| last.cell_type == key.cell_type);
        self.entries += 1;
        self.maps += u64::from(!last.is_some_and(|last| last.is_same_map(key)));
        self.cell_types += u64::from(!same_type);
    }
}

/// Writes the lines of a manifest and counts them.
#[derive(Debug, Default)]
pub(super) struct Writer {
    counts: Counts,
    last: Option<Key>,
}

impl Writer {
    /// Writes an entry. They come rising by key.
    pub(super) fn push(&mut self, out: &mut impl Write, entry: &Entry) -> io::Result<()> {
        if self.last.is_none() {
            out.write_all(first_line().as_bytes())?;
            out.write_all(b"\n")?;
        } else {
            out.write_all(b",\n")?;
        }
        self.counts.add(self.last.as_ref(), &entry.key);
        self.last = Some(entry.key.clone());
        serde_json::to_writer(out, entry)?;
        Ok(())
    }

    pub(super) fn end(self, out: &mut impl Write) -> io::Result<Counts> {
        if self.last.is_none() {
            out.write_all(first_line().as_bytes())?;
        }
        out.write_all(b"\n]}\n")?;
        Ok(self.counts)
    }
}

/// A manifest that is being written: complete, or not there.
#[derive(Debug)]
pub struct ManifestWriter {
    path: PathBuf,
    out: PendingWriter,
    writer: Writer,
}

impl ManifestWriter {
    /// Starts the manifest of the output directory of a run.
    ///
    /// # Errors
    /// When the directory of the run cannot be written.
    pub fn begin(scratch: &Scratch) -> Result<Self, ManifestError> {
        let path = scratch.out().path().join(MANIFEST_FILE);
        let out = Pending::begin(scratch, MANIFEST_FILE).map_err(io_error(&path))?;
        Ok(Self {
            path,
            out,
            writer: Writer::default(),
        })
    }

    /// Writes an entry. They come rising by key.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn push(&mut self, entry: &Entry) -> Result<(), ManifestError> {
        let written = self.writer.push(&mut self.out, entry);
        written.map_err(io_error(&self.path))
    }

    /// Puts it in its place.
    ///
    /// # Errors
    /// When the disk is full; the old manifest stays.
    pub fn publish(mut self) -> Result<Counts, ManifestError> {
        let counts = self.writer.end(&mut self.out);
        let published = counts.and_then(|counts| {
            self.out.finish()?.publish()?;
            Ok(counts)
        });
        published.map_err(io_error(&self.path))
    }
}
