//! The door to what lies below a directory: all state is read through it, all output written through it.
//!
//! The directory itself is what the user named, and may be reached through a symbolic link. Below it no link
//! is ever followed: a name is walked part by part, each part is opened relative to the one before and must
//! be a directory, so that nobody can put a link in between. What lies behind a link is somebody else's, also
//! where the link is the user's own: it is left alone and named in the error.
//!
//! The walk asks no more of a system than `openat`, which sandboxes and old kernels have too. Deeper than four
//! parts nothing of ours lies, so one call that does it all, `openat2`, would save little and be a second way.

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, ErrorKind, Read},
    os::fd::OwnedFd,
    path::{Component, Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use rustix::{
    fs::{self, AtFlags, CWD, FileType, Mode, OFlags},
    io::Errno,
};

use super::state::{Bounded, CAREFUL, Kind, Refused, checked};

/// A place in the tree needs no permission to list it.
#[cfg(target_os = "linux")]
const PLACE: OFlags = OFlags::PATH;
#[cfg(not(target_os = "linux"))]
const PLACE: OFlags = OFlags::RDONLY;

/// A directory, and the only way to what is below it.
///
/// Names are relative, with `/`, and have no `..`. It is cheap to clone and may be used by many threads. It
/// stays the same directory when somebody renames it or puts another one in its place.
#[derive(Debug, Clone)]
pub struct Dir {
    handle: Arc<OwnedFd>,
    path: PathBuf,
}

/// How something looks from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// What it is.
    pub kind: Kind,
    /// Its size in bytes.
    pub bytes: u64,
    /// The disk that it is on.
    pub device: u64,
    /// Its place there.
    pub inode: u64,
    /// When it was last changed, in nanoseconds since 1970.
    pub changed_ns: u64,
}

impl Dir {
    /// Opens a directory that the user named.
    ///
    /// # Errors
    /// When it is not there, or is none.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = PLACE | OFlags::DIRECTORY | OFlags::CLOEXEC;
        // The current directory has the empty name among relative paths.
        let named = match path.as_os_str().is_empty() {
            true => Path::new("."),
            false => path,
        };
        Ok(Self {
            handle: Arc::new(fs::openat(CWD, named, flags, Mode::empty())?),
            path: path.into(),
        })
    }

    /// Opens a directory that the user named, and makes it first if it is missing.
    ///
    /// # Errors
    /// When it cannot be made, or is none.
    pub fn create(path: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(path)?;
        Self::open(path)
    }

    /// How the user named it, with what was walked since; for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A directory below it.
    ///
    /// # Errors
    /// When it is not there, or a part of its name is no directory.
    pub fn dir(&self, name: impl AsRef<Path>) -> io::Result<Self> {
        self.walk(&self.parts(name.as_ref())?, Self::step)
    }

    /// A directory below it; missing ones are made.
    ///
    /// # Errors
    /// When it cannot be made, or a part of its name is no directory.
    pub fn make_dir(&self, name: impl AsRef<Path>) -> io::Result<Self> {
        self.walk(&self.parts(name.as_ref())?, Self::step_or_make)
    }

    /// How a name below it looks, a link as a link; none if nothing has it.
    ///
    /// # Errors
    /// When it cannot be looked at, or lies behind what is no directory.
    pub fn look(&self, name: impl AsRef<Path>) -> io::Result<Option<Look>> {
        let found = self.place(name.as_ref(), Self::step);
        let found = found.and_then(|(dir, name)| dir.look_at(name));
        match found {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            found => found.map(Some),
        }
    }

    /// Opens a file, to be read up to a size.
    ///
    /// # Errors
    /// When it cannot be opened, is no regular file, or is larger.
    pub fn open_file(&self, name: impl AsRef<Path>, most: u64) -> io::Result<Bounded> {
        let (dir, name) = self.place(name.as_ref(), Self::step)?;
        let file = dir.open_at(name, OFlags::RDONLY)?;
        Bounded::new(file, &dir.path.join(name), most)
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// As [`Dir::open_file`].
    pub fn read(&self, name: impl AsRef<Path>, most: u64) -> io::Result<Vec<u8>> {
        self.open_file(name, most)?.read_whole()
    }

    /// Opens a file whose writes all go to its end, to be read too; a missing one is made.
    ///
    /// # Errors
    /// When it cannot be opened or made, or is no regular file.
    pub fn append(&self, name: impl AsRef<Path>) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::APPEND | OFlags::CREATE;
        self.open_checked(name.as_ref(), flags)
    }

    /// Opens a file that is there, to be read and written.
    ///
    /// # Errors
    /// When it cannot be opened, or is no regular file.
    pub fn update(&self, name: impl AsRef<Path>) -> io::Result<File> {
        self.open_checked(name.as_ref(), OFlags::RDWR)
    }

    /// A new file, to be written and read, under a name that nothing had.
    ///
    /// # Errors
    /// When something has the name, or it cannot be made.
    pub fn create_new(&self, name: impl AsRef<Path>) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL;
        self.open_checked(name.as_ref(), flags)
    }

    /// Writes a file complete or not at all; missing directories are made. A link of its name is replaced,
    /// and what it led to stays.
    ///
    /// # Errors
    /// When it cannot be written; the old file stays.
    pub fn write(&self, name: impl AsRef<Path>, bytes: &[u8]) -> io::Result<()> {
        self.write_from(name, &mut &*bytes)
    }

    /// As [`Dir::write`], with all that a reader gives.
    ///
    /// # Errors
    /// When it cannot be read or written; the old file stays.
    pub fn write_from(&self, name: impl AsRef<Path>, from: &mut dyn Read) -> io::Result<()> {
        let (dir, name) = self.place(name.as_ref(), Self::step_or_make)?;
        let (temporary, mut file) = dir.create_temporary()?;
        let written = io::copy(from, &mut file);
        let put = written.and_then(|_| dir.rename(&temporary, &dir, name));
        if put.is_err() {
            // What failed is reported; a temporary file that cannot be removed changes nothing.
            let _ = dir.remove(&temporary);
        }
        put
    }

    /// A new file of a name that nobody has: other runs, on other machines too, may use the directory.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create_temporary(&self) -> io::Result<(String, File)> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let name = format!(".eyemap-{}-{number}.tmp", std::process::id());
            match self.create_new(&name) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                done => return Ok((name, done?)),
            }
        }
    }

    /// Moves a file to a name below another directory, over what file or link has it; missing directories
    /// are made.
    ///
    /// # Errors
    /// When it cannot be moved: a directory has the name, or it is on another disk.
    pub fn rename(
        &self,
        from: impl AsRef<Path>,
        to: &Self,
        name: impl AsRef<Path>,
    ) -> io::Result<()> {
        let (from_dir, from) = self.place(from.as_ref(), Self::step)?;
        let (to_dir, to) = to.place(name.as_ref(), Self::step_or_make)?;
        let renamed = fs::renameat(&from_dir.handle, from, &to_dir.handle, to);
        renamed.map_err(|error| match error {
            Errno::ISDIR | Errno::NOTDIR => to_dir.why(to, error),
            error => error.into(),
        })
    }

    /// Gives a file below this directory another name below another one; missing directories are made.
    ///
    /// # Errors
    /// When something has the name, or the directories are on two disks.
    pub fn link_to(
        &self,
        from: impl AsRef<Path>,
        to: &Self,
        name: impl AsRef<Path>,
    ) -> io::Result<()> {
        let (from_dir, from) = self.place(from.as_ref(), Self::step)?;
        let (to_dir, to) = to.place(name.as_ref(), Self::step_or_make)?;
        let none = AtFlags::empty();
        Ok(fs::linkat(
            &from_dir.handle,
            from,
            &to_dir.handle,
            to,
            none,
        )?)
    }

    /// Gives a file, wherever it is, another name below this directory; missing directories are made. A file
    /// that is a link stays one: what it leads to gets no name here.
    ///
    /// # Errors
    /// When something has the name, or the file is on another disk.
    pub fn link(&self, file: &Path, name: impl AsRef<Path>) -> io::Result<()> {
        let (dir, name) = self.place(name.as_ref(), Self::step_or_make)?;
        Ok(fs::linkat(CWD, file, &dir.handle, name, AtFlags::empty())?)
    }

    /// Removes a file or a link. One that is not there is no error.
    ///
    /// # Errors
    /// When it cannot be removed, is a directory, or lies behind what is no directory.
    pub fn remove(&self, name: impl AsRef<Path>) -> io::Result<()> {
        self.unlink(name.as_ref(), AtFlags::empty())
    }

    /// Removes an empty directory. One that is not there is no error.
    ///
    /// # Errors
    /// When it is not empty, or no directory.
    pub fn remove_dir(&self, name: impl AsRef<Path>) -> io::Result<()> {
        self.unlink(name.as_ref(), AtFlags::REMOVEDIR)
    }

    /// The names in it, sorted, with what has them.
    ///
    /// # Errors
    /// When it cannot be listed.
    pub fn entries(&self) -> io::Result<Vec<(std::ffi::OsString, Kind)>> {
        use std::os::unix::ffi::OsStrExt as _;
        let mut entries = Vec::new();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let listed = fs::openat(&self.handle, ".", flags, Mode::empty())?;
        for entry in fs::Dir::new(listed)? {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            let kind = match entry.file_type() {
                // Some file systems do not say it in their lists.
                FileType::Unknown => match self.look_at(name) {
                    Err(error) if error.kind() == ErrorKind::NotFound => continue,
                    look => look?.kind,
                },
                kind => Kind::of(kind),
            };
            entries.push((name.to_owned(), kind));
        }
        entries.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Ok(entries)
    }

    fn unlink(&self, name: &Path, flags: AtFlags) -> io::Result<()> {
        let found = self.place(name, Self::step);
        let removed = found.and_then(|(dir, name)| {
            let removed = fs::unlinkat(&dir.handle, name, flags);
            removed.map_err(|error| match error {
                Errno::ISDIR => dir.why(name, error),
                error => error.into(),
            })
        });
        match removed {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }

    fn open_checked(&self, name: &Path, flags: OFlags) -> io::Result<File> {
        let (dir, name) = self.place(name, Self::step)?;
        let file = dir.open_at(name, flags)?;
        checked(file, &dir.path.join(name)).map(|(file, _)| file)
    }

    /// Opens a name of this directory.
    fn open_at(&self, name: &OsStr, flags: OFlags) -> io::Result<File> {
        let flags = flags | CAREFUL | OFlags::NOFOLLOW;
        let opened = fs::openat(&self.handle, name, flags, Mode::from_raw_mode(0o666));
        opened.map(File::from).map_err(|error| match error {
            Errno::LOOP | Errno::ISDIR | Errno::NXIO => self.why(name, error),
            error => error.into(),
        })
    }

    /// Why something that is no file was not taken for one.
    fn why(&self, name: &OsStr, error: Errno) -> io::Error {
        match self.look_at(name) {
            Ok(look) if look.kind != Kind::File => Refused::NoFile {
                path: self.path.join(name),
                found: look.kind,
            }
            .into(),
            _ => error.into(),
        }
    }

    fn look_at(&self, name: &OsStr) -> io::Result<Look> {
        let stat = fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let seconds = number(stat.st_mtime).saturating_mul(1_000_000_000);
        Ok(Look {
            kind: Kind::of(FileType::from_raw_mode(stat.st_mode)),
            bytes: number(stat.st_size),
            device: number(stat.st_dev),
            inode: number(stat.st_ino),
            changed_ns: seconds.saturating_add(number(stat.st_mtime_nsec)),
        })
    }

    /// The directory that a name is in, and its last part.
    fn place<'a>(&self, name: &'a Path, step: Step) -> io::Result<(Self, &'a OsStr)> {
        let parts = self.parts(name)?;
        let (last, above) = parts.split_last().ok_or_else(|| self.outside(name))?;
        Ok((self.walk(above, step)?, last))
    }

    fn parts<'a>(&self, name: &'a Path) -> io::Result<Vec<&'a OsStr>> {
        let part = |part| match part {
            Component::Normal(part) => Ok(part),
            _ => Err(self.outside(name)),
        };
        name.components().map(part).collect()
    }

    fn outside(&self, name: &Path) -> io::Error {
        let path = self.path.join(name);
        Refused::Outside { path }.into()
    }

    fn walk(&self, parts: &[&OsStr], step: Step) -> io::Result<Self> {
        parts
            .iter()
            .try_fold(self.clone(), |dir, part| step(&dir, part))
    }

    fn step(&self, part: &OsStr) -> io::Result<Self> {
        let flags = PLACE | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = fs::openat(&self.handle, part, flags, Mode::empty());
        let path = self.path.join(part);
        match opened {
            Ok(handle) => Ok(Self {
                handle: Arc::new(handle),
                path,
            }),
            Err(error @ (Errno::LOOP | Errno::NOTDIR)) => match self.look_at(part) {
                Ok(Look { kind: found, .. }) if found != Kind::Dir => {
                    Err(Refused::NoDir { path, found }.into())
                }
                _ => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    fn step_or_make(&self, part: &OsStr) -> io::Result<Self> {
        match self.step(part) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                match fs::mkdirat(&self.handle, part, Mode::from_raw_mode(0o777)) {
                    // Made by another thread or run just now, or something else that the step names.
                    Ok(()) | Err(Errno::EXIST) => self.step(part),
                    Err(error) => Err(error.into()),
                }
            }
            stepped => stepped,
        }
    }
}

/// Fields of a file's status differ in width and sign between systems.
fn number(field: impl Into<i128>) -> u64 {
    u64::try_from(field.into()).unwrap_or(0)
}

/// From a directory into one below it.
type Step = fn(&Dir, &OsStr) -> io::Result<Dir>;

#[cfg(test)]
mod tests;
