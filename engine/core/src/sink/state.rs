//! What may be read as state: regular files of a bounded size.
//!
//! Where a file of ours belongs there may lie anything: a FIFO that nobody writes into, a device that never
//! ends, a sparse file of a terabyte, a link to a file of somebody else. None of them is read: a name is
//! opened without waiting, the file that was opened is looked at, and no more is read than the caller says
//! that such a file can have.

use std::{
    fs::File,
    io::{self, ErrorKind, Read},
    path::{Path, PathBuf},
};

use rustix::fs::{CWD, FileType, Mode, OFlags, Stat, fstat, openat};

/// What lies under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link, whatever it leads to.
    Link,
    /// A FIFO.
    Fifo,
    /// A device.
    Device,
    /// A socket, or what this system has besides.
    Other,
}

impl Kind {
    pub(super) const fn of(kind: FileType) -> Self {
        match kind {
            FileType::RegularFile => Self::File,
            FileType::Directory => Self::Dir,
            FileType::Symlink => Self::Link,
            FileType::Fifo => Self::Fifo,
            FileType::CharacterDevice | FileType::BlockDevice => Self::Device,
            _ => Self::Other,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::File => "a file",
            Self::Dir => "a directory",
            Self::Link => "a symbolic link",
            Self::Fifo => "a FIFO",
            Self::Device => "a device",
            Self::Other => "a socket",
        }
    }

    /// How an error about it is classed.
    const fn class(self) -> ErrorKind {
        match self {
            Self::Dir => ErrorKind::IsADirectory,
            Self::File => ErrorKind::NotADirectory,
            _ => ErrorKind::InvalidInput,
        }
    }
}

/// Why something is left alone. It travels within an [`io::Error`]; [`Refused::of`] finds it there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// Something else lies where a file belongs.
    #[error("{} is {}, and a regular file belongs there: move it away", .path.display(), .found.name())]
    NoFile {
        /// Where.
        path: PathBuf,
        /// What lies there.
        found: Kind,
    },
    /// Something else lies where a directory belongs. What a link leads to is left alone.
    #[error("{} is {}, and a directory belongs there: move it away{}", .path.display(), .found.name(), remedy(*.found))]
    NoDir {
        /// Where.
        path: PathBuf,
        /// What lies there.
        found: Kind,
    },
    /// A file is larger than one of its sort can be.
    #[error("{} is larger than {}, which no such file is: move it away", .path.display(), bytesize::ByteSize(*.most))]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most that is read of it, in bytes.
        most: u64,
    },
    /// A name that would leave the directory.
    #[error("{} leads out of its directory: name what lies within it", .path.display())]
    Outside {
        /// The directory and the name.
        path: PathBuf,
    },
}

const fn remedy(found: Kind) -> &'static str {
    match found {
        Kind::Link => ", or mount there what it leads to",
        _ => "",
    }
}

impl Refused {
    /// What an error is about, if it is one of these.
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl From<Refused> for io::Error {
    fn from(refused: Refused) -> Self {
        let class = match &refused {
            Refused::NoFile { found, .. } | Refused::NoDir { found, .. } => found.class(),
            Refused::TooLarge { .. } => ErrorKind::FileTooLarge,
            Refused::Outside { .. } => ErrorKind::InvalidInput,
        };
        Self::new(class, refused)
    }
}

/// Neither a link nor a pipe without a writer nor a terminal is worth waiting for.
pub(super) const CAREFUL: OFlags = OFlags::NONBLOCK
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// Opens a file that the user named, to be read up to a size. The name may be a link; what it leads to is a
/// regular file, or is refused.
///
/// # Errors
/// When it cannot be opened, is no regular file, or is larger.
pub fn open(path: &Path, most: u64) -> io::Result<Bounded> {
    let file = openat(CWD, path, CAREFUL | OFlags::RDONLY, Mode::empty())?;
    Bounded::new(file.into(), path, most)
}

/// The bytes of a file that the user named, as [`open`] opens it.
///
/// # Errors
/// When it cannot be read, is no regular file, or is larger.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    open(path, most)?.read_whole()
}

/// Looks at a file that was opened: only a regular one is used.
pub(super) fn checked(file: File, path: &Path) -> io::Result<(File, Stat)> {
    let stat = fstat(&file)?;
    match Kind::of(FileType::from_raw_mode(stat.st_mode)) {
        Kind::File => Ok((file, stat)),
        found => Err(Refused::NoFile {
            path: path.into(),
            found,
        }
        .into()),
    }
}

/// A regular file of which no more than a bound is read, though it grows meanwhile.
#[derive(Debug)]
pub struct Bounded {
    file: File,
    path: PathBuf,
    most: u64,
    left: u64,
}

impl Bounded {
    pub(super) fn new(file: File, path: &Path, most: u64) -> io::Result<Self> {
        let (file, stat) = checked(file, path)?;
        let bounded = Self {
            file,
            path: path.into(),
            most,
            left: most,
        };
        match u64::try_from(stat.st_size).is_ok_and(|size| size <= most) {
            true => Ok(bounded),
            false => Err(bounded.too_large()),
        }
    }

    /// The file itself: its place on the disk, its lock.
    pub const fn file(&self) -> &File {
        &self.file
    }

    /// All of it.
    ///
    /// # Errors
    /// When it cannot be read, or grows above its bound meanwhile.
    pub fn read_whole(mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn too_large(&self) -> io::Error {
        Refused::TooLarge {
            path: self.path.clone(),
            most: self.most,
        }
        .into()
    }
}

impl Read for Bounded {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        // One more than it may have: only so is a file that is longer told from one that ends here.
        let most = usize::try_from(self.left.saturating_add(1)).unwrap_or(usize::MAX);
        let room = into.len().min(most);
        let read = self.file.read(&mut into[..room])?;
        match self.left.checked_sub(read as u64) {
            Some(left) => self.left = left,
            None => return Err(self.too_large()),
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn a_file_is_read_up_to_its_bound_though_it_grows_meanwhile() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        std::fs::write(&path, "four").unwrap();
        assert_eq!(read(&path, 4).unwrap(), b"four");
        let error = read(&path, 3).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);

        let opened = open(&path, 4).unwrap();
        let mut grown = File::options().append(true).open(&path).unwrap();
        grown.write_all(b"teen").unwrap();
        let error = opened.read_whole().unwrap_err().to_string();
        assert!(error.contains("state is larger than 4 B"), "{error}");
    }

    #[test]
    fn what_is_no_file_is_named_without_waiting_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("fifo");
        rustix::fs::mkfifoat(CWD, &fifo, Mode::RWXU).unwrap();
        let of = |path: &Path| read(path, 1 << 20).unwrap_err().to_string();
        assert!(of(&fifo).contains("fifo is a FIFO, and a regular file"));
        assert!(of(Path::new("/dev/zero")).contains("/dev/zero is a device"));
        assert!(of(dir.path()).contains("is a directory"));
        std::os::unix::fs::symlink(&fifo, dir.path().join("link")).unwrap();
        assert!(of(&dir.path().join("link")).contains("link is a FIFO"));
    }
}
