//! Where files of one run wait until they are complete: `OUT/.eyemap-tmp/RUN/`.
//!
//! A run that ends takes its directory away. What a killed run left is taken away by the next one: the
//! lock beside the directory says whether its run still lives, on this machine or another.

use std::{
    fs::{File, TryLockError},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

/// Name of the directory of all runs in the output directory.
pub const SCRATCH_DIR: &str = ".eyemap-tmp";

/// The directory of one run for what is not complete. Dropping it removes it with all that is in it.
#[derive(Debug)]
pub struct Scratch {
    dir: PathBuf,
    lock_file: PathBuf,
    next: AtomicU64,
    /// Held as long as the run lives; the system lets go of it when the process dies.
    _lock: File,
}

impl Scratch {
    /// Makes a directory in an output directory, which is created if missing, and removes those of
    /// runs that are dead.
    ///
    /// # Errors
    /// When the output directory cannot be written, or its file system has no locks.
    pub fn open(out: &Path) -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        sweep(out)?;
        let all = out.join(SCRATCH_DIR);
        loop {
            std::fs::create_dir_all(&all)?;
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let run = format!("{}-{number}", std::process::id());
            let lock_file = all.join(format!("{run}.lock"));
            let lock = match File::create_new(&lock_file) {
                // A name that is taken, or a run that ended took the directory away just now.
                Err(error) if is_race(error.kind()) => continue,
                lock => lock?,
            };
            lock.lock()?;
            // Whoever sweeps may have taken the file away before it was locked.
            if !lock_file.try_exists()? {
                continue;
            }
            let dir = all.join(run);
            std::fs::create_dir(&dir)?;
            return Ok(Self {
                dir,
                lock_file,
                next: AtomicU64::new(0),
                _lock: lock,
            });
        }
    }

    /// The directory. What is put there goes away with the run.
    pub fn path(&self) -> &Path {
        &self.dir
    }

    /// A name in it that nothing has.
    pub fn reserve(&self) -> PathBuf {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.dir.join(number.to_string())
    }

    /// A new file in it.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn create(&self) -> io::Result<(PathBuf, File)> {
        let path = self.reserve();
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)?;
        Ok((path, file))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays is taken away by the next run.
        let _ = std::fs::remove_dir_all(&self.dir);
        let _ = std::fs::remove_file(&self.lock_file);
        if let Some(all) = self.dir.parent() {
            let _ = std::fs::remove_dir(all);
        }
    }
}

fn is_race(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::AlreadyExists | ErrorKind::NotFound)
}

/// Removes what killed runs left in an output directory.
///
/// # Errors
/// When the directory of all runs is none.
pub fn sweep(out: &Path) -> io::Result<()> {
    let all = out.join(SCRATCH_DIR);
    match std::fs::symlink_metadata(&all) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        // Nothing is ever removed behind a link.
        Ok(metadata) if !metadata.is_dir() => {
            return Err(io::Error::new(
                ErrorKind::NotADirectory,
                format!("{} is no directory: move it away", all.display()),
            ));
        }
        metadata => metadata?,
    };
    for entry in std::fs::read_dir(&all)?.flatten() {
        let path = entry.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "lock")
        {
            sweep_run(&path);
        }
    }
    let _ = std::fs::remove_dir(&all);
    Ok(())
}

/// Removes a run's directory, if nobody holds its lock. What cannot be removed harms nobody.
fn sweep_run(lock_file: &Path) {
    let Ok(lock) = File::options().write(true).open(lock_file) else {
        return;
    };
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => return,
    }
    let _ = std::fs::remove_dir_all(lock_file.with_extension(""));
    let _ = std::fs::remove_file(lock_file);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_takes_its_directory_away_and_spares_those_that_live() {
        let dir = tempfile::tempdir().expect("a directory");
        let first = Scratch::open(dir.path()).expect("a scratch");
        let second = Scratch::open(dir.path()).expect("a scratch");
        second.create().expect("a file");
        assert!(first.path().exists() && second.path().exists());
        drop(second);
        assert!(first.path().exists());
        drop(first);
        assert!(!dir.path().join(SCRATCH_DIR).exists());
    }

    #[test]
    fn what_a_dead_run_left_is_taken_away() {
        let dir = tempfile::tempdir().expect("a directory");
        let dead = dir.path().join(SCRATCH_DIR).join("1-0");
        std::fs::create_dir_all(&dead).expect("created");
        std::fs::write(dead.join("half"), "x").expect("written");
        std::fs::write(dead.with_extension("lock"), "").expect("written");
        drop(Scratch::open(dir.path()).expect("a scratch"));
        assert!(!dir.path().join(SCRATCH_DIR).exists());
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_removed_behind_a_link() {
        let (dir, other) = (
            tempfile::tempdir().expect("a"),
            tempfile::tempdir().expect("b"),
        );
        std::fs::create_dir(other.path().join("1-0")).expect("created");
        std::fs::write(other.path().join("1-0.lock"), "").expect("written");
        std::os::unix::fs::symlink(other.path(), dir.path().join(SCRATCH_DIR)).expect("linked");
        let error = Scratch::open(dir.path()).expect_err("refused").to_string();
        assert!(error.contains("is no directory"), "{error}");
        assert!(other.path().join("1-0").exists());
    }
}
