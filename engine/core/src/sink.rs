//! Where artifacts go: complete files, or none.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod archive;
mod beneath;
mod scratch;
pub mod state;

use std::{
    fs::File,
    io::{self, BufWriter, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

pub use archive::{ArchiveKind, ArchiveWriter};
pub use beneath::{Dir, Look};
pub use scratch::{SCRATCH_DIR, Scratch, sweep};
pub use state::{Bounded, Kind, Refused};

/// A file that is complete under a temporary name. Dropping it removes it.
#[derive(Debug)]
pub struct Pending {
    /// Where its bytes are; none once it is published.
    temporary: Option<String>,
    dir: Dir,
    out: Dir,
    target: PathBuf,
}

impl Pending {
    /// Writes bytes into the directory of a run; they go to `target`, relative to the output directory,
    /// when they are published.
    ///
    /// # Errors
    /// When the directory cannot be written or the disk is full; nothing is left behind.
    pub fn write_in(scratch: &Scratch, target: impl AsRef<Path>, bytes: &[u8]) -> io::Result<Self> {
        let (pending, mut file) = Self::create_in(scratch, target.as_ref())?;
        file.write_all(bytes)?;
        Ok(pending)
    }

    /// A file of another directory, as a link to it, or as a copy where there can be none: on another
    /// disk. Whether it is a link comes with it.
    ///
    /// # Errors
    /// When it is no regular file or cannot be read, or the directory of the run cannot be written.
    pub fn link_in(scratch: &Scratch, from: &Dir, name: &str) -> io::Result<(Self, bool)> {
        let temporary = scratch.reserve();
        let look = from.look(name)?.ok_or(io::ErrorKind::NotFound)?;
        let linked =
            look.kind == Kind::File && from.link_to(name, scratch.dir(), &temporary).is_ok();
        if linked {
            return Ok((Self::named(scratch, temporary, Path::new(name)), true));
        }
        let (pending, mut file) = Self::create_in(scratch, Path::new(name))?;
        io::copy(&mut from.open_file(name, look.bytes)?, &mut file)?;
        Ok((pending, false))
    }

    /// Starts a file in the directory of a run that is written piece by piece, for a target relative to the
    /// output directory.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn begin(scratch: &Scratch, target: impl AsRef<Path>) -> io::Result<PendingWriter> {
        let (pending, file) = Self::create_in(scratch, target.as_ref())?;
        Ok(PendingWriter::new(pending, file))
    }

    /// Starts a file beside `target`, which the user named, that is written piece by piece.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn begin_beside(target: &Path) -> io::Result<PendingWriter> {
        let (dir, name) = split(target)?;
        let (temporary, file) = dir.create_temporary()?;
        let pending = Self {
            temporary: Some(temporary),
            out: dir.clone(),
            dir,
            target: name,
        };
        Ok(PendingWriter::new(pending, file))
    }

    fn create_in(scratch: &Scratch, target: &Path) -> io::Result<(Self, File)> {
        let (temporary, file) = scratch.create()?;
        Ok((Self::named(scratch, temporary, target), file))
    }

    fn named(scratch: &Scratch, temporary: String, target: &Path) -> Self {
        Self {
            temporary: Some(temporary),
            dir: scratch.dir().clone(),
            out: scratch.out().clone(),
            target: target.into(),
        }
    }

    /// Where its bytes are until then.
    pub fn path(&self) -> Option<PathBuf> {
        let temporary = self.temporary.as_ref()?;
        Some(self.dir.path().join(temporary))
    }

    /// How it looks; the same before and after it is published.
    pub fn look(&self) -> Option<Look> {
        self.dir.look(self.temporary.as_ref()?).ok()?
    }

    /// Opens it to be read.
    ///
    /// # Errors
    /// When it cannot be opened, or was published.
    pub fn open(&self) -> io::Result<File> {
        let temporary = self.temporary.as_ref().ok_or(io::ErrorKind::NotFound)?;
        self.dir.update(temporary)
    }

    /// Puts the file in its place, over the old one; directories are created as needed. Gives whether it is
    /// still the same file: it is not where it had to be copied to another disk.
    ///
    /// # Errors
    /// When it cannot be renamed; the old file stays. What lies in its way, or is a link on its way, is
    /// [named](Refused).
    pub fn publish(mut self) -> io::Result<bool> {
        let Some(temporary) = &self.temporary else {
            return Ok(true);
        };
        match self.dir.rename(temporary, &self.out, &self.target) {
            // Another disk is mounted in the output directory.
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                self.out.write_from(&self.target, &mut self.open()?)?;
                Ok(false)
            }
            renamed => {
                renamed?;
                self.temporary = None;
                Ok(true)
            }
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
    fn new(pending: Pending, file: File) -> Self {
        Self {
            pending,
            file: BufWriter::with_capacity(BUFFER, file),
        }
    }

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

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            // What failed is reported; a temporary file that cannot be removed changes nothing.
            let _ = self.dir.remove(temporary);
        }
    }
}

/// The directory of a file that the user named, and its name there.
fn split(path: &Path) -> io::Result<(Dir, PathBuf)> {
    let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
    let dir = Dir::open(path.parent().unwrap_or(Path::new("")))?;
    Ok((dir, name.into()))
}

/// Writes a file that the user named, complete or not at all.
///
/// # Errors
/// When the directory cannot be written or the disk is full; the old file stays.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (dir, name) = split(path)?;
    dir.write(name, bytes)
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
        let mut pending = Pending::begin_beside(&target).expect("begun");
        pending.write_all(b"new").expect("written");
        drop(pending);
        assert_eq!(std::fs::read(&target).expect("read"), b"old");
        assert_eq!(std::fs::read_dir(dir.path()).expect("listed").count(), 1);
    }
}
