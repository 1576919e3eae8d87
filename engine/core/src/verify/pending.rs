//! What waits to be accepted: files beside the references, or below a directory of their own.

use std::{io, path::Path};

use super::{
    ReferenceError,
    references::{Line, MOST_PICTURE_BYTES, header, header_text, list, payload_path, snap_path},
};
use crate::{pipeline::Fingerprint, sink::Dir};

/// Directory of pending files, where they are not beside the references.
pub const PENDING_DIR: &str = "pending";

/// Opens a directory of a comparison, if it is there. What the user named may be a link; what we named within
/// it, `report` and `pending`, may not: it would lead out of what was approved.
pub(super) fn open(dir: &Path, snapshots: &Path) -> Result<Option<Dir>, ReferenceError> {
    let (root, below) = split(dir, snapshots);
    let opened = Dir::open(root).and_then(|root| root.dir(below));
    match opened {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        opened => opened
            .map(Some)
            .map_err(|error| ReferenceError::read(dir, error)),
    }
}

/// Opens a directory of a comparison as [`open`] does, and makes it if it is missing.
pub(super) fn make(dir: &Path, snapshots: &Path) -> Result<Dir, ReferenceError> {
    let (root, below) = split(dir, snapshots);
    Dir::create(root)
        .and_then(|root| root.make_dir(below))
        .map_err(|error| ReferenceError::write(dir, error))
}

/// What the user named of a directory, and what we named below that.
fn split<'a>(dir: &'a Path, snapshots: &'a Path) -> (&'a Path, &'a Path) {
    match (dir.strip_prefix(snapshots), dir.parent()) {
        (Ok(below), _) => (snapshots, below),
        (Err(_), Some(above)) if dir.ends_with(PENDING_DIR) => (above, Path::new(PENDING_DIR)),
        _ => (dir, Path::new("")),
    }
}

/// Header of a pending artifact.
pub(super) fn new_snap(path: &str) -> String {
    format!("{}.new", snap_path(path))
}

/// Writes a pending artifact: its bytes, if they are to be kept, then its header, so that a header never
/// lacks its bytes. Gives the file that shows most, relative to the directory.
pub(super) fn write(
    dir: &Dir,
    line: &Line,
    (bytes, title): (Option<&[u8]>, &str),
) -> Result<String, ReferenceError> {
    let snap = new_snap(&line.path);
    let mut shown = snap.clone();
    if let (true, Some(bytes)) = (line.picture, bytes) {
        shown = payload_path(&snap, &line.path);
        publish(dir, &shown, bytes)?;
    }
    publish(dir, &snap, header_text(line, title).as_bytes())?;
    Ok(shown)
}

/// Writes a file, complete or not at all, and its directories.
pub(super) fn publish(dir: &Dir, name: &str, bytes: &[u8]) -> Result<(), ReferenceError> {
    dir.write(name, bytes)
        .map_err(|error| ReferenceError::write(&dir.path().join(name), error))
}

/// What waits to be accepted of an artifact: its line, and its bytes if they are to be kept.
pub(super) type Waiting = (Line, Option<Vec<u8>>);

/// Reads a pending artifact.
pub(super) fn read(dir: &Dir, path: &str) -> Result<Waiting, String> {
    let snap = new_snap(path);
    let shown = |name: &str| dir.path().join(name).display().to_string();
    let line = header(dir, &snap)
        .and_then(|rest| Line::of(path, &rest))
        .map_err(|error| format!("{}: {error}", shown(&snap)))?;
    if !line.picture {
        return Ok((line, None));
    }
    let payload = payload_path(&snap, path);
    let bytes = dir.read(&payload, MOST_PICTURE_BYTES);
    let bytes = bytes.map_err(|error| format!("{}: {error}", shown(&payload)))?;
    if Fingerprint::of_bytes(&bytes) != line.bytes {
        return Err(format!(
            "{} was changed since it was drawn",
            shown(&payload)
        ));
    }
    Ok((line, Some(bytes)))
}

/// Copies what is pending of an artifact to another directory, as it is.
pub(super) fn copy(from: &Dir, to: &Dir, path: &str) -> Result<(), ReferenceError> {
    let snap = new_snap(path);
    let payload = payload_path(&snap, path);
    let failed = |name: &str, error| ReferenceError::read(&from.path().join(name), error);
    match from.read(&payload, MOST_PICTURE_BYTES) {
        Ok(bytes) => publish(to, &payload, &bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(&payload, error)),
    }
    let bytes = from.read(&snap, MOST_PICTURE_BYTES);
    publish(to, &snap, &bytes.map_err(|error| failed(&snap, error))?)
}

/// Removes what was pending of an artifact. What is not there is no error.
pub(super) fn remove(dir: &Dir, path: &str) -> Result<(), ReferenceError> {
    let snap = new_snap(path);
    remove_file(dir, &payload_path(&snap, path))?;
    remove_file(dir, &snap)
}

/// Removes a file that may be gone already.
pub(super) fn remove_file(dir: &Dir, name: &str) -> Result<(), ReferenceError> {
    dir.remove(name)
        .map_err(|error| ReferenceError::write(&dir.path().join(name), error))
}

/// Removes everything that is pending in a directory: what an earlier comparison found is no news.
pub(super) fn clear(dir: &Dir) -> Result<(), ReferenceError> {
    for file in list(dir)?.iter().filter(|file| is_pending(file)) {
        remove_file(dir, &format!("{}/{file}", super::REFERENCES_DIR))?;
    }
    Ok(())
}

/// Whether a name is that of a pending artifact or of its bytes.
fn is_pending(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or_default();
    let after = name.split(".snap.new").nth(1);
    after.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "ME_R/synapses/Tm3.png";

    fn line(bytes: &[u8], picture: bool) -> Line {
        Line {
            path: PATH.into(),
            bytes: Fingerprint::of_bytes(bytes),
            parts: None,
            pixels: None,
            picture,
        }
    }

    #[test]
    fn what_is_pending_is_read_as_it_was_written_and_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let dir = Dir::open(folder.path()).unwrap();
        let (bytes, title) = (b"picture\r\n\0".as_slice(), "a \"title\"\n---\nline: x");
        for picture in [true, false] {
            let line = line(bytes, picture);
            write(&dir, &line, (Some(bytes), title)).unwrap();
            let found = read(&dir, PATH).unwrap();
            assert_eq!(found, (line, picture.then(|| bytes.to_vec())));
        }
        clear(&dir).unwrap();
        assert!(read(&dir, PATH).is_err());
    }

    #[test]
    fn bytes_that_were_changed_are_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let dir = Dir::open(folder.path()).unwrap();
        let shown = write(&dir, &line(b"one", true), (Some(b"one"), "")).unwrap();
        std::fs::write(folder.path().join(shown), "two").unwrap();
        assert!(read(&dir, PATH).unwrap_err().contains("was changed"));
    }
}
