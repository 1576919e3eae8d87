//! One plugin's worker: asked, watched, started again, and given up when it crashes too often.

use std::{
    fmt, io,
    os::fd::OwnedFd,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use eyemap_abi::{ErrorKind, HostApi, PluginError};

use crate::{
    Limits,
    live::{Live, Trouble},
    process::{Crash, Process},
    wire::{self, Misfit},
};

/// Longest wait before a worker is started again.
const MAX_BACK_OFF: Duration = Duration::from_secs(2);

/// What a worker is started with.
pub struct Spec {
    /// The program, which calls [`crate::serve`] when it is started with `argument` alone.
    pub program: PathBuf,
    /// The argument that makes it a worker.
    pub argument: &'static str,
    /// The library: checked, sealed bytes.
    pub library: OwnedFd,
    /// The file that they came from, for messages.
    pub path: PathBuf,
    /// The plugin's id, for log records and messages.
    pub id: String,
    /// What it may use.
    pub limits: Limits,
    /// Where its log records go.
    pub host: HostApi,
}

/// Why there is no worker.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkerError {
    /// The process cannot be started.
    #[error("a worker process cannot be started from {}", .program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The worker refuses the library, in its words: one line.
    #[error("{message}")]
    Refused {
        /// What it says.
        message: String,
    },
    /// It ended while it loaded the library.
    #[error("its worker crashed: {crash}")]
    Crashed {
        /// How.
        crash: Crash,
    },
}

/// A plugin in a process of its own.
pub struct Worker {
    spec: Spec,
    state: Mutex<State>,
    /// Objects that are no longer used, with the worker that they belong to; told with the next request. A
    /// lock of its own: who drops an object does not wait for a call of another thread.
    dropped: Mutex<Vec<(u32, u32)>>,
    loaded: wire::Loaded,
}

#[derive(Default)]
struct State {
    process: Option<Process>,
    /// Which process it is; objects belong to one of them.
    generation: u32,
    crashes: Vec<Crash>,
    /// Crashes since the last call that was answered.
    in_a_row: u32,
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Worker({})", self.spec.id)
    }
}

impl Worker {
    /// Starts a worker and lets it load the library.
    ///
    /// # Errors
    /// When it cannot be started, cannot be confined, ends, or refuses the library.
    pub fn start(spec: Spec) -> Result<Self, WorkerError> {
        let (process, loaded) = load(&spec)?;
        let state = State {
            process: Some(process),
            generation: 1,
            ..State::default()
        };
        Ok(Self {
            spec,
            state: Mutex::new(state),
            dropped: Mutex::default(),
            loaded,
        })
    }

    /// What the kernel cannot keep from the plugin, in a sentence; empty when it is confined as meant.
    pub fn missing(&self) -> &str {
        &self.loaded.missing
    }

    /// Extensions of the plugin that are in a form that this host does not know.
    pub fn misfits(&self) -> &[Misfit] {
        &self.loaded.misfits
    }

    /// The crashes so far. Waits for a call that is under way.
    pub fn crashes(&self) -> Vec<Crash> {
        self.lock().crashes.clone()
    }

    /// Process id of the worker that runs now, if one does. Waits for a call that is under way.
    pub fn process_id(&self) -> Option<u32> {
        self.lock().process.as_ref().map(Process::id)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does `work` with a live worker. When the worker ends meanwhile, it is started anew and the work is
    /// done again, until it has crashed too often. Work without memory gives the same answer then.
    pub(crate) fn again<R>(
        &self,
        during: &str,
        work: impl FnMut(&mut Live<'_>) -> Result<R, Trouble>,
    ) -> Result<R, PluginError> {
        self.run(during, true, work)
    }

    /// Does `work` once: for what a worker remembers, which is gone with it.
    pub(crate) fn once<R>(
        &self,
        during: &str,
        work: impl FnMut(&mut Live<'_>) -> Result<R, Trouble>,
    ) -> Result<R, PluginError> {
        self.run(during, false, work)
    }

    fn run<R>(
        &self,
        during: &str,
        redo: bool,
        mut work: impl FnMut(&mut Live<'_>) -> Result<R, Trouble>,
    ) -> Result<R, PluginError> {
        let mut state = self.lock();
        loop {
            match self.attempt(&mut state, during, &mut work)? {
                Ok(done) => return Ok(done),
                Err(crash) => {
                    tracing::warn!(plugin = self.spec.id, %crash, "the worker of a plugin crashed");
                    state.process = None;
                    state.crashes.push(crash);
                    state.in_a_row += 1;
                    if !redo {
                        return Err(self.given_up(&state));
                    }
                }
            }
        }
    }

    /// Does `work` with the worker that runs, or with a new one; gives what it gave, or how it crashed.
    fn attempt<R>(
        &self,
        state: &mut State,
        during: &str,
        work: &mut impl FnMut(&mut Live<'_>) -> Result<R, Trouble>,
    ) -> Result<Result<R, Crash>, PluginError> {
        if state.process.is_none()
            && let Some(crash) = self.restart(state)?
        {
            return Ok(Err(crash));
        }
        let Some(process) = &mut state.process else {
            return Err(internal("there is no worker"));
        };
        let asked = Instant::now();
        let mut live = Live {
            process,
            generation: state.generation,
            dropped: &self.dropped,
            spec: &self.spec,
            asked,
        };
        // A panic here would end the host, as a call of a plugin may not unwind. What a worker sends may not
        // lead to one, and if it does, the worker is to blame.
        let done = catch_unwind(AssertUnwindSafe(|| work(&mut live)));
        match done {
            Ok(Ok(done)) => {
                state.in_a_row = 0;
                Ok(Ok(done))
            }
            Ok(Err(Trouble::Plugin(error))) => {
                state.in_a_row = 0;
                Err(error)
            }
            Ok(Err(Trouble::Gone(error))) => Ok(Err(process.crash(during, asked, &error))),
            Err(_) => {
                let nonsense = io::Error::new(io::ErrorKind::InvalidData, "numbers out of place");
                Ok(Err(process.crash(during, asked, &nonsense)))
            }
        }
    }

    /// Starts a worker again, unless it crashed too often. Gives how it crashed while it loaded.
    fn restart(&self, state: &mut State) -> Result<Option<Crash>, PluginError> {
        if state.crashes.len() as u32 >= self.spec.limits.crashes {
            return Err(self.given_up(state));
        }
        std::thread::sleep(back_off(state.in_a_row));
        match load(&self.spec) {
            Ok((process, _)) => {
                state.process = Some(process);
                state.generation += 1;
                Ok(None)
            }
            Err(WorkerError::Crashed { crash }) => Ok(Some(crash)),
            Err(error @ WorkerError::Refused { .. }) => Err(internal(&error.to_string())),
            Err(WorkerError::Start { program, source }) => {
                let what = "its worker cannot be started again from";
                Err(internal(&format!("{what} {}: {source}", program.display())))
            }
        }
    }

    fn given_up(&self, state: &State) -> PluginError {
        let last = state
            .crashes
            .last()
            .map(ToString::to_string)
            .unwrap_or_default();
        let crashes = state.crashes.len();
        let times = if crashes == 1 {
            "once".to_owned()
        } else {
            format!("{crashes} times")
        };
        let quarantined = if crashes as u32 >= self.spec.limits.crashes {
            " and is not started again"
        } else {
            ""
        };
        internal(&format!("its worker crashed {times}{quarantined}: {last}"))
    }

    /// Tells a worker with its next request that an object is no longer used.
    pub(crate) fn dropped(&self, generation: u32, object: u32) {
        if object != 0 {
            let mut dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
            dropped.push((generation, object));
        }
    }
}

/// How long to wait after so many crashes in a row: not at all after the first, which may be chance.
fn back_off(crashes: u32) -> Duration {
    let waits = crashes.saturating_sub(1);
    let wait =
        Duration::from_millis(10).saturating_mul(4_u32.saturating_pow(waits.saturating_sub(1)));
    if waits == 0 {
        Duration::ZERO
    } else {
        wait.min(MAX_BACK_OFF)
    }
}

pub(crate) fn internal(message: &str) -> PluginError {
    PluginError::new(ErrorKind::Internal, message)
}

fn load(spec: &Spec) -> Result<(Process, wire::Loaded), WorkerError> {
    let asked = Instant::now();
    let start = |source| WorkerError::Start {
        program: spec.program.clone(),
        source,
    };
    let mut process =
        Process::start(&spec.program, spec.argument, spec.limits.call).map_err(start)?;
    let told = wire::Load {
        path: spec.path.to_string_lossy().into_owned(),
        memory: spec.limits.memory,
    };
    let answer = {
        let mut live = Live {
            process: &mut process,
            generation: 0,
            dropped: &Mutex::default(),
            spec,
            asked,
        };
        live.load(&told)
    };
    match answer {
        Ok(loaded) => Ok((process, loaded.clean())),
        Err(Trouble::Plugin(error)) => Err(WorkerError::Refused {
            message: wire::line(error.message.as_bytes()),
        }),
        Err(Trouble::Gone(error)) => Err(WorkerError::Crashed {
            crash: process.crash("loading the library", asked, &error),
        }),
    }
}
