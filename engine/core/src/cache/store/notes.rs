//! What the user of a run should know of its store: nothing of it fails a run, and none of it is kept
//! silent.

use std::io::{self, ErrorKind};

use super::{Left, Store, Wait};

/// What went wrong so far.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    /// Artifacts that could not be written, and why the first of them could not.
    pub(super) failed_writes: u64,
    first_failure: String,
    /// Artifacts that were not kept because another process held the lock.
    pub(super) held: u64,
    /// What this run found in the store could not be noted there for the same reason.
    pub(super) uncounted: bool,
    /// Why nothing can be written at all.
    unlocked: Option<String>,
    /// The log had no sound header.
    pub(super) header: bool,
    /// What the last sweep left.
    pub(super) left: Left,
}

impl Troubles {
    pub(super) fn not_kept(&mut self, error: &io::Error) {
        self.failed_writes += 1;
        if self.failed_writes == 1 {
            self.first_failure = error.to_string();
        }
    }

    /// A store that was given to be read needs no note.
    pub(super) fn cannot_be_locked(&mut self, error: &io::Error) {
        if !matches!(
            error.kind(),
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem
        ) {
            self.unlocked = Some(error.to_string());
        }
    }
}

impl Store {
    /// Writes what waits to be written, and returns what the user should know, a sentence each.
    pub fn notes(&self) -> Vec<String> {
        let mut state = self.state();
        self.settle(&mut state, Wait::Briefly);
        let found = &state.troubles;
        [
            found.unlocked.as_ref().map(|why| self.unlocked(why)),
            found.header.then(|| self.header()),
            (found.failed_writes > 0).then(|| self.full(found)),
            (found.held > 0 || found.uncounted).then(|| self.held(found.held)),
            (found.left.count > 0).then(|| self.left(&found.left)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn unlocked(&self, why: &str) -> String {
        let store = self.spec.dir.display();
        format!("nothing is put into the store {store}: {why}")
    }

    fn header(&self) -> String {
        let store = self.spec.dir.display();
        format!(
            "the beginning of the log of the store {store} was damaged; `eyemap cache verify` checks what is in it"
        )
    }

    fn full(&self, found: &Troubles) -> String {
        let store = self.spec.dir.display();
        let (n, why) = (artifacts(found.failed_writes), &found.first_failure);
        format!("{n} could not be put into the store {store}: {why}")
    }

    fn held(&self, n: u64) -> String {
        let store = self.spec.dir.display();
        let lock = self.spec.dir.join("lock");
        let lost = match n {
            0 => "what this run found in it is not counted".to_owned(),
            n => format!("{} could not be put into it", artifacts(n)),
        };
        format!(
            "another process held the lock of the store {store}, and may have been stopped: {lost}; `fuser {}` names it",
            lock.display()
        )
    }

    fn left(&self, left: &Left) -> String {
        format!(
            "in the store {} is something that is not its own, and is left: {left}",
            self.spec.dir.display()
        )
    }
}

fn artifacts(n: u64) -> String {
    match n {
        1 => "1 artifact".into(),
        n => format!("{n} artifacts"),
    }
}
