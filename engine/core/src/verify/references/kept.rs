//! Kept pictures, in the layout of binary snapshots of `insta`: a header `X.snap` and bytes
//! `X.snap.svg`; pending ones are `X.snap.new` and `X.snap.new.svg`. An artifact of which hashes alone
//! are kept has a text snapshot while it is pending, and no file once it is in the manifest.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use super::{Line, REFERENCES_DIR, ReferenceError, check_path};
use crate::{
    pipeline::Fingerprint,
    sink::{Dir, Kind},
};

/// Larger headers are none.
const MOST_HEADER_BYTES: u64 = 64 << 10;
/// Larger pictures are none that anybody approved.
pub(crate) const MOST_PICTURE_BYTES: u64 = 1 << 30;
/// Directories deeper than this are none of this program.
const DEEPEST: usize = 8;

/// What stands beside the manifest about an artifact.
#[derive(Debug)]
pub(crate) struct Beside {
    /// Whether it says something else than the manifest said: somebody accepted it there.
    pub(crate) is_new: bool,
    /// Why its header cannot be used.
    pub(crate) damage: Option<String>,
}

/// A picture that should be kept.
#[derive(Debug)]
pub(crate) enum Kept {
    /// Its bytes.
    Picture(Vec<u8>),
    /// Only hashes are kept.
    Hashes,
    /// A file is not there.
    Gone(String),
    /// It is not what was approved.
    Damaged(String),
}

/// The header of an artifact's snapshot, relative to the directory.
pub(crate) fn snap_path(path: &str) -> String {
    format!("{REFERENCES_DIR}/{path}.snap")
}

/// The bytes that belong to a header.
pub(crate) fn payload_path(snap: &str, path: &str) -> String {
    let extension = path.rsplit('.').next().unwrap_or_default();
    format!("{snap}.{extension}")
}

/// Reads a kept picture and checks it against its line.
pub(super) fn read(dir: &Dir, line: &Line, beside: Option<&Beside>) -> Kept {
    if !line.picture {
        return Kept::Hashes;
    }
    let snap = snap_path(&line.path);
    let payload = payload_path(&snap, &line.path);
    let Some(beside) = beside else {
        return Kept::Gone(format!("{snap} is gone"));
    };
    if let Some(damage) = &beside.damage {
        return Kept::Damaged(format!("{snap}: {damage}"));
    }
    match dir.read(&payload, MOST_PICTURE_BYTES) {
        Ok(bytes) if Fingerprint::of_bytes(&bytes) == line.bytes => Kept::Picture(bytes),
        Ok(bytes) => Kept::Damaged(not_approved(&payload, &bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Kept::Gone(format!("{payload} is gone"))
        }
        Err(error) => Kept::Damaged(format!("{payload} cannot be read: {error}")),
    }
}

fn not_approved(path: &str, bytes: &[u8]) -> String {
    let what = match bytes {
        [] => "is empty".to_owned(),
        _ => format!(
            "({} bytes) is not the picture that was approved",
            bytes.len()
        ),
    };
    format!("{path} {what}: it was cut, changed or comes from elsewhere")
}

type Found = (BTreeMap<String, Beside>, BTreeSet<String>);

/// Looks at all files of kept pictures. What a header says wins over the manifest, as somebody accepted
/// it there; lines are changed or added accordingly. Gives what is beside, and files that belong to no
/// artifact.
pub(crate) fn beside(dir: &Dir, lines: &mut Vec<Line>) -> Result<Found, ReferenceError> {
    let files = list(dir)?;
    let mut found = BTreeMap::new();
    let mut strays = BTreeSet::new();
    let mut payloads = BTreeSet::new();
    for file in &files {
        let Some(path) = file
            .strip_suffix(".snap")
            .filter(|path| check_path(path).is_ok())
        else {
            continue;
        };
        payloads.insert(payload_path(file, path));
        found.insert(path.to_owned(), take_in(dir, path, lines));
    }
    // The bytes of an approved picture belong to it, though its header is gone.
    for line in lines.iter().filter(|line| line.picture) {
        let snap = format!("{}.snap", line.path);
        payloads.insert(payload_path(&snap, &line.path));
    }
    for file in files {
        let is_snap = file
            .strip_suffix(".snap")
            .is_some_and(|path| found.contains_key(path));
        let is_pending = file.contains(".snap.new");
        if !is_snap && !is_pending && !payloads.contains(&file) {
            strays.insert(format!("{REFERENCES_DIR}/{file}"));
        }
    }
    Ok((found, strays))
}

fn take_in(dir: &Dir, path: &str, lines: &mut Vec<Line>) -> Beside {
    let line = match header(dir, &snap_path(path)).and_then(|rest| Line::of(path, &rest)) {
        Ok(line) => line,
        Err(damage) => {
            return Beside {
                is_new: false,
                damage: Some(damage),
            };
        }
    };
    let is_new = match lines.binary_search_by(|line| (*line.path).cmp(path)) {
        Ok(at) => {
            let is_new = lines[at] != line;
            lines[at] = line;
            is_new
        }
        Err(at) => {
            lines.insert(at, line);
            true
        }
    };
    Beside {
        is_new,
        damage: None,
    }
}

/// What the header of a snapshot says of the artifact.
pub(crate) fn header(dir: &Dir, snap: &str) -> Result<String, String> {
    let bytes = dir.read(snap, MOST_HEADER_BYTES);
    let bytes = bytes.map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => "it is too large for a header".to_owned(),
        _ => error.to_string(),
    })?;
    let text = String::from_utf8(bytes).map_err(|_| "it is no UTF-8 text".to_owned())?;
    let told = text
        .lines()
        .find_map(|line| line.trim_start().strip_prefix("line:"));
    let told = told.ok_or_else(|| "it has no line of an approved artifact".to_owned())?;
    Ok(told.trim().trim_matches('"').to_owned())
}

/// The text of a header. `title` says what is pending.
pub(crate) fn header_text(line: &Line, title: &str) -> String {
    let title: String = title
        .chars()
        .filter(|c| !c.is_control())
        .take(200)
        .collect();
    let title = title.replace('\\', "\\\\").replace('"', "\\\"");
    let rest = line.rest();
    let extension = line.path.rsplit('.').next().unwrap_or_default();
    match line.picture {
        true => format!(
            "---\ndescription: \"{title}\"\ninfo:\n  line: \"{rest}\"\nextension: {extension}\nsnapshot_kind: binary\n---\n"
        ),
        false => format!("---\ndescription: \"{title}\"\ninfo:\n  line: \"{rest}\"\n---\n{line}\n"),
    }
}

/// Files of kept and pending pictures, relative to their directory, with `/`. Links are listed, not
/// followed.
pub(crate) fn list(dir: &Dir) -> Result<BTreeSet<String>, ReferenceError> {
    let mut files = BTreeSet::new();
    match dir.dir(REFERENCES_DIR) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(files),
        Err(error) => Err(ReferenceError::read(
            &dir.path().join(REFERENCES_DIR),
            error,
        )),
        Ok(root) => list_below(&root, "", 0, &mut files).map(|()| files),
    }
}

fn list_below(
    dir: &Dir,
    above: &str,
    depth: usize,
    files: &mut BTreeSet<String>,
) -> Result<(), ReferenceError> {
    let failed = |error| ReferenceError::read(dir.path(), error);
    for (name, kind) in dir.entries().map_err(failed)? {
        let path = format!("{above}{}", name.to_string_lossy());
        if kind == Kind::Dir && depth < DEEPEST {
            let below = dir.dir(&name).map_err(failed)?;
            list_below(&below, &format!("{path}/"), depth + 1, files)?;
        } else {
            files.insert(path);
        }
    }
    Ok(())
}
