//! Waiting for the lock of an output directory: never without a word, never longer than it is worth, and not
//! after the user asked to stop.

use std::{
    fmt,
    fs::{File, TryLockError},
    io,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use super::{ManifestError, io_error};

/// How a run waits for a directory that another run holds.
#[derive(Clone, Copy)]
pub struct Waiting<'a> {
    /// Set to wait no longer.
    pub cancel: &'a AtomicBool,
    /// Is told once that the run waits, and for what.
    pub tell: &'a (dyn Fn(&str) + Sync),
}

impl fmt::Debug for Waiting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cancel = &self.cancel;
        f.debug_struct("Waiting").field("cancel", cancel).finish()
    }
}

/// Others hold the lock for as long as a file is renamed, or a manifest is written.
const TOLD_AFTER: Duration = Duration::from_secs(1);
/// Whoever was asked to stop still notes what is complete, if that is soon.
const GRACE: Duration = Duration::from_secs(2);
/// The manifest of millions of maps is written within a minute; who holds the lock for longer was stopped.
const LONGEST: Duration = Duration::from_secs(600);
const PAUSES: [Duration; 2] = [Duration::from_micros(50), Duration::from_millis(20)];

/// The lock of an output directory.
#[derive(Debug)]
pub(super) struct Lock<'a> {
    pub(super) file: File,
    pub(super) waiting: Waiting<'a>,
    /// Nobody waits again for what was waited for in vain.
    pub(super) gave_up: bool,
}

impl Lock<'_> {
    /// Waits until nobody else holds it.
    pub(super) fn take(&mut self, path: &Path) -> Result<(), ManifestError> {
        let longest = if self.gave_up {
            Duration::ZERO
        } else {
            LONGEST
        };
        let taken = self.take_within(path, longest);
        self.gave_up |= taken.is_err();
        taken
    }

    fn take_within(&self, path: &Path, longest: Duration) -> Result<(), ManifestError> {
        let start = Instant::now();
        let [mut pause, longest_pause] = PAUSES;
        let mut told = false;
        loop {
            match self.file.try_lock() {
                Ok(()) => return Ok(()),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(TryLockError::Error(error)) => return Err(io_error(path)(error)),
            }
            let waited = start.elapsed();
            let path_held = || path.to_owned();
            if self.waiting.cancel.load(Ordering::Relaxed) && waited >= GRACE.min(longest) {
                return Err(ManifestError::Interrupted { path: path_held() });
            }
            if waited >= longest {
                return Err(ManifestError::Held { path: path_held() });
            }
            if waited >= TOLD_AFTER && !told {
                let shown = path.display();
                (self.waiting.tell)(&format!("waiting for another run, which holds {shown}"));
                told = true;
            }
            std::thread::sleep(pause);
            pause = longest_pause.min(pause * 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_is_never_let_go_ends_the_run_with_its_name() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("lock");
        let held = File::create(&path).expect("a file");
        held.lock().expect("held");
        let cancel = AtomicBool::new(false);
        let lock = |file| Lock {
            file,
            waiting: Waiting {
                cancel: &cancel,
                tell: &|_| (),
            },
            gave_up: false,
        };
        let open = || lock(File::open(&path).expect("it"));
        let error = open().take_within(&path, Duration::ZERO).expect_err("held");
        assert!(matches!(error, ManifestError::Held { .. }), "{error:?}");
        cancel.store(true, Ordering::Relaxed);
        let mut asked = open();
        let error = asked.take(&path).expect_err("held");
        assert!(
            matches!(error, ManifestError::Interrupted { .. }),
            "{error:?}"
        );
        assert!(asked.gave_up);
        drop(held);
        asked.take(&path).expect("free");
    }
}
