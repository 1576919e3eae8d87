//! The worker's side: confined, it loads one library and answers requests until its host is gone.

mod answers;

use std::{fs::File, io, os::fd::OwnedFd, path::Path, process::ExitCode, sync::Arc};

use eyemap_abi::{
    CacheExtension, ColorExtension, CoordinateExtension, DescribeExtension, HostApi,
    MetadataExtension, PluginError,
    abi_stable::std_types::{RNone, RSlice, RSliceMut, RSome, RStr},
};
use rustix::event::{PollFd, PollFlags, poll};

use answers::{Answer, Done, answered, body, nothing, other, text, there};

use crate::{
    arena::Arena,
    confine::{self, Allowed},
    host::{UNCONFINED, internal},
    layout::{ColorLayout, DecideLayout, PlaceLayout, RESIDENT},
    logs,
    objects::{Object, Objects},
    protocol::{Decide, Kind, Op, Outcome, Request, Response, WorkerEnd},
    wire::{self, Misfit},
};

/// What a plugin exports, as far as a worker can be asked for it.
#[derive(Clone, Copy, Default)]
pub struct Extensions {
    /// Where hexagons lie.
    pub coordinate: Option<CoordinateExtension>,
    /// How they are coloured.
    pub color: Option<ColorExtension>,
    /// What is written on a map.
    pub metadata: Option<MetadataExtension>,
    /// Which cache entry dies first.
    pub cache: Option<CacheExtension>,
    /// Its keys.
    pub describe: Option<DescribeExtension>,
}

/// What can be used of a plugin, and what cannot.
pub type Exports = (Extensions, Vec<Misfit>);

/// Bytes that a worker may print.
const PRINTED: u64 = 64 * 1024;
/// Files that it may have open: its socket and pipes, its output, and what the loader reads.
const FILES: u64 = 32;

/// Serves the host at standard input, until it is gone. To be called first in `main`, before any thread is
/// started; `load` gets the sealed library, the path it came from and the functions that the plugin is
/// given, and runs confined. It fails with what is wrong.
pub fn serve(load: impl FnOnce(File, &Path, HostApi) -> Result<Exports, String>) -> ExitCode {
    match run(load) {
        // The host has closed its end: the worker is not needed any more.
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn run(load: impl FnOnce(File, &Path, HostApi) -> Result<Exports, String>) -> io::Result<()> {
    let (end, file) = WorkerEnd::open(own_files()?)?;
    let arena = Arena::map(&file, rustix::fs::fstat(&file)?.st_size as usize)?;
    drop(file);
    let mut served = Served {
        end,
        arena,
        objects: Objects::default(),
        extensions: Extensions::default(),
        pending: Done::nothing(),
    };
    let request = served.end.hear()?;
    if request.op != Op::Load {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let library = served.end.file()?;
    logs::listen(request.log);
    let loaded = served.load(&request, library, load);
    served.answer(request.number, loaded)?;
    loop {
        let request = served.end.hear()?;
        if let Op::Arena { len } = request.op {
            let file = served.end.file()?;
            served.arena.replace(&file, len as usize)?;
            continue;
        }
        logs::listen(request.log);
        for &object in &request.drops {
            served.objects.remove(object);
        }
        let done = served.done(&request);
        served.answer(request.number, done)?;
    }
}

/// Takes the socket away from standard input, and closes what else was inherited.
fn own_files() -> io::Result<OwnedFd> {
    confine::close_inherited(&[])?;
    let socket = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?;
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    Ok(socket)
}

/// Ends the process when the host is gone, also while the plugin does not return.
fn watch(socket: Arc<OwnedFd>) -> io::Result<()> {
    let watch = move || {
        block_signals();
        loop {
            let mut fds = [PollFd::new(&*socket, PollFlags::RDHUP)];
            let polled = poll(&mut fds, None);
            if polled.is_ok()
                && fds[0]
                    .revents()
                    .intersects(PollFlags::HUP | PollFlags::RDHUP)
            {
                leave();
            }
        }
    };
    std::thread::Builder::new()
        .stack_size(64 * 1024)
        .spawn(watch)
        .map(drop)
}

/// Ends the process at once: what runs at an ordinary exit is the plugin's, and may wait for what the plugin
/// holds.
#[allow(unsafe_code)]
fn leave() -> ! {
    // SAFETY: ends the process; nothing of it is used any more.
    unsafe { libc::_exit(0) }
}

/// Keeps this thread from running the plugin's signal handlers.
#[allow(unsafe_code)]
fn block_signals() {
    // SAFETY: plain calls on a set of this function's own.
    unsafe {
        let mut all = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, std::ptr::null_mut());
    }
}

struct Served {
    end: WorkerEnd,
    arena: Arena,
    objects: Objects,
    extensions: Extensions,
    /// An answer that was too long for the arena.
    pending: Done,
}

impl Served {
    fn load(
        &mut self,
        request: &Request,
        library: OwnedFd,
        load: impl FnOnce(File, &Path, HostApi) -> Result<Exports, String>,
    ) -> Answer {
        let told: wire::Load = self.request_body(request)?;
        let allowed = Allowed {
            memory: told.memory,
            printed: PRINTED,
            files: FILES,
            itself: false,
            copies: false,
            threads: false,
        };
        let failed = |what: &str, error: io::Error| internal(&format!("{what}: {error}"));
        let unconfined = |error| failed(UNCONFINED, error);
        let confined = confine::confine(allowed).map_err(unconfined)?;
        watch(Arc::clone(&self.end.socket))
            .map_err(|e| failed("its worker cannot be watched", e))?;
        confine::no_more_threads().map_err(unconfined)?;
        let (extensions, misfits) = load(File::from(library), Path::new(&told.path), logs::API)
            .map_err(|message| internal(&message))?;
        self.extensions = extensions;
        body(&wire::Loaded {
            missing: confined.missing,
            misfits,
        })
    }

    fn bytes(&self, request: &Request) -> Vec<u8> {
        self.arena.bytes(0, request.len as usize)
    }

    fn request_text(&self, request: &Request) -> Result<String, PluginError> {
        String::from_utf8(self.bytes(request)).map_err(|error| internal(&error.to_string()))
    }

    fn request_body<T: serde::de::DeserializeOwned>(
        &self,
        request: &Request,
    ) -> Result<T, PluginError> {
        postcard::from_bytes(&self.bytes(request)).map_err(|error| internal(&error.to_string()))
    }

    fn answer(&mut self, number: u32, answer: Answer) -> io::Result<()> {
        let (done, failed) = match answer {
            Ok(done) => (done, false),
            Err(error) => {
                let failure =
                    postcard::to_allocvec(&wire::Failure::from(error)).unwrap_or_default();
                (Done::body(failure), true)
            }
        };
        let Done {
            object,
            mut len,
            body,
            used,
        } = done;
        let mut used = used;
        if let Some(body) = body {
            len = body.len() as u64;
            if body.len() > self.arena.len() {
                self.pending = Done {
                    object,
                    ..Done::body(body)
                };
                let response = Response {
                    number,
                    outcome: Outcome::TooLong { len },
                    log: (0, 0),
                };
                return self.end.tell(&response);
            }
            self.arena.write(0, &body);
            used = body.len();
        }
        let outcome = if failed {
            Outcome::Failed { len }
        } else {
            Outcome::Done { object, len }
        };
        let log = self.log(used);
        self.end.tell(&Response {
            number,
            outcome,
            log,
        })
    }

    /// Puts log records behind the answer, if there is room.
    fn log(&mut self, used: usize) -> (u64, u64) {
        let records = logs::take();
        if records.is_empty() {
            return (0, 0);
        }
        let bytes = postcard::to_allocvec(&records).unwrap_or_default();
        if bytes.len() as u64 > logs::MAX_BYTES || used + bytes.len() > self.arena.len() {
            return (0, 0);
        }
        self.arena.write(used, &bytes);
        (used as u64, bytes.len() as u64)
    }

    fn done(&mut self, request: &Request) -> Answer {
        match request.op {
            Op::Load | Op::Arena { .. } => Err(internal("a request out of order")),
            Op::Fetch => Ok(std::mem::replace(&mut self.pending, Done::nothing())),
            Op::DescribePlugin => self.describe_plugin(),
            Op::Create(kind) => self.create(kind, request),
            Op::Prepare => self.prepare(request),
            Op::Needs => match self.objects.get(request.object)? {
                Object::Color(stage) => text(stage.needs()),
                _ => Err(other()),
            },
            Op::Color => self.color(request),
            Op::Place => self.place(request),
            Op::Annotate => self.annotate(request),
            Op::CreatePolicy { capacity } => self.create_policy(capacity, request),
            Op::Decide(decide) => self.decide(decide, request.object),
            Op::Resize { capacity } => match self.objects.get(request.object)? {
                Object::Policy(policy) => nothing(policy.resize(capacity)),
                _ => Err(other()),
            },
            Op::Snapshot => match self.objects.get(request.object)? {
                Object::Policy(policy) => Ok(Done::body(answered(policy.snapshot())?.into_vec())),
                _ => Err(other()),
            },
            Op::Restore => self.restore(request),
        }
    }

    fn describe_plugin(&self) -> Answer {
        let extension = self
            .extensions
            .describe
            .ok_or_else(|| internal("it does not describe itself"))?;
        text((extension.describe)())
    }

    fn create(&mut self, kind: Kind, request: &Request) -> Answer {
        let create: wire::Create = self.request_body(request)?;
        let config = RStr::from_str(&create.config);
        let extensions = self.extensions;
        let object = wire::lend_tables(&create.tables, |tables| {
            let tables = RSlice::from_slice(tables);
            Ok(match kind {
                Kind::Coordinate => Object::Coordinate(answered((there(extensions.coordinate)?
                    .create)(
                    config, tables
                ))?),
                Kind::Color => {
                    Object::Color(answered((there(extensions.color)?.create)(config, tables))?)
                }
                Kind::Metadata => Object::Metadata(answered(
                    (there(extensions.metadata)?.create)(config, tables),
                )?),
                Kind::Cache => return Err(other()),
            })
        })?;
        Ok(Done::object(self.objects.add(object)))
    }

    fn prepare(&mut self, request: &Request) -> Answer {
        let job = self.request_text(request)?;
        let job = RStr::from_str(&job);
        let (object, description) = match self.objects.get(request.object)? {
            Object::Coordinate(stage) => {
                let job = answered(stage.prepare(job))?;
                let description = job.describe();
                (Object::PreparedCoordinate(job), description)
            }
            Object::Color(stage) => {
                let job = answered(stage.prepare(job))?;
                let description = job.describe();
                (Object::PreparedColor(job), description)
            }
            Object::Metadata(stage) => {
                let job = answered(stage.prepare(job))?;
                let description = job.describe();
                (Object::PreparedMetadata(job), description)
            }
            _ => return Err(other()),
        };
        // As bytes: the host looks whether they are a text.
        let description = answered(description)
            .map(|text| text.as_bytes().to_vec())
            .map_err(wire::Failure::from);
        let Done { body, .. } = body(&wire::Prepared(description))?;
        Ok(Done {
            body,
            ..Done::object(self.objects.add(object))
        })
    }

    fn color(&mut self, request: &Request) -> Answer {
        let Object::PreparedColor(job) = self.objects.get(request.object)? else {
            return Err(other());
        };
        let count = request.len as usize;
        let at = ColorLayout::of(count);
        let mut places = self.arena.places();
        let values = places.next::<f64>(at.values, count);
        let status = places.next::<u8>(at.status, count);
        let rgba = places.next::<u32>(at.rgba, count);
        rgba.fill(0);
        let (values, status) = (RSlice::from_slice(values), RSlice::from_slice(status));
        answered(job.color(values, status, RSliceMut::from_mut_slice(rgba)))?;
        Ok(Done::batch(at.len))
    }

    fn place(&mut self, request: &Request) -> Answer {
        let Object::PreparedCoordinate(job) = self.objects.get(request.object)? else {
            return Err(other());
        };
        let count = request.len as usize;
        let at = PlaceLayout::of(count);
        let mut places = self.arena.places();
        let hex1 = places.next::<i32>(at.hex1, count);
        let hex2 = places.next::<i32>(at.hex2, count);
        let x = places.next::<f64>(at.x, count);
        let y = places.next::<f64>(at.y, count);
        let placed = places.next::<u8>(at.placed, count);
        x.fill(0.0);
        y.fill(0.0);
        placed.fill(0);
        answered(job.place(
            RSlice::from_slice(hex1),
            RSlice::from_slice(hex2),
            RSliceMut::from_mut_slice(x),
            RSliceMut::from_mut_slice(y),
            RSliceMut::from_mut_slice(placed),
        ))?;
        Ok(Done::batch(at.len))
    }

    fn annotate(&mut self, request: &Request) -> Answer {
        let batch: wire::Batch = self.request_body(request)?;
        let Object::PreparedMetadata(job) = self.objects.get(request.object)? else {
            return Err(other());
        };
        let overrides = batch.lend(|columns| answered(job.annotate(columns)))?;
        let overrides: Vec<_> = overrides
            .iter()
            .map(|found| wire::Override {
                index: found.index,
                text: found.text.as_bytes().to_vec(),
            })
            .collect();
        body(&overrides)
    }

    fn create_policy(&mut self, capacity: u64, request: &Request) -> Answer {
        let options = self.request_text(request)?;
        let extension = there(self.extensions.cache)?;
        let policy = answered((extension.create)(RStr::from_str(&options), capacity))?;
        let needs = u64::from(policy.needs());
        let object = self.objects.add(Object::Policy(policy));
        Ok(Done {
            object,
            len: needs,
            ..Done::nothing()
        })
    }

    fn decide(&mut self, told: Decide, object: u32) -> Answer {
        let Object::Policy(policy) = self.objects.get(object)? else {
            return Err(other());
        };
        let (events, slots) = (told.events as usize, told.slots as usize);
        let all = events + usize::from(told.candidate);
        let at = DecideLayout::of(all, slots, told.places as usize);
        let mut places = self.arena.places();
        let numbers = places.next::<u64>(at.events, all * wire::EVENT);
        let weights = places.next::<u64>(at.weights, slots);
        let states = places.next::<u8>(at.states, slots);
        let victims = places.next::<u32>(at.victims, told.places as usize);
        let mut list: Vec<_> = numbers.chunks_exact(wire::EVENT).map(wire::event).collect();
        let candidate = if told.candidate { list.pop() } else { None };
        let metas: Vec<_> = weights
            .iter()
            .zip(&*states)
            .map(|(&weight, &state)| slot(weight, state))
            .collect();
        let decision = answered(policy.decide(
            RSlice::from_slice(&list),
            RSlice::from_slice(&metas),
            told.need,
            candidate.map_or(RNone, RSome),
            RSliceMut::from_mut_slice(victims),
        ))?;
        for (state, meta) in states.iter_mut().zip(&metas) {
            *state = *state & RESIDENT | meta.hits() & !RESIDENT;
        }
        Ok(Done {
            object: decision.victims,
            len: u64::from(decision.admit),
            body: None,
            used: at.len,
        })
    }

    fn restore(&mut self, request: &Request) -> Answer {
        let state = self.bytes(request);
        match self.objects.get(request.object)? {
            Object::Policy(policy) => nothing(policy.restore(RSlice::from_slice(&state))),
            _ => Err(other()),
        }
    }
}

fn slot(weight: u64, state: u8) -> eyemap_abi::SlotMeta {
    let mut meta = if state & RESIDENT == 0 {
        eyemap_abi::SlotMeta::default()
    } else {
        eyemap_abi::SlotMeta::resident(weight)
    };
    meta.set_weight(weight);
    meta.set_hits(state & !RESIDENT);
    meta
}
