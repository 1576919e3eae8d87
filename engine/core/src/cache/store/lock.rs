//! The lock of a store. Whoever changes the log holds it, and whoever only reads does without.
//!
//! A process can be stopped while it holds the lock, and then holds it until somebody lets it go on. So no
//! run waits for long: all that it waits in vain comes out of one allowance, and once that is used up, it
//! only asks whether the lock is free.

use std::{
    fs::{File, TryLockError},
    io,
    time::{Duration, Instant},
};

/// What a run waits for others in all. A change takes a fraction of a millisecond.
const PATIENCE: Duration = Duration::from_secs(5);
/// What other processes at work may cost on a busy machine, without being taken for stopped.
const ORDINARY: Duration = Duration::from_millis(100);

/// How long the lock may be waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// Not at all: there will be another occasion.
    Not,
    /// As long as others at work may take: nothing is lost but a count.
    Briefly,
    /// As long as this run may still wait.
    Patiently,
}

/// The lock, held or not, and what is left of the allowance.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    pub(super) patience: Duration,
}

impl Lock {
    pub(super) const fn new(file: File) -> Self {
        Self {
            file,
            patience: PATIENCE,
        }
    }

    /// Takes the lock. Returns false if another process still holds it after the wait.
    pub(super) fn take(&mut self, wait: Wait) -> io::Result<bool> {
        if try_lock(&self.file)? {
            return Ok(true);
        }
        let limit = match wait {
            Wait::Not => Duration::ZERO,
            Wait::Briefly => ORDINARY,
            Wait::Patiently => self.patience,
        };
        let start = Instant::now();
        let held = wait_for(&self.file, limit)?;
        if wait == Wait::Patiently {
            self.patience = match held {
                true => (self.patience + ORDINARY).saturating_sub(start.elapsed().max(ORDINARY)),
                false => Duration::ZERO,
            };
        }
        Ok(held)
    }

    pub(super) fn release(&self) -> io::Result<()> {
        self.file.unlock()
    }
}

fn wait_for(file: &File, limit: Duration) -> io::Result<bool> {
    let (start, mut pause) = (Instant::now(), Duration::from_micros(20));
    while start.elapsed() < limit {
        std::thread::sleep(pause);
        if try_lock(file)? {
            return Ok(true);
        }
        pause = (pause * 2).min(Duration::from_millis(5));
    }
    Ok(false)
}

fn try_lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
