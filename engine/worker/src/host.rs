//! One plugin's processes: asked, watched, started again, and given up when they crash too often.

mod again;

use std::{
    cell::RefCell,
    fmt, io,
    os::fd::OwnedFd,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{
        Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use eyemap_abi::{ErrorKind, HostApi, PluginError};

use crate::{
    Limits,
    culprit::Faults,
    live::{Live, Trouble},
    process::{Crash, Process},
    wire::{self, Misfit},
};
use again::Way;

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
    /// Whether each element of a batch has an answer of its own, so that a batch can be asked in parts.
    pub chunk_invariant: bool,
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

/// With these words a worker says that it cannot give up what a plugin may not have.
pub(crate) const UNCONFINED: &str = "its worker cannot be confined";

impl WorkerError {
    /// Whether nothing is known of the library, as there is no process to contain it.
    pub fn is_for_want_of_containment(&self) -> bool {
        match self {
            Self::Start { .. } => true,
            Self::Refused { message } => message.starts_with(UNCONFINED),
            Self::Crashed { .. } => false,
        }
    }
}

/// A plugin in processes of its own: one, and more where threads wait for one another.
///
/// A thread asks the process that its number falls on, so that what it has prepared is there. Another process
/// is started when the calls have waited longer for one another than it takes to start one: for a plugin that
/// is quick or a host with one thread that is never.
pub struct Worker {
    spec: Spec,
    /// No other of this process has it.
    id: u64,
    /// Threads that have asked it.
    threads: AtomicUsize,
    slots: Vec<Slot>,
    /// So many of the slots, from the first, are asked.
    used: AtomicUsize,
    /// Whether more of them may be.
    grows: AtomicBool,
    /// Nanoseconds that calls have waited for one another since the last slot was added.
    waited: AtomicU64,
    /// What it took to start the first process.
    cost: Duration,
    /// Processes that were started; each is another generation.
    started: AtomicU32,
    faults: Mutex<Faults>,
    loaded: wire::Loaded,
}

/// Room for one process.
#[derive(Default)]
struct Slot {
    state: Mutex<State>,
    /// Objects that are no longer used, with the process that they belong to; told with the next request. A
    /// lock of its own: who drops an object does not wait for a call of another thread.
    dropped: Mutex<Vec<(u32, u32)>>,
}

#[derive(Default)]
struct State {
    process: Option<Process>,
    /// Which process it is; objects belong to one of them.
    generation: u32,
}

/// Why there is no answer.
enum Failure {
    /// The plugin says so, or there is no process.
    Plugin(PluginError),
    /// It crashed, as often as it was asked.
    Crashed(Crash),
}

/// What became of one attempt.
enum Attempt<R> {
    Answered(Result<R, PluginError>),
    Crashed(Crash),
    /// There is no process, and there will be none.
    Without(PluginError),
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Worker({})", self.spec.id)
    }
}

impl Worker {
    /// Starts a process and lets it load the library.
    ///
    /// # Errors
    /// When it cannot be started, cannot be confined, ends, or refuses the library.
    pub fn start(spec: Spec) -> Result<Self, WorkerError> {
        static WORKERS: AtomicU64 = AtomicU64::new(0);

        let asked = Instant::now();
        let (process, loaded) = load(&spec)?;
        let first = Slot::default();
        *lock(&first.state) = State {
            process: Some(process),
            generation: 1,
        };
        let more = (1..spec.limits.workers.max(1)).map(|_| Slot::default());
        Ok(Self {
            spec,
            id: WORKERS.fetch_add(1, Ordering::Relaxed),
            threads: AtomicUsize::new(0),
            slots: std::iter::once(first).chain(more).collect(),
            used: AtomicUsize::new(1),
            grows: AtomicBool::new(true),
            waited: AtomicU64::new(0),
            cost: asked.elapsed(),
            started: AtomicU32::new(1),
            faults: Mutex::default(),
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

    /// The crashes so far, without those that were foreseen.
    pub fn crashes(&self) -> Vec<Crash> {
        lock(&self.faults).crashes.clone()
    }

    /// Process ids of those that run now. Waits for calls that are under way.
    pub fn processes(&self) -> Vec<u32> {
        let states = self.slots.iter().map(|slot| lock(&slot.state));
        let running = states.filter_map(|state| state.process.as_ref().map(Process::id));
        running.collect()
    }

    /// The most processes there may be.
    pub(crate) const fn slots(&self) -> usize {
        self.slots.len()
    }

    /// Does `work` once, in one slot: for what a process remembers, which is gone with it.
    pub(crate) fn once<R>(
        &self,
        during: &str,
        slot: usize,
        work: impl FnMut(&mut Live<'_>) -> Result<R, Trouble>,
    ) -> Result<R, PluginError> {
        let done = self.run(during, Way::once(slot), work);
        done.map_err(|failure| match failure {
            Failure::Plugin(error) => error,
            Failure::Crashed(_) => self.crashed(),
        })
    }

    /// The slot that this thread asks. Threads are numbered as they come, for each worker anew: those that
    /// come one after the other ask different slots.
    fn mine(&self) -> usize {
        thread_local! {
            static NUMBERS: RefCell<Vec<(u64, usize)>> = const { RefCell::new(Vec::new()) };
        }
        let number = NUMBERS.try_with(|numbers| {
            let mut numbers = numbers.borrow_mut();
            if let Some((_, number)) = numbers.iter().find(|(worker, _)| *worker == self.id) {
                return *number;
            }
            let number = self.threads.fetch_add(1, Ordering::Relaxed);
            numbers.push((self.id, number));
            number
        });
        // A thread that ends has no numbers any more.
        number.unwrap_or_default() % self.used.load(Ordering::Relaxed)
    }

    fn run<R>(
        &self,
        during: &str,
        mut way: Way,
        mut work: impl FnMut(&mut Live<'_>) -> Result<R, Trouble>,
    ) -> Result<R, Failure> {
        let mut state = self.wait_for(way.slot);
        loop {
            match self.attempt(way.slot, &mut state, during, &mut work) {
                Attempt::Answered(answer) => return answer.map_err(Failure::Plugin),
                // The first process was started, so the plugin can be used; this is one more than fit.
                Attempt::Without(_) if way.slot > 0 && way.moves && !self.given_up() => {
                    self.grows.store(false, Ordering::Relaxed);
                    self.used.store(1, Ordering::Relaxed);
                    way.slot = 0;
                    drop(state);
                    state = self.wait_for(way.slot);
                }
                Attempt::Without(error) => return Err(Failure::Plugin(error)),
                Attempt::Crashed(crash) => {
                    state.process = None;
                    way.done += 1;
                    self.note(&way, &crash);
                    if way.done >= way.attempts {
                        return Err(Failure::Crashed(crash));
                    }
                }
            }
        }
    }

    /// A slot, when no other thread uses it.
    fn wait_for(&self, slot: usize) -> MutexGuard<'_, State> {
        let state = &self.slots[slot].state;
        match state.try_lock() {
            Ok(state) => state,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                let asked = Instant::now();
                let state = lock(state);
                self.waited(asked.elapsed());
                state
            }
        }
    }

    /// Adds a slot when waiting has become as dear as a process. Whoever rents until the rent has reached the
    /// price never pays more than twice what he would have, had he known (Karlin, Manasse, Rudolph and
    /// Sleator, "Competitive snoopy caching", 1988).
    fn waited(&self, time: Duration) {
        let time = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let waited = self
            .waited
            .fetch_add(time, Ordering::Relaxed)
            .saturating_add(time);
        let used = self.used.load(Ordering::Relaxed);
        if u128::from(waited) < self.cost.as_nanos()
            || used >= self.slots.len()
            || !self.grows.load(Ordering::Relaxed)
        {
            return;
        }
        // Its process is started by whoever asks it first.
        let add = self
            .used
            .compare_exchange(used, used + 1, Ordering::Relaxed, Ordering::Relaxed);
        if add.is_ok() {
            self.waited.store(0, Ordering::Relaxed);
        }
    }

    /// Does `work` with the process of a slot, or with a new one.
    fn attempt<R>(
        &self,
        slot: usize,
        state: &mut State,
        during: &str,
        work: &mut impl FnMut(&mut Live<'_>) -> Result<R, Trouble>,
    ) -> Attempt<R> {
        if self.given_up() {
            state.process = None;
            return Attempt::Without(self.crashed());
        }
        if state.process.is_none() {
            match self.restart(state) {
                Ok(None) => {}
                Ok(Some(crash)) => return Attempt::Crashed(crash),
                Err(error) => return Attempt::Without(error),
            }
        }
        let Some(process) = &mut state.process else {
            return Attempt::Without(internal("there is no worker"));
        };
        let asked = Instant::now();
        process.come_near();
        let mut live = Live {
            process,
            slot,
            generation: state.generation,
            dropped: &self.slots[slot].dropped,
            spec: &self.spec,
            asked,
        };
        // A panic here would end the host, as a call of a plugin may not unwind. What a worker sends may not
        // lead to one, and if it does, the worker is to blame.
        let done = catch_unwind(AssertUnwindSafe(|| work(&mut live)));
        live.process.took(asked.elapsed());
        let gone = match done {
            Ok(Ok(done)) => {
                return Attempt::Answered(Ok(done));
            }
            Ok(Err(Trouble::Plugin(error))) => {
                return Attempt::Answered(Err(error));
            }
            Ok(Err(Trouble::Gone(error))) => error,
            Err(_) => io::Error::new(io::ErrorKind::InvalidData, "numbers out of place"),
        };
        Attempt::Crashed(process.crash(during, asked, &gone))
    }

    /// Starts a process in place of one that is gone. Gives how it crashed while it loaded.
    fn restart(&self, state: &mut State) -> Result<Option<Crash>, PluginError> {
        match load(&self.spec) {
            Ok((process, _)) => {
                state.process = Some(process);
                state.generation = self.started.fetch_add(1, Ordering::Relaxed) + 1;
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

    /// Whether it has crashed too often.
    fn given_up(&self) -> bool {
        lock(&self.faults).calls >= self.spec.limits.crashes
    }

    /// Why there is no answer.
    fn crashed(&self) -> PluginError {
        let faults = lock(&self.faults);
        let last = faults.crashes.last().map(ToString::to_string);
        let last = last.unwrap_or_default();
        let count = faults.crashes.len();
        let times = if count == 1 {
            "once".to_owned()
        } else {
            format!("{count} times")
        };
        let quarantined = if faults.calls >= self.spec.limits.crashes {
            " and is not started again"
        } else {
            ""
        };
        internal(&format!("its worker crashed {times}{quarantined}: {last}"))
    }

    /// Tells the process of a slot with its next request that an object is no longer used.
    pub(crate) fn dropped(&self, slot: usize, generation: u32, object: u32) {
        if object != 0 {
            lock(&self.slots[slot].dropped).push((generation, object));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
    let mut process = Process::start(&spec.program, spec.argument, spec.limits).map_err(start)?;
    let told = wire::Load {
        path: spec.path.to_string_lossy().into_owned(),
        memory: spec.limits.memory,
    };
    let answer = {
        let mut live = Live {
            process: &mut process,
            slot: 0,
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
