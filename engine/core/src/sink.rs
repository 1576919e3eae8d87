//! Where artifacts go: complete files, or none.

use std::{
    fs::File,
    io::{self, ErrorKind, Write as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

/// A file that is complete under a temporary name beside its place. Dropping it removes it.
#[derive(Debug)]
pub struct Pending {
    temporary: Option<PathBuf>,
    target: PathBuf,
}

impl Pending {
    /// Writes bytes beside `target`. The old file, if there is one, stays.
    ///
    /// # Errors
    /// When the directory cannot be written or the disk is full; nothing is left behind.
    pub fn write(target: &Path, bytes: &[u8]) -> io::Result<Self> {
        let (temporary, mut file) = create_beside(target)?;
        let pending = Self {
            temporary: Some(temporary),
            target: target.into(),
        };
        file.write_all(bytes)?;
        Ok(pending)
    }

    /// Where its bytes are until then.
    pub fn path(&self) -> Option<&Path> {
        self.temporary.as_deref()
    }

    /// Puts the file in its place, over the old one.
    ///
    /// # Errors
    /// When it cannot be renamed; the old file stays.
    pub fn publish(mut self) -> io::Result<()> {
        if let Some(temporary) = &self.temporary {
            std::fs::rename(temporary, &self.target)?;
        }
        self.temporary = None;
        Ok(())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            // What failed is reported; a temporary file that cannot be removed changes nothing.
            let _ = std::fs::remove_file(temporary);
        }
    }
}

/// A new file of a name that nobody has: other runs, on other machines too, may use the directory.
fn create_beside(target: &Path) -> io::Result<(PathBuf, File)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let dir = target
        .parent()
        .filter(|dir| !dir.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let temporary = dir.join(format!(".eyemap-{}-{number}.tmp", std::process::id()));
        match File::create_new(&temporary) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            done => return Ok((temporary, done?)),
        }
    }
}

/// Writes a file complete or not at all.
///
/// # Errors
/// When the directory cannot be written or the disk is full; the old file stays.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    Pending::write(path, bytes)?.publish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_left_by_a_killed_run_is_in_nobodys_way() {
        let dir = tempfile::tempdir().expect("a directory");
        for number in 0..2000 {
            let left = format!(".eyemap-{}-{number}.tmp", std::process::id());
            std::fs::write(dir.path().join(left), "").expect("a file");
        }
        let target = dir.path().join("map.svg");
        write_atomically(&target, b"whole").expect("written");
        assert_eq!(std::fs::read(&target).expect("read"), b"whole");
    }

    #[test]
    fn a_file_that_is_not_published_leaves_the_old_one() {
        let dir = tempfile::tempdir().expect("a directory");
        let target = dir.path().join("map.svg");
        write_atomically(&target, b"old").expect("written");
        drop(Pending::write(&target, b"new").expect("written"));
        assert_eq!(std::fs::read(&target).expect("read"), b"old");
        assert_eq!(std::fs::read_dir(dir.path()).expect("listed").count(), 1);
    }
}
