//! The checked bytes of a library as a file that nobody can change: what was looked at is what is loaded.

use std::path::{Path, PathBuf};

/// The checked bytes as a file in memory that nobody can change.
pub(super) struct Sealed {
    #[cfg(target_os = "linux")]
    file: std::fs::File,
    #[cfg(not(target_os = "linux"))]
    path: PathBuf,
}

#[cfg(target_os = "linux")]
impl Sealed {
    pub(super) fn new(path: &Path, bytes: &[u8]) -> std::io::Result<Self> {
        use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
        use std::io::Write as _;
        // The kernel takes 249 bytes; a letter has at most four.
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name: String = name.chars().take(60).collect();
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        // Kernels before 6.3 do not know MFD_EXEC and make such files executable anyway.
        let fd = memfd_create(name.as_str(), flags | MemfdFlags::EXEC)
            .or_else(|_| memfd_create(name.as_str(), flags))?;
        let mut file = std::fs::File::from(fd);
        file.write_all(bytes)?;
        let seals = SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
        fcntl_add_seals(&file, seals)?;
        Ok(Self { file })
    }

    /// Bytes that another process has sealed.
    pub(super) const fn of(file: std::fs::File) -> Self {
        Self { file }
    }

    /// The file itself, for another process.
    pub(super) fn into_fd(self) -> std::os::fd::OwnedFd {
        self.file.into()
    }

    pub(super) fn path(&self) -> PathBuf {
        use std::os::fd::AsRawFd as _;
        PathBuf::from(format!("/proc/self/fd/{}", self.file.as_raw_fd()))
    }
}

#[cfg(not(target_os = "linux"))]
impl Sealed {
    pub(super) fn new(path: &Path, _bytes: &[u8]) -> std::io::Result<Self> {
        Ok(Self { path: path.into() })
    }

    pub(super) fn path(&self) -> PathBuf {
        self.path.clone()
    }
}
