//! Where artifacts go: complete files, or none.

use std::{
    fs::File,
    io::{self, Write as _},
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

/// Writes a file under a temporary name in its directory and renames it into place. On failure the
/// temporary file is removed and the old file stays.
///
/// # Errors
/// When the directory cannot be written or the disk is full.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let dir = path
        .parent()
        .filter(|dir| !dir.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let unique = NEXT.fetch_add(1, Ordering::Relaxed);
    let temporary = dir.join(format!(".eyemap-{}-{unique}.tmp", std::process::id()));
    let written = File::create_new(&temporary)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        // What failed is reported; a temporary file that cannot be removed changes nothing.
        let _ = std::fs::remove_file(&temporary);
    }
    written
}
