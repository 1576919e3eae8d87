//! Where artifacts go: complete files, or none.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod archive;
mod beneath;
mod scratch;
pub mod state;

use std::{
    fs::File,
    io::{self, BufWriter, ErrorKind, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

pub use archive::{ArchiveKind, ArchiveWriter};
pub use beneath::{Dir, Look};
pub use scratch::{SCRATCH_DIR, Scratch, sweep};
pub use state::{Bounded, Kind, Refused};

/// A file that is complete under a temporary name. Dropping it removes it.
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

    /// Writes bytes into the directory of a run; they go to `target` when they are published.
    ///
    /// # Errors
    /// When the directory cannot be written or the disk is full; nothing is left behind.
    pub fn write_in(scratch: &Scratch, target: &Path, bytes: &[u8]) -> io::Result<Self> {
        let (temporary, mut file) = scratch.create()?;
        let pending = Self {
            temporary: Some(temporary),
            target: target.into(),
        };
        file.write_all(bytes)?;
        Ok(pending)
    }

    /// A file that is there already, as a link to it, or as a copy where there can be none: on another
    /// disk. Whether it is a link comes with it.
    ///
    /// # Errors
    /// When it cannot be read, or the directory of the run cannot be written.
    pub fn link_in(scratch: &Scratch, from: &Path, target: &Path) -> io::Result<(Self, bool)> {
        let temporary = scratch.reserve();
        let linked = std::fs::hard_link(from, &temporary).is_ok();
        let pending = Self {
            temporary: Some(temporary.clone()),
            target: target.into(),
        };
        if !linked {
            let mut file = File::create_new(&temporary)?;
            io::copy(&mut File::open(from)?, &mut file)?;
        }
        Ok((pending, linked))
    }

    /// Starts a file in the directory of a run that is written piece by piece.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn begin(scratch: &Scratch, target: &Path) -> io::Result<PendingWriter> {
        let (temporary, file) = scratch.create()?;
        Ok(PendingWriter {
            pending: Self {
                temporary: Some(temporary),
                target: target.into(),
            },
            file: BufWriter::with_capacity(BUFFER, file),
        })
    }

    /// Starts a file beside `target` that is written piece by piece.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn begin_beside(target: &Path) -> io::Result<PendingWriter> {
        let (temporary, file) = create_beside(target)?;
        Ok(PendingWriter {
            pending: Self {
                temporary: Some(temporary),
                target: target.into(),
            },
            file: BufWriter::with_capacity(BUFFER, file),
        })
    }

    /// Where its bytes are until then.
    pub fn path(&self) -> Option<&Path> {
        self.temporary.as_deref()
    }

    /// Puts the file in its place, over the old one; directories are created as needed.
    ///
    /// # Errors
    /// When it cannot be renamed; the old file stays.
    pub fn publish(mut self) -> io::Result<()> {
        if let Some(temporary) = &self.temporary {
            self.rename(temporary)?;
        }
        self.temporary = None;
        Ok(())
    }

    fn rename(&self, temporary: &Path) -> io::Result<()> {
        let mut renamed = std::fs::rename(temporary, &self.target);
        if let (Err(error), Some(dir)) = (&renamed, self.target.parent())
            && error.kind() == ErrorKind::NotFound
        {
            std::fs::create_dir_all(dir)?;
            renamed = std::fs::rename(temporary, &self.target);
        }
        match renamed {
            // A directory that is a link to another disk.
            Err(error) if error.kind() == ErrorKind::CrossesDevices => {
                copy_atomically(temporary, &self.target)?;
                std::fs::remove_file(temporary)
            }
            renamed => renamed,
        }
    }
}

/// Bytes on their way into a file are gathered up to this number.
const BUFFER: usize = 64 << 10;

/// A file in the directory of a run that is being written.
#[derive(Debug)]
pub struct PendingWriter {
    file: BufWriter<File>,
    pending: Pending,
}

impl PendingWriter {
    /// Ends the file. It still waits to be published.
    ///
    /// # Errors
    /// When the disk is full; nothing is left behind.
    pub fn finish(mut self) -> io::Result<Pending> {
        self.file.flush()?;
        Ok(self.pending)
    }
}

impl Write for PendingWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for PendingWriter {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// Copies a file complete or not at all.
///
/// # Errors
/// When it cannot be read or written; the old file stays.
pub fn copy_atomically(from: &Path, to: &Path) -> io::Result<()> {
    let (temporary, mut file) = create_beside(to)?;
    let pending = Pending {
        temporary: Some(temporary),
        target: to.into(),
    };
    io::copy(&mut File::open(from)?, &mut file)?;
    pending.publish()
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
