//! What waits to be accepted: files beside the references, or below a directory of their own.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    ReferenceError,
    references::{Line, header, header_text, list, payload_path, snap_path},
};
use crate::{pipeline::Fingerprint, sink};

/// Directory of pending files, where they are not beside the references.
pub const PENDING_DIR: &str = "pending";

/// Header of a pending artifact.
fn new_snap(dir: &Path, path: &str) -> PathBuf {
    let mut name = snap_path(dir, path).into_os_string();
    name.push(".new");
    name.into()
}

/// Writes a pending artifact: its bytes, if they are to be kept, then its header, so that a header never
/// lacks its bytes. Gives the file that shows most, relative to the directory.
pub(super) fn write(
    dir: &Path,
    line: &Line,
    (bytes, title): (Option<&[u8]>, &str),
) -> Result<String, ReferenceError> {
    let snap = new_snap(dir, &line.path);
    let mut shown = snap.clone();
    if let (true, Some(bytes)) = (line.picture, bytes) {
        shown = payload_path(&snap, &line.path);
        publish(&shown, bytes)?;
    }
    publish(&snap, header_text(line, title).as_bytes())?;
    Ok(relative(dir, &shown))
}

fn relative(dir: &Path, path: &Path) -> String {
    let path = path.strip_prefix(dir).unwrap_or(path);
    path.to_string_lossy().replace('\\', "/")
}

/// Writes a file, complete or not at all, and its directories.
pub(super) fn publish(path: &Path, bytes: &[u8]) -> Result<(), ReferenceError> {
    let dir = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir)
        .and_then(|()| sink::write_atomically(path, bytes))
        .map_err(|error| ReferenceError::write(path, error))
}

/// What waits to be accepted of an artifact: its line, and its bytes if they are to be kept.
pub(super) type Waiting = (Line, Option<Vec<u8>>);

/// Reads a pending artifact.
pub(super) fn read(dir: &Path, path: &str) -> Result<Waiting, String> {
    let snap = new_snap(dir, path);
    let shown = |path: &Path| path.display().to_string();
    let line = header(&snap)
        .and_then(|rest| Line::of(path, &rest))
        .map_err(|error| format!("{}: {error}", shown(&snap)))?;
    if !line.picture {
        return Ok((line, None));
    }
    let payload = payload_path(&snap, path);
    let bytes = fs::read(&payload).map_err(|error| format!("{}: {error}", shown(&payload)))?;
    if Fingerprint::of_bytes(&bytes) != line.bytes {
        return Err(format!(
            "{} was changed since it was drawn",
            shown(&payload)
        ));
    }
    Ok((line, Some(bytes)))
}

/// Copies what is pending of an artifact to another directory, as it is.
pub(super) fn copy(from: &Path, to: &Path, path: &str) -> Result<(), ReferenceError> {
    let [from, to] = [from, to].map(|dir| new_snap(dir, path));
    let [from_payload, to_payload] = [&from, &to].map(|snap| payload_path(snap, path));
    match fs::read(&from_payload) {
        Ok(bytes) => publish(&to_payload, &bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(ReferenceError::read(&from_payload, error)),
    }
    let bytes = fs::read(&from).map_err(|error| ReferenceError::read(&from, error))?;
    publish(&to, &bytes)
}

/// Removes what was pending of an artifact. What is not there is no error.
pub(super) fn remove(dir: &Path, path: &str) -> Result<(), ReferenceError> {
    let snap = new_snap(dir, path);
    remove_file(&payload_path(&snap, path))?;
    remove_file(&snap)
}

/// Removes a file that may be gone already.
pub(super) fn remove_file(path: &Path) -> Result<(), ReferenceError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(ReferenceError::write(path, error))
        }
        _ => Ok(()),
    }
}

/// Removes everything that is pending in a directory: what an earlier comparison found is no news.
pub(super) fn clear(dir: &Path) -> Result<(), ReferenceError> {
    let root = dir.join(super::REFERENCES_DIR);
    let mut files = BTreeSet::new();
    list(&root, &root, 0, &mut files)?;
    for file in files.iter().filter(|file| is_pending(file)) {
        remove_file(&root.join(file))?;
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
        let dir = tempfile::tempdir().unwrap();
        let (bytes, title) = (b"picture\r\n\0".as_slice(), "a \"title\"\n---\nline: x");
        for picture in [true, false] {
            let line = line(bytes, picture);
            write(dir.path(), &line, (Some(bytes), title)).unwrap();
            let found = read(dir.path(), PATH).unwrap();
            assert_eq!(found, (line, picture.then(|| bytes.to_vec())));
        }
        clear(dir.path()).unwrap();
        assert!(read(dir.path(), PATH).is_err());
    }

    #[test]
    fn bytes_that_were_changed_are_not_taken() {
        let dir = tempfile::tempdir().unwrap();
        let shown = write(dir.path(), &line(b"one", true), (Some(b"one"), "")).unwrap();
        fs::write(dir.path().join(shown), "two").unwrap();
        assert!(read(dir.path(), PATH).unwrap_err().contains("was changed"));
    }
}
