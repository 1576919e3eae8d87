//! The bytes under check as a file in memory that nobody can change, also not the plugin.

use std::{
    fs::File,
    io::{self, Write as _},
    os::fd::AsRawFd as _,
    path::PathBuf,
};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

/// Such a file. Children inherit it, so [`Self::path`] is the same file in each of them.
pub(crate) struct Sealed(File);

impl Sealed {
    pub(crate) fn new(bytes: &[u8]) -> io::Result<Self> {
        // Without CLOEXEC: what is inherited can only be read.
        let mut file = File::from(memfd_create("plugin", MemfdFlags::ALLOW_SEALING)?);
        file.write_all(bytes)?;
        let seals = SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
        fcntl_add_seals(&file, seals)?;
        Ok(Self(file))
    }

    pub(crate) fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.0.as_raw_fd()))
    }
}
