//! Where files of one run wait until they are complete: `OUT/.eyemap-tmp/RUN/`.
//!
//! A run that ends takes its directory away. What a killed run left is taken away by the next one: the
//! lock beside the directory says whether its run still lives, on this machine or another.

use std::{
    fs::{File, TryLockError},
    io::{self, ErrorKind},
    sync::atomic::{AtomicU64, Ordering},
};

use super::{Dir, Kind};

/// Name of the directory of all runs in the output directory.
pub const SCRATCH_DIR: &str = ".eyemap-tmp";

/// The directory of one run for what is not complete. Dropping it removes it with all that is in it.
#[derive(Debug)]
pub struct Scratch {
    out: Dir,
    all: Dir,
    dir: Dir,
    /// Name of the directory among all.
    run: String,
    next: AtomicU64,
    /// Held as long as the run lives; the system lets go of it when the process dies.
    _lock: File,
}

impl Scratch {
    /// Makes a directory in an output directory, and removes those of runs that are dead.
    ///
    /// # Errors
    /// When the output directory cannot be written, or its file system has no locks.
    pub fn open(out: &Dir) -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        sweep(out)?;
        loop {
            let all = out.make_dir(SCRATCH_DIR)?;
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let run = format!("{}-{number}", std::process::id());
            let lock_file = lock_of(&run);
            let lock = match all.create_new(&lock_file) {
                // A name that is taken, or a run that ended took the directory away just now.
                Err(error) if is_race(error.kind()) => continue,
                lock => lock?,
            };
            lock.lock()?;
            // Whoever sweeps may have taken the file away before it was locked.
            if all.look(&lock_file)?.is_none() {
                continue;
            }
            return Ok(Self {
                dir: all.make_dir(&run)?,
                out: out.clone(),
                all,
                run,
                next: AtomicU64::new(0),
                _lock: lock,
            });
        }
    }

    /// The directory. What is put there goes away with the run.
    pub const fn dir(&self) -> &Dir {
        &self.dir
    }

    /// The output directory that it is in.
    pub const fn out(&self) -> &Dir {
        &self.out
    }

    /// A name in it that nothing has.
    pub fn reserve(&self) -> String {
        self.next.fetch_add(1, Ordering::Relaxed).to_string()
    }

    /// A new file in it.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn create(&self) -> io::Result<(String, File)> {
        let name = self.reserve();
        let file = self.dir.create_new(&name)?;
        Ok((name, file))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays is taken away by the next run.
        remove_run(&self.all, &self.run);
        let _ = self.out.remove_dir(SCRATCH_DIR);
    }
}

fn lock_of(run: &str) -> String {
    format!("{run}.lock")
}

fn is_race(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::AlreadyExists | ErrorKind::NotFound)
}

/// Removes what killed runs left in an output directory.
///
/// # Errors
/// When the directory of all runs is none: nothing is ever removed behind a link.
pub fn sweep(out: &Dir) -> io::Result<()> {
    let all = match out.dir(SCRATCH_DIR) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        all => all?,
    };
    for (name, kind) in all.entries()? {
        let name = name.to_string_lossy();
        if let (Kind::File, Some(run)) = (kind, name.strip_suffix(".lock")) {
            sweep_run(&all, run);
        }
    }
    let _ = out.remove_dir(SCRATCH_DIR);
    Ok(())
}

/// Removes a run's directory, if nobody holds its lock.
fn sweep_run(all: &Dir, run: &str) {
    let Ok(lock) = all.update(lock_of(run)) else {
        return;
    };
    match lock.try_lock() {
        Ok(()) => remove_run(all, run),
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
    }
}

/// Removes a run's directory and its lock. All of its files lie side by side. What cannot be removed harms
/// nobody.
fn remove_run(all: &Dir, run: &str) {
    if let Ok(dir) = all.dir(run) {
        for (name, _) in dir.entries().unwrap_or_default() {
            let _ = dir.remove(name);
        }
    }
    let _ = all.remove_dir(run);
    let _ = all.remove(lock_of(run));
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn open(dir: &Path) -> Scratch {
        Scratch::open(&Dir::open(dir).expect("a directory")).expect("a scratch")
    }

    #[test]
    fn a_run_takes_its_directory_away_and_spares_those_that_live() {
        let dir = tempfile::tempdir().expect("a directory");
        let first = open(dir.path());
        let second = open(dir.path());
        second.create().expect("a file");
        assert!(first.dir().path().exists() && second.dir().path().exists());
        drop(second);
        assert!(first.dir().path().exists());
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
        drop(open(dir.path()));
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
        let out = Dir::open(dir.path()).expect("a directory");
        let error = Scratch::open(&out).expect_err("refused").to_string();
        assert!(error.contains(".eyemap-tmp is a symbolic link"), "{error}");
        assert!(other.path().join("1-0").exists());
    }
}
