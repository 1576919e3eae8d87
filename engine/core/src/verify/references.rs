//! A snapshot directory: what was approved.
//!
//! ```text
//! snapshots/
//!   verify.toml                            what is drawn and how it is compared
//!   manifest.txt                           a line for every approved artifact
//!   references/ME_R/synapses/Tm3.svg.snap  a kept picture: its line
//!   references/ME_R/synapses/Tm3.svg.snap.svg    and its bytes
//! ```
//!
//! Kept pictures have the layout of binary snapshots of the crate `insta`, so that `cargo insta review`
//! can accept what is pending. What it accepted stands beside the manifest until the next `accept`
//! takes it in; until then the file beside wins.

mod kept;
mod line;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
};

pub(super) use kept::{
    Beside, Kept, MOST_PICTURE_BYTES, beside, header, header_text, list, payload_path, snap_path,
};
pub(super) use line::{Line, check_path, map_of};

use crate::{
    fingerprint::Hash,
    sink::{Dir, Refused},
};

/// Name of the manifest in a snapshot directory.
pub const MANIFEST_FILE: &str = "manifest.txt";
/// Directory of kept pictures in a snapshot directory.
pub const REFERENCES_DIR: &str = "references";
const HEADER: &str = "# eyemap snapshots, form ";
const FORM: &str = "1";
/// A larger manifest is none: it would list more than five million artifacts.
const MOST_BYTES: u64 = 1 << 30;

/// Why approved pictures cannot be used as a whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// Nothing has been approved.
    #[error("{} has no approved pictures", .dir.display())]
    None {
        /// The snapshot directory.
        dir: PathBuf,
    },
    /// The manifest cannot be understood.
    #[error("{}, line {line}: {message}", .path.display())]
    Damaged {
        /// The manifest.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        message: String,
    },
    /// The manifest is of another form.
    #[error("{} is of form {found:?}, and this program knows form {FORM:?}", .path.display())]
    OtherForm {
        /// The manifest.
        path: PathBuf,
        /// What it says it is.
        found: String,
    },
    /// Something cannot be read or written.
    #[error("cannot {what} {}", .path.display())]
    Io {
        /// `read` or `write`.
        what: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl ReferenceError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::None { dir } if dir.join(REFERENCES_DIR).exists() => format!("{MANIFEST_FILE} is gone and {REFERENCES_DIR}/ is there: take the file from version control, or approve anew with `eyemap verify init TABLE`"),
            Self::None { .. } => "`eyemap verify init TABLE` draws pictures and approves them; name another directory with --snapshots".into(),
            Self::Damaged { .. } => "take the file from version control, or approve anew: remove it and run `eyemap verify init`".into(),
            Self::OtherForm { .. } => "use the program that wrote it, or remove the directory and approve anew with `eyemap verify init`".into(),
            Self::Io { source, .. } if Refused::of(source).is_some() => "nothing was changed there or behind it; you can write elsewhere with --out".into(),
            Self::Io { what: "write", source, .. } if source.kind() == io::ErrorKind::StorageFull => "the disk is full: free space and run the same command again".into(),
            Self::Io { what: "write", .. } => "make the directory writable, or write elsewhere with --out".into(),
            Self::Io { .. } => "check the path and its permissions".into(),
        }
    }

    /// Whether references are missing, rather than damaged or out of reach.
    pub const fn is_missing(&self) -> bool {
        matches!(self, Self::None { .. })
    }

    /// Whether references are damaged or of another form.
    pub const fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::OtherForm { .. })
    }

    pub(super) fn read(path: &Path, source: io::Error) -> Self {
        Self::Io {
            what: "read",
            path: path.into(),
            source,
        }
    }

    pub(super) fn write(path: &Path, source: io::Error) -> Self {
        Self::Io {
            what: "write",
            path: path.into(),
            source,
        }
    }
}

/// Everything that was approved.
#[derive(Debug)]
pub struct References {
    dir: PathBuf,
    /// None if nothing has been approved yet.
    root: Option<Dir>,
    /// By path, rising.
    lines: Vec<Line>,
    /// Files beside the manifest, by the path of their artifact.
    beside: BTreeMap<String, Beside>,
    /// Files that belong to no artifact, relative to the snapshot directory.
    pub(super) strays: BTreeSet<String>,
    hash: String,
}

impl References {
    /// Reads the manifest and looks what is beside it.
    ///
    /// # Errors
    /// When there is none, it cannot be read, or it cannot be understood.
    pub fn read(dir: &Path) -> Result<Self, ReferenceError> {
        let path = dir.join(MANIFEST_FILE);
        let read = || {
            let root = Dir::open(dir)?;
            let bytes = root.read(MANIFEST_FILE, MOST_BYTES)?;
            Ok((root, bytes))
        };
        let (root, bytes) = read().map_err(|error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => ReferenceError::None { dir: dir.into() },
            _ => ReferenceError::read(&path, error),
        })?;
        let mut lines = parse(&path, &bytes)?;
        let (beside, strays) = beside(&root, &mut lines)?;
        Ok(Self {
            dir: dir.into(),
            root: Some(root),
            hash: manifest_hash(&lines),
            lines,
            beside,
            strays,
        })
    }

    /// A directory where nothing has been approved yet.
    pub fn none(dir: &Path) -> Self {
        Self {
            dir: dir.into(),
            root: None,
            lines: Vec::new(),
            beside: BTreeMap::new(),
            strays: BTreeSet::new(),
            hash: manifest_hash(&[]),
        }
    }

    /// The snapshot directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Number of approved artifacts.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether nothing is approved.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// A hash of all that is approved, in hexadecimal digits.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Number of artifacts that were accepted beside the manifest and wait to be taken in.
    pub fn accepted_beside(&self) -> usize {
        let new = |beside: &&Beside| beside.is_new;
        self.beside.values().filter(new).count()
    }

    /// Artifacts that have a header beside the manifest.
    pub(super) fn beside_paths(&self) -> impl Iterator<Item = &str> {
        self.beside.keys().map(String::as_str)
    }

    pub(super) fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// What is approved of an artifact.
    pub(super) fn line(&self, path: &str) -> Option<&Line> {
        let found = self
            .lines
            .binary_search_by(|line| (*line.path).cmp(path))
            .ok()?;
        Some(&self.lines[found])
    }

    /// The picture of a line that keeps one.
    pub(super) fn kept(&self, line: &Line) -> Kept {
        match &self.root {
            Some(root) => kept::read(root, line, self.beside.get(&*line.path)),
            None => Kept::Hashes,
        }
    }
}

fn manifest_hash(lines: &[Line]) -> String {
    let mut hash = Hash::new();
    for line in lines {
        hash.text(&line.to_string());
    }
    hash.finish().to_string()
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Vec<Line>, ReferenceError> {
    let damaged = |line: usize, message: String| ReferenceError::Damaged {
        path: path.into(),
        line,
        message,
    };
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        damaged(line, "it is no UTF-8 text".into())
    })?;
    let first = text.lines().next().unwrap_or_default();
    let form = first.strip_prefix(HEADER);
    let form = form.ok_or_else(|| damaged(1, format!("it does not begin with {HEADER:?}")))?;
    let form = form.split(':').next().unwrap_or_default();
    if form != FORM {
        return Err(ReferenceError::OtherForm {
            path: path.into(),
            found: form.chars().take(40).collect(),
        });
    }
    if !text.ends_with('\n') {
        return Err(damaged(
            text.lines().count(),
            "it ends in the middle of a line".into(),
        ));
    }
    let mut lines: Vec<Line> = Vec::new();
    for (i, text) in text.lines().enumerate().skip(1) {
        let line = Line::parse(text).map_err(|message| damaged(i + 1, message))?;
        if lines.last().is_some_and(|last| last.path >= line.path) {
            return Err(damaged(
                i + 1,
                format!("{} is not after the line before it", line.path),
            ));
        }
        lines.push(line);
    }
    Ok(lines)
}

/// Writes a manifest, complete or not at all.
pub(super) fn write_manifest(dir: &Dir, lines: &[Line]) -> Result<(), ReferenceError> {
    let mut text = format!(
        "{HEADER}{FORM}: artifact, hash of its bytes, hashes of its structure, hash of its pixels, what is kept\n"
    );
    for line in lines {
        text.push_str(&line.to_string());
        text.push('\n');
    }
    dir.write(MANIFEST_FILE, text.as_bytes())
        .map_err(|error| ReferenceError::write(&dir.path().join(MANIFEST_FILE), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "ME_R/synapses/Tm3.png 00112233445566778899aabbccddeeff - ffeeddccbbaa99887766554433221100 hash";

    fn read(text: &str) -> Result<References, ReferenceError> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(MANIFEST_FILE), text).unwrap();
        References::read(dir.path())
    }

    #[test]
    fn a_manifest_is_read_as_it_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let lines = [Line::parse(LINE).unwrap()];
        write_manifest(&Dir::open(dir.path()).unwrap(), &lines).unwrap();
        let found = References::read(dir.path()).unwrap();
        assert_eq!(found.lines(), lines);
        assert_eq!(found.line("ME_R/synapses/Tm3.png"), Some(&lines[0]));
        assert_eq!(found.line("ME_R/synapses/Tm4.png"), None);
    }

    #[test]
    fn what_is_damaged_is_told_with_its_line() {
        let header = format!("{HEADER}{FORM}\n");
        let cases = [
            ("", "line 1"),
            ("<<<<<<< ours\n", "line 1"),
            (&format!("{header}{LINE}"), "line 2: it ends in the middle"),
            (
                &format!("{header}{LINE}\n{LINE}\n"),
                "line 3: ME_R/synapses/Tm3.png is not after",
            ),
            (&format!("{header}======= \n"), "line 2"),
        ];
        for (text, told) in cases {
            let error = read(text).unwrap_err();
            assert!(
                error.is_damage() && error.to_string().contains(told),
                "{error}"
            );
        }
        let error = read("# eyemap snapshots, form 2: x\n").unwrap_err();
        assert!(matches!(&error, ReferenceError::OtherForm { found, .. } if found == "2"));
        let nothing = tempfile::tempdir().unwrap();
        assert!(References::read(nothing.path()).unwrap_err().is_missing());
    }
}
