//! Calls that crash: done once more, and then looked at for what makes them crash.

use std::{ops::Range, time::Instant};

use eyemap_abi::PluginError;

use super::{Failure, Worker, internal, lock};
use crate::{
    culprit::{Call, narrowed, of_element},
    live::{Live, Trouble},
    process::Crash,
};

/// How a call is done.
pub(super) struct Way {
    pub(super) slot: usize,
    /// Whether another slot will do.
    pub(super) moves: bool,
    /// How often it is done at most.
    pub(super) attempts: u32,
    /// How often it crashed.
    pub(super) done: u32,
    /// Whether a crash counts; one that is looked for does not.
    counts: bool,
}

impl Way {
    pub(super) const fn once(slot: usize) -> Self {
        Self {
            slot,
            moves: false,
            attempts: 1,
            done: 0,
            counts: true,
        }
    }

    const fn twice(slot: usize) -> Self {
        Self {
            moves: true,
            attempts: 2,
            ..Self::once(slot)
        }
    }

    const fn trying(slot: usize) -> Self {
        Self {
            moves: true,
            counts: false,
            ..Self::once(slot)
        }
    }
}

impl Worker {
    /// Does `work`, with all elements of a batch, with a live process. When that ends meanwhile, it is started
    /// anew and the work is done once more: work without memory gives the same answer then. What crashes twice
    /// fails alone.
    pub(crate) fn again<R>(
        &self,
        call: &Call<'_>,
        mut work: impl FnMut(&mut Live<'_>, Range<usize>) -> Result<R, Trouble>,
    ) -> Result<R, PluginError> {
        if let Some(said) = self.foreseen(call, &mut work) {
            return Err(internal(&said));
        }
        let all = 0..call.len;
        let way = Way::twice(self.mine());
        match self.run(call.during, way, |live| work(live, all.clone())) {
            Ok(answer) => Ok(answer),
            Err(Failure::Plugin(error)) => Err(error),
            Err(Failure::Crashed(crash)) => {
                let found = self.narrowed(call, &crash, &mut work);
                let said = lock(&self.faults).learn(call, &crash, found);
                Err(internal(&said))
            }
        }
    }

    /// Why a call is not done that is known to crash, or that has an element which is and does so again.
    fn foreseen<R>(
        &self,
        call: &Call<'_>,
        work: &mut impl FnMut(&mut Live<'_>, Range<usize>) -> Result<R, Trouble>,
    ) -> Option<String> {
        let (said, suspects) = {
            let faults = lock(&self.faults);
            (faults.said_of(call), faults.suspects(call))
        };
        said.or_else(|| {
            let crash = |index: usize| match self.tried(call, index..index + 1, work) {
                Err(Failure::Crashed(crash)) => Some(of_element(&(call.element)(index), &crash)),
                _ => None,
            };
            suspects.into_iter().find_map(crash)
        })
    }

    /// The elements of a batch that make it crash. Not looked for where it takes long until it does.
    fn narrowed<R>(
        &self,
        call: &Call<'_>,
        crash: &Crash,
        work: &mut impl FnMut(&mut Live<'_>, Range<usize>) -> Result<R, Trouble>,
    ) -> Option<Range<usize>> {
        let (started, most) = (Instant::now(), self.spec.limits.call);
        if !self.spec.chunk_invariant || crash.after >= most {
            return None;
        }
        narrowed(call.len, |part| match self.tried(call, part, work) {
            _ if started.elapsed() > most => None,
            Err(Failure::Crashed(_)) => Some(true),
            Err(Failure::Plugin(_)) if self.given_up() => None,
            _ => Some(false),
        })
    }

    /// Does a part of a batch, once.
    fn tried<R>(
        &self,
        call: &Call<'_>,
        part: Range<usize>,
        work: &mut impl FnMut(&mut Live<'_>, Range<usize>) -> Result<R, Trouble>,
    ) -> Result<R, Failure> {
        let way = Way::trying(self.mine());
        self.run(call.during, way, |live| work(live, part.clone()))
    }

    /// Counts a crash, if it was not asked for.
    pub(super) fn note(&self, way: &Way, crash: &Crash) {
        if !way.counts {
            return;
        }
        tracing::warn!(plugin = self.spec.id, %crash, "the worker of a plugin crashed");
        let mut faults = lock(&self.faults);
        faults.crashes.push(crash.clone());
        faults.calls += u32::from(way.done == 1);
    }
}
