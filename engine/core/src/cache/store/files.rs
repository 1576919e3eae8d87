//! The store's directory: where an artifact lies, and how its bytes get there and are checked.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read as _},
    path::{Path, PathBuf},
};

use super::log::half;
use crate::{fingerprint::Fingerprint, sink::write_atomically};

/// Where things are.
#[derive(Debug, Clone)]
pub(super) struct Files {
    dir: PathBuf,
}

impl Files {
    pub(super) fn new(dir: &Path) -> Self {
        Self { dir: dir.into() }
    }

    pub(super) fn log(&self) -> PathBuf {
        self.dir.join("log")
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.dir.join("lock")
    }

    pub(super) fn state(&self, generation: u64) -> PathBuf {
        self.dir.join(format!("policy-{generation}"))
    }

    /// Directories of 256 parts, so that none grows too large.
    fn path(&self, fingerprint: Fingerprint) -> PathBuf {
        let name = fingerprint.to_string();
        let (part, rest) = name.split_at(2);
        self.dir.join(part).join(rest)
    }

    /// Makes the directory, marked as a cache so that backups and version control pass it by.
    pub(super) fn create(&self) -> io::Result<()> {
        fs::create_dir_all(&self.dir)?;
        let tag = "Signature: 8a477f597d28d172789f06886806bc55\n# Artifacts that eyemap can draw again.\n# See https://bford.info/cachedir/\n";
        for (name, text) in [("CACHEDIR.TAG", tag), (".gitignore", "*\n")] {
            let path = self.dir.join(name);
            if !path.exists() {
                fs::write(path, text)?;
            }
        }
        Ok(())
    }

    /// Puts bytes in their place. A complete file that holds them, on the same file system, is shared
    /// in place of being written twice.
    pub(super) fn put(
        &self,
        fingerprint: Fingerprint,
        bytes: &[u8],
        same: Option<&Path>,
    ) -> io::Result<()> {
        let path = self.path(fingerprint);
        let put = || match same {
            Some(same) => fs::hard_link(same, &path).or_else(|error| match error.kind() {
                // What is there belongs to nobody: no record of it is valid.
                ErrorKind::AlreadyExists => {
                    fs::remove_file(&path).and_then(|()| fs::hard_link(same, &path))
                }
                ErrorKind::NotFound => Err(error),
                // Another file system, or one that has no links.
                _ => write_atomically(&path, bytes),
            }),
            None => write_atomically(&path, bytes),
        };
        put().or_else(|error| match error.kind() {
            ErrorKind::NotFound => {
                fs::create_dir_all(path.parent().unwrap_or(&self.dir))?;
                put()
            }
            _ => Err(error),
        })
    }

    /// The bytes of an artifact of this length, if they are as they were.
    pub(super) fn read(
        &self,
        fingerprint: Fingerprint,
        bytes: u64,
        check: [u8; 16],
    ) -> io::Result<Option<Vec<u8>>> {
        let file = open_plain(&self.path(fingerprint))?;
        let metadata = file.metadata()?;
        let len = metadata.len();
        let mut content = Vec::new();
        if len == bytes && metadata.is_file() {
            // Fits, for a file of that length is there; what grows meanwhile is not read.
            content.reserve_exact(usize::try_from(len).unwrap_or(0) + 1);
            file.take(len + 1).read_to_end(&mut content)?;
        }
        let fits = content.len() as u64 == bytes && checksum(fingerprint, &content) == check;
        Ok(fits.then_some(content))
    }

    pub(super) fn remove(&self, fingerprint: Fingerprint) -> io::Result<()> {
        match fs::remove_file(self.path(fingerprint)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes files that are no artifact of the store; returns how many.
    pub(super) fn sweep(
        &self,
        is_known: impl Fn(Fingerprint) -> bool,
        generation: u64,
    ) -> io::Result<u64> {
        let mut removed = 0;
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type()?.is_dir() && name.len() == 2 {
                for file in fs::read_dir(entry.path())? {
                    let file = file?;
                    let digits = format!("{name}{}", file.file_name().to_string_lossy());
                    let known = Fingerprint::parse(&digits).is_some_and(&is_known);
                    if !known && fs::remove_file(file.path()).is_ok() {
                        removed += 1;
                    }
                }
            } else if name.starts_with("policy-") && name != format!("policy-{generation}") {
                // Left by a process that was killed; it is nobody's.
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(removed)
    }
}

/// Opens a file, but no link, and without waiting for whoever would write into a pipe of its name.
fn open_plain(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options.custom_flags(flags.bits().cast_signed());
    }
    options.read(true).open(path)
}

/// Binds bytes to the fingerprint that they are stored under: a file in another's place is noticed.
pub(super) fn checksum(fingerprint: Fingerprint, bytes: &[u8]) -> [u8; 16] {
    let mut hash = blake3::Hasher::new();
    hash.update(&fingerprint.to_bytes());
    hash.update(bytes);
    half(&hash.finalize())
}
