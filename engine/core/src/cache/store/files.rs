//! The store's directory: where an artifact lies, and how its bytes get there and are checked.

use std::{
    fs::File,
    io::{self, ErrorKind, Read as _},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use super::{
    log::{Header, RECORD, half},
    replica::MAX_RECORDS,
};
use crate::{
    fingerprint::Fingerprint,
    sink::{Dir, Refused},
};

/// The most bytes of an artifact. Larger ones are drawn again, in pieces, and never held.
pub(super) const MAX_ARTIFACT: u64 = 1 << 28;
/// The most bytes of a log.
const MAX_LOG: u64 = (MAX_RECORDS + 1) * RECORD as u64;
/// The name of the log.
pub(super) const LOG: &str = "log";
/// The name of the file that processes lock.
pub(super) const LOCK: &str = "lock";

/// Where things are.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) dir: Dir,
}

/// A log that is open, and which file it is, whatever has its name by now.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) file: File,
    pub(super) device: u64,
    pub(super) inode: u64,
}

/// The file with the policy's state beside a log.
pub(super) fn state(generation: u64) -> String {
    format!("policy-{generation}")
}

/// Directories of 256 parts, so that none grows too large.
fn name(fingerprint: Fingerprint) -> String {
    let mut name = fingerprint.to_string();
    name.insert(2, '/');
    name
}

impl Files {
    /// Opens the log; to be added to, or else only read.
    pub(super) fn open_log(&self, writable: bool) -> io::Result<Log> {
        let read = self.dir.open_file(LOG, MAX_LOG)?;
        let file = match writable {
            true => self.dir.append(LOG)?,
            false => read.file().try_clone()?,
        };
        let metadata = file.metadata()?;
        Ok(Log {
            file,
            device: metadata.dev(),
            inode: metadata.ino(),
        })
    }

    /// Puts bytes in their place. A complete file that holds them, on the same file system, is shared
    /// in place of being written twice.
    pub(super) fn put(
        &self,
        fingerprint: Fingerprint,
        bytes: &[u8],
        same: Option<&Path>,
    ) -> io::Result<()> {
        let name = name(fingerprint);
        let Some(same) = same else {
            return self.dir.write(&name, bytes);
        };
        self.dir
            .link(same, &name)
            .or_else(|error| match error.kind() {
                // Left by a process that was killed: nobody else's file has the name of this very picture.
                ErrorKind::AlreadyExists => {
                    self.dir.remove(&name)?;
                    self.dir.link(same, &name)
                }
                // Another file system, or one that has no links.
                _ => self.dir.write(&name, bytes),
            })
    }

    /// The bytes of an artifact of this length; none if they are not as they were.
    ///
    /// # Errors
    /// When that cannot be told, as without a free file descriptor.
    pub(super) fn read(
        &self,
        fingerprint: Fingerprint,
        bytes: u64,
        check: [u8; 16],
    ) -> io::Result<Option<Vec<u8>>> {
        if bytes > MAX_ARTIFACT {
            return Ok(None);
        }
        let name = name(fingerprint);
        let mut file = match self.dir.open_file(&name, bytes) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) if Refused::of(&error).is_some() => return Ok(None),
            Err(error) => {
                let path = self.dir.path().join(name);
                let message = format!("{}: {error}", path.display());
                return Err(io::Error::new(error.kind(), message));
            }
        };
        let mut content = Vec::with_capacity(usize::try_from(bytes).unwrap_or(0) + 1);
        let read = file.read_to_end(&mut content);
        let fits = read.is_ok() && content.len() as u64 == bytes;
        Ok(Some(content).filter(|content| fits && checksum(fingerprint, content) == check))
    }

    pub(super) fn remove(&self, fingerprint: Fingerprint) -> io::Result<()> {
        self.dir.remove(name(fingerprint))
    }
}

/// The first record of a log, if it is a sound header.
pub(super) fn read_header(log: &mut impl io::Read) -> io::Result<Option<Header>> {
    let mut bytes = [0; RECORD];
    match log.read_exact(&mut bytes) {
        Ok(()) => Ok(Header::from_bytes(&bytes)),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// Binds bytes to the fingerprint that they are stored under: a file in another's place is noticed.
pub(super) fn checksum(fingerprint: Fingerprint, bytes: &[u8]) -> [u8; 16] {
    let mut hash = blake3::Hasher::new();
    hash.update(&fingerprint.to_bytes());
    hash.update(bytes);
    half(&hash.finalize())
}
