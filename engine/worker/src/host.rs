//! One plugin's worker: asked, watched, started again, and given up when it crashes too often.

use std::{
    fmt, io,
    os::fd::{AsFd as _, OwnedFd},
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use eyemap_abi::{ErrorKind, HostApi, PluginError, abi_stable::std_types::RStr};

use crate::{
    Limits,
    arena::Plain,
    logs,
    process::{Crash, Process},
    protocol::{MAX_DROPS, Op, Outcome, Request, Response, hear, tell},
    wire,
};

/// Longest body or batch of one call, in bytes.
const MAX_BODY: u64 = 1 << 30;
/// Longest body that a worker may answer with in bytes: the host has to hold it.
const MAX_ANSWER: u64 = 64 << 20;
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
    /// The worker refuses the library, in its words.
    #[error("{message}")]
    Refused {
        /// What it says.
        message: String,
        /// What can be done about it.
        help: String,
    },
    /// It ended while it loaded the library.
    #[error("its worker crashed: {crash}")]
    Crashed {
        /// How.
        crash: Crash,
    },
}

/// Why a request has no answer.
pub(crate) enum Trouble {
    /// The plugin says so.
    Plugin(PluginError),
    /// The worker is gone, or makes no sense.
    Gone(io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Gone(error)
    }
}

/// A plugin in a process of its own.
pub struct Worker {
    spec: Spec,
    state: Mutex<State>,
    missing: String,
}

#[derive(Default)]
struct State {
    process: Option<Process>,
    /// Which process it is; objects belong to one of them.
    generation: u32,
    crashes: Vec<Crash>,
    /// Crashes since the last call that was answered.
    in_a_row: u32,
    drops: Vec<u32>,
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
        let (process, missing) = load(&spec)?;
        let state = State {
            process: Some(process),
            generation: 1,
            ..State::default()
        };
        Ok(Self {
            spec,
            state: Mutex::new(state),
            missing,
        })
    }

    /// What the kernel cannot keep from the plugin, in a sentence; empty when it is confined as meant.
    pub fn missing(&self) -> &str {
        &self.missing
    }

    /// The crashes so far.
    pub fn crashes(&self) -> Vec<Crash> {
        self.lock().crashes.clone()
    }

    /// Process id of the worker that runs now, if one does.
    pub fn process_id(&self) -> Option<u32> {
        self.lock().process.as_ref().map(Process::id)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
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
            self.ready(&mut state)?;
            let asked = Instant::now();
            let State {
                process: Some(process),
                generation,
                drops,
                ..
            } = &mut *state
            else {
                return Err(internal("there is no worker"));
            };
            let mut live = Live {
                process,
                generation: *generation,
                drops,
                spec: &self.spec,
            };
            let done = match work(&mut live) {
                Ok(done) => Ok(Ok(done)),
                Err(Trouble::Plugin(error)) => Ok(Err(error)),
                Err(Trouble::Gone(error)) => Err(error),
            };
            let error = match done {
                Ok(done) => {
                    state.in_a_row = 0;
                    return done;
                }
                Err(error) => error,
            };
            let crash = process.crash(during, asked, &error);
            tracing::warn!(plugin = self.spec.id, %crash, "the worker of a plugin crashed");
            state.process = None;
            state.crashes.push(crash);
            state.in_a_row += 1;
            if !redo {
                return Err(self.given_up(&state));
            }
        }
    }

    /// Sees to it that a worker runs.
    fn ready(&self, state: &mut State) -> Result<(), PluginError> {
        if state.process.is_some() {
            return Ok(());
        }
        let crashes = state.crashes.len() as u32;
        if crashes >= self.spec.limits.crashes {
            return Err(self.given_up(state));
        }
        std::thread::sleep(back_off(state.in_a_row));
        let (process, _) = load(&self.spec).map_err(|error| internal(&error.to_string()))?;
        state.process = Some(process);
        state.generation += 1;
        state.drops.clear();
        Ok(())
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
}

/// How long to wait after so many crashes in a row: not at all after the first, which may be chance.
fn back_off(crashes: u32) -> Duration {
    let waits = crashes.saturating_sub(1);
    let wait = Duration::from_millis(10) * 4_u32.saturating_pow(waits.saturating_sub(1));
    if waits == 0 {
        Duration::ZERO
    } else {
        wait.min(MAX_BACK_OFF)
    }
}

pub(crate) fn internal(message: &str) -> PluginError {
    PluginError::new(ErrorKind::Internal, message)
}

fn load(spec: &Spec) -> Result<(Process, String), WorkerError> {
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
            drops: &mut Vec::new(),
            spec,
        };
        live.load(&told)
    };
    match answer {
        Ok(wire::Loaded { missing }) => Ok((process, missing)),
        Err(Trouble::Plugin(error)) => Err(WorkerError::Refused {
            message: error.message.into(),
            help: error.at.into(),
        }),
        Err(Trouble::Gone(error)) => Err(WorkerError::Crashed {
            crash: process.crash("loading the library", asked, &error),
        }),
    }
}

/// A worker that runs, while its lock is held.
pub(crate) struct Live<'a> {
    process: &'a mut Process,
    pub(crate) generation: u32,
    drops: &'a mut Vec<u32>,
    spec: &'a Spec,
}

impl Live<'_> {
    fn load(&mut self, told: &wire::Load) -> Result<wire::Loaded, Trouble> {
        let body = encode(told)?;
        self.put(&body)?;
        let request = self.request(Op::Load, 0, body.len());
        tell(
            self.process.socket.as_fd(),
            &request,
            Some(self.spec.library.as_fd()),
        )?;
        let (_, len) = self.answer()?;
        decode(&self.process.arena.bytes(0, self.inside(len)?))
    }

    fn request(&mut self, op: Op, object: u32, len: usize) -> Request {
        let drops = self
            .drops
            .split_off(self.drops.len().saturating_sub(MAX_DROPS));
        let log = (self.spec.host.max_level)(RStr::from_str(&self.spec.id)) as u8;
        Request {
            op,
            object,
            len: len as u64,
            log,
            drops,
        }
    }

    /// Makes room for a body or a batch.
    pub(crate) fn room(&mut self, len: usize) -> Result<(), Trouble> {
        if len > self.process.arena.len() {
            if len as u64 > MAX_BODY {
                let message =
                    format!("{len} bytes are too many for one call of a contained plugin");
                return Err(Trouble::Plugin(PluginError::new(ErrorKind::Input, message)));
            }
            self.process.grow(len)?;
        }
        Ok(())
    }

    /// Copies a body to the start of the arena.
    pub(crate) fn put(&mut self, body: &[u8]) -> Result<(), Trouble> {
        self.room(body.len())?;
        self.process.arena.write(0, body);
        Ok(())
    }

    /// Copies an array of a batch in; there must be room.
    pub(crate) fn write<T: Plain>(&mut self, offset: usize, values: &[T]) {
        self.process.arena.write(offset, values);
    }

    /// Copies an array of a batch out.
    pub(crate) fn read<T: Plain>(&self, offset: usize, out: &mut [T]) {
        self.process.arena.read(offset, out);
    }

    /// Asks, and returns the two numbers of the answer: an object and a length.
    pub(crate) fn ask(&mut self, op: Op, object: u32, len: usize) -> Result<(u32, u64), Trouble> {
        let request = self.request(op, object, len);
        tell(self.process.socket.as_fd(), &request, None)?;
        self.answer()
    }

    /// As [`Self::ask`], with the body of the answer.
    pub(crate) fn body(&mut self, op: Op, object: u32, len: usize) -> Result<Vec<u8>, Trouble> {
        let (_, len) = self.ask(op, object, len)?;
        Ok(self.process.arena.bytes(0, self.inside(len)?))
    }

    /// The object that an answer made.
    pub(crate) fn object(&mut self, op: Op, object: u32, len: usize) -> Result<u32, Trouble> {
        self.ask(op, object, len).map(|(object, _)| object)
    }

    fn answer(&mut self) -> Result<(u32, u64), Trouble> {
        let mut response: Response = hear(self.process.socket.as_fd())?;
        if let Outcome::TooLong { len } = response.outcome {
            if len > MAX_ANSWER {
                let message = format!("its answer has {len} bytes, more than {MAX_ANSWER}");
                return Err(Trouble::Plugin(internal(&message)));
            }
            self.process.grow(len as usize)?;
            tell(self.process.socket.as_fd(), &Request::of(Op::Fetch), None)?;
            response = hear(self.process.socket.as_fd())?;
        }
        self.logged(response.log)?;
        match response.outcome {
            Outcome::Done { object, len } => Ok((object, len)),
            Outcome::Failed { len } => {
                let failure: wire::Failure =
                    decode(&self.process.arena.bytes(0, self.inside(len)?))?;
                Err(Trouble::Plugin(failure.into()))
            }
            Outcome::TooLong { .. } => Err(nonsense("an answer that is too long twice")),
        }
    }

    /// Passes log records on.
    fn logged(&self, (offset, len): (u64, u64)) -> Result<(), Trouble> {
        if len == 0 {
            return Ok(());
        }
        self.inside(offset.saturating_add(len))?;
        let bytes = self.process.arena.bytes(offset as usize, len as usize);
        let records: Vec<logs::Record> = decode(&bytes)?;
        logs::replay(&records, &self.spec.id, &self.spec.host);
        Ok(())
    }

    /// A length that lies in the arena.
    fn inside(&self, len: u64) -> Result<usize, Trouble> {
        match usize::try_from(len) {
            Ok(len) if len <= self.process.arena.len() => Ok(len),
            _ => Err(nonsense("a length beyond the shared memory")),
        }
    }
}

impl Worker {
    /// Tells a worker with its next request that an object is no longer used.
    pub(crate) fn dropped(&self, generation: u32, object: u32) {
        let mut state = self.lock();
        if state.generation == generation && object != 0 {
            state.drops.push(object);
        }
    }
}

fn nonsense(what: &str) -> Trouble {
    Trouble::Gone(io::Error::new(io::ErrorKind::InvalidData, what))
}

pub(crate) fn encode(value: &impl serde::Serialize) -> Result<Vec<u8>, Trouble> {
    postcard::to_allocvec(value).map_err(|error| Trouble::Plugin(internal(&error.to_string())))
}

pub(crate) fn decode<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, Trouble> {
    postcard::from_bytes(bytes).map_err(|error| nonsense(&error.to_string()))
}
