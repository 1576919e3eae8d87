//! Writes a directory completely or not at all.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::ScaffoldError;

/// Writes files, by path relative to `dir`, which is not there yet or an empty directory.
///
/// They are written beside it and moved there in one step, which fails where somebody else was quicker.
pub(crate) fn write(dir: &Path, files: &[(String, String)]) -> Result<(), ScaffoldError> {
    let failed = |path: &Path, source| ScaffoldError::Write {
        path: path.to_owned(),
        source,
    };
    refuse_occupied(dir)?;
    let parent = parent(dir);
    if !parent.is_dir() {
        return Err(ScaffoldError::NoParent { path: parent });
    }
    let scratch = tempfile::Builder::new()
        .prefix(".eyemap-new-")
        .tempdir_in(&parent)
        .map_err(|error| failed(&parent, error))?;
    // A directory of its own, so that it has the usual permissions and not those of a private one.
    let made = scratch.path().join("crate");
    for (path, text) in files {
        let file = made.join(path);
        write_file(&file, text).map_err(|error| failed(&dir.join(path), error))?;
    }
    fs::rename(&made, dir).map_err(|error| failed(dir, error))
}

fn write_file(file: &Path, text: &str) -> io::Result<()> {
    fs::create_dir_all(file.parent().unwrap_or(file))?;
    fs::write(file, text)
}

/// The directory that `dir` is in; that of a bare name is the current one.
fn parent(dir: &Path) -> PathBuf {
    match dir.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn refuse_occupied(dir: &Path) -> Result<(), ScaffoldError> {
    let occupied = |what| {
        Err(ScaffoldError::Occupied {
            path: dir.to_owned(),
            what,
        })
    };
    let kind = match fs::symlink_metadata(dir) {
        Ok(found) => found.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => {
            let path = dir.to_owned();
            return Err(ScaffoldError::Write { path, source });
        }
    };
    if !kind.is_dir() {
        return occupied("and is no directory");
    }
    // Who stands in it would be left in a directory that is no more.
    let here = |path: &Path| path.canonicalize().ok();
    if here(dir).is_some() && here(dir) == here(Path::new(".")) {
        return occupied("as the current directory");
    }
    match fs::read_dir(dir).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => occupied("and is not empty"),
        Err(source) => {
            let path = dir.to_owned();
            Err(ScaffoldError::Write { path, source })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Vec<(String, String)> {
        vec![("a.txt".into(), "a".into()), ("b/c.txt".into(), "c".into())]
    }

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).expect("a directory").flatten();
        let mut names: Vec<_> = entries
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_new_and_an_empty_directory_are_filled() {
        let home = tempfile::tempdir().expect("a directory");
        let empty = home.path().join("empty");
        fs::create_dir(&empty).expect("a directory");
        for dir in [home.path().join("new"), empty] {
            write(&dir, &files()).expect("written");
            assert_eq!(names(&dir), ["a.txt", "b"]);
            assert_eq!(
                fs::read_to_string(dir.join("b/c.txt")).expect("a file"),
                "c"
            );
        }
        assert_eq!(names(home.path()), ["empty", "new"]);
    }

    #[test]
    fn what_is_there_is_not_touched_and_nothing_is_left_behind() {
        let home = tempfile::tempdir().expect("a directory");
        let at = |name: &str| home.path().join(name);
        fs::create_dir(at("full")).expect("a directory");
        fs::write(at("full/x"), "mine").expect("a file");
        fs::write(at("file"), "mine").expect("a file");
        std::os::unix::fs::symlink(at("nowhere"), at("link")).expect("a link");
        for name in ["full", "file", "link"] {
            let refused = write(&at(name), &files()).expect_err("refused");
            assert!(
                matches!(refused, ScaffoldError::Occupied { .. }),
                "{name}: {refused}"
            );
        }
        let refused = write(&at("no/such"), &files()).expect_err("refused");
        assert!(
            matches!(refused, ScaffoldError::NoParent { .. }),
            "{refused}"
        );
        let here = write(Path::new("."), &files()).expect_err("refused");
        assert!(here.to_string().contains("current directory"), "{here}");
        // A file where a directory has to be: the second file fails after the first was written.
        let clash = vec![("a".into(), "x".into()), ("a/b".into(), "y".into())];
        let failed = write(&at("half"), &clash).expect_err("failed");
        assert!(matches!(failed, ScaffoldError::Write { .. }), "{failed}");
        assert_eq!(names(home.path()), ["file", "full", "link"]);
        assert_eq!(names(&at("full")), ["x"]);
    }
}
