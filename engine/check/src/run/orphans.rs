//! Processes that a plugin started and that left their group, as a daemon does: they become children of
//! this process when their parent ends, are killed and are told of.
//!
//! While checks run, nothing else in this process may start processes.

use std::{
    collections::BTreeSet,
    io,
    sync::{Mutex, MutexGuard, PoisonError},
};

use rustix::process::{
    Pid, Signal, WaitOptions, getpgid, kill_process, set_child_subreaper, waitpid,
};

/// A plugin that starts processes faster than they can be killed is left to the limits of the system.
const ROUNDS: usize = 20;

/// Children that belong to checks which run now, or to somebody else.
#[derive(Debug, Default)]
pub(super) struct Orphans {
    ours: Mutex<BTreeSet<i32>>,
}

impl Orphans {
    /// From now on, what loses its parent becomes a child of this process.
    pub(super) fn adopt() -> io::Result<Self> {
        set_child_subreaper(Some(rustix::process::getpid()))?;
        Ok(Self {
            ours: Mutex::new(children().collect()),
        })
    }

    /// Held while a child is started, so that it is known before it is looked for.
    pub(super) fn ours(&self) -> MutexGuard<'_, BTreeSet<i32>> {
        self.ours.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends what the child with this number left, and says how many had left its group.
    pub(super) fn end(&self, group: i32) -> usize {
        let mut ours = self.ours();
        ours.remove(&group);
        let mut left = 0;
        for _ in 0..ROUNDS {
            let orphans: Vec<Pid> = children()
                .filter(|pid| !ours.contains(pid))
                .filter_map(Pid::from_raw)
                .collect();
            if orphans.is_empty() {
                break;
            }
            for pid in orphans {
                let own = getpgid(Some(pid)).is_ok_and(|pgid| pgid.as_raw_nonzero().get() == group);
                left += usize::from(!own);
                // One that may not be killed is not waited for either.
                if kill_process(pid, Signal::KILL).is_ok() {
                    let _ = waitpid(Some(pid), WaitOptions::empty());
                }
            }
        }
        left
    }
}

impl Drop for Orphans {
    fn drop(&mut self) {
        // It worked when it was switched on.
        let _ = set_child_subreaper(None);
    }
}

/// The children of this process. A kernel that does not list them has none here.
fn children() -> impl Iterator<Item = i32> {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten();
    let lists = tasks
        .flatten()
        .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    let numbers: Vec<i32> = lists
        .flat_map(|list| {
            let numbers = list.split_whitespace().filter_map(|n| n.parse().ok());
            numbers.collect::<Vec<_>>()
        })
        .collect();
    numbers.into_iter()
}
