//! Keeps a process on the core of the thread that asks it.
//!
//! Its caller sleeps until it has answered, so one core is free for it: the caller's, which has the batch in
//! its caches. A scheduler that looks for an idle core wakes it on another, and the caller waits for that core
//! to come out of its sleep, there and back: 65 us more a call on an idle virtual machine. A long call gains
//! nothing by it, and should not wait for a core that others want too.

#![allow(unsafe_code)]

use std::time::Duration;

use rustix::{
    process::Pid,
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};

/// After a call that took longer, the next may run on any core.
const LONG: Duration = Duration::from_micros(200);

/// Where a process may run.
#[derive(Debug)]
pub(crate) struct Near {
    process: Pid,
    /// The cores that it may run on if it is not kept.
    any: CpuSet,
    kept: Option<usize>,
    long: bool,
}

impl Near {
    /// For a process that may run where this one may. `None` where the system does not tell.
    pub(crate) fn of(process: u32) -> Option<Self> {
        Some(Self {
            process: i32::try_from(process).ok().and_then(Pid::from_raw)?,
            any: sched_getaffinity(None).ok()?,
            kept: None,
            long: false,
        })
    }

    /// To be called before the process is asked. Fails where the system does not let a process be kept.
    pub(crate) fn before(&mut self) -> rustix::io::Result<()> {
        let core = if self.long { None } else { core() };
        if core == self.kept {
            return Ok(());
        }
        let mut cores = self.any;
        if let Some(core) = core {
            cores.clear();
            cores.set(core);
        }
        self.kept = core;
        sched_setaffinity(Some(self.process), &cores)
    }

    /// To be told how long the call took.
    pub(crate) fn after(&mut self, took: Duration) {
        self.long = took > LONG;
    }
}

/// The core that this thread runs on now, unless the machine has more than can be named.
fn core() -> Option<usize> {
    // SAFETY: reads a number of the system's and touches no memory of this process.
    let core = unsafe { libc::sched_getcpu() };
    usize::try_from(core)
        .ok()
        .filter(|&core| core < CpuSet::MAX_CPU)
}
