//! What the memory governor did, in words.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use eyemap_engine::governor::{Action, Step};

use crate::out;

/// Steps beyond this many are counted, not shown.
const SHOWN: usize = 20;

/// Shows steps as they are taken, and remembers how many there were.
pub(crate) struct Steps {
    quiet: bool,
    taken: AtomicUsize,
    last: Mutex<Option<Step>>,
}

impl Steps {
    pub(crate) const fn new(quiet: bool) -> Self {
        Self {
            quiet,
            taken: AtomicUsize::new(0),
            last: Mutex::new(None),
        }
    }

    pub(crate) fn tell(&self, step: &Step) {
        let taken = self.taken.fetch_add(1, Ordering::Relaxed);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(*step);
        let told = taken < SHOWN || step.action == Action::GiveUp;
        if told && !self.quiet {
            out::note(&format!("note: {step}"));
        }
    }

    /// How often memory was short, for the report.
    pub(crate) fn note(&self) -> Option<String> {
        let taken = self.taken.load(Ordering::Relaxed);
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.map(|last| format!("memory was short: {taken} steps were taken, at last {last}"))
    }
}
