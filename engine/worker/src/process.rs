//! A worker as the host sees it: started, asked, ended, and what can be said of its end.

use std::{
    fmt,
    io::{self, Read as _, Seek as _, SeekFrom},
    os::{
        fd::AsFd as _,
        unix::process::{CommandExt as _, ExitStatusExt as _},
    },
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use rustix::fs::{MemfdFlags, memfd_create};

use crate::{
    Limits,
    arena::Arena,
    near::Near,
    protocol::{HostEnd, Op, Request, connection},
    wire,
};

/// First size of the memory for batches: 60,000 colours, or the texts of a map.
const FIRST_ARENA: usize = 1 << 20;
/// What is read of what a worker printed, in bytes.
const MAX_SAID: u64 = 600;

/// The end of a worker that nobody asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crash {
    /// How it ended, `was ended by SIGSEGV (it read or wrote memory that is not its own)`.
    pub how: String,
    /// What it was asked to do, `colouring 1000 values`.
    pub during: String,
    /// How long after that the host knew.
    pub after: Duration,
    /// The last that it printed, without control characters; may be empty.
    pub said: String,
}

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it {} while {}", self.how, self.during)?;
        if !self.said.is_empty() {
            write!(f, ", after printing {:?}", self.said)?;
        }
        Ok(())
    }
}

/// A running worker.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pub(crate) end: HostEnd,
    pub(crate) arena: Arena,
    printed: std::fs::File,
    limits: Limits,
    /// Requests so far.
    requests: u32,
    near: Option<Near>,
}

impl Process {
    /// Starts `program` with `argument`, and gives it its first arena. It inherits no environment, no
    /// directory and no open file.
    pub(crate) fn start(program: &Path, argument: &str, limits: Limits) -> io::Result<Self> {
        let (arena, fd) = Arena::create(FIRST_ARENA)?;
        let (end, theirs, gift) = connection(limits.call)?;
        let printed = std::fs::File::from(memfd_create("eyemap-printed", MemfdFlags::CLOEXEC)?);
        let child = Command::new(program)
            .arg(argument)
            .env_clear()
            .current_dir("/")
            // What interrupts the host at its terminal is the host's to answer.
            .process_group(0)
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::from(printed.try_clone()?))
            .stderr(Stdio::from(printed.try_clone()?))
            .spawn()?;
        let near = Near::of(child.id());
        let mut process = Self {
            child,
            near,
            end,
            arena,
            printed,
            limits,
            requests: 0,
        };
        match process.end.open(&gift, fd.as_fd()) {
            Ok(()) => Ok(process),
            Err(error) => {
                process.stop();
                Err(error)
            }
        }
    }

    /// Process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Makes the arena at least `len` bytes large.
    pub(crate) fn grow(&mut self, len: usize) -> io::Result<()> {
        // A quarter more than is asked for: the next batch may be a little longer.
        let (arena, fd) = Arena::create(len + len / 4)?;
        self.arena = arena;
        let len = self.arena.len() as u64;
        self.end
            .tell(&Request::of(Op::Arena { len }), Some(fd.as_fd()))
    }

    /// To be called before work of some requests.
    pub(crate) fn come_near(&mut self) {
        if let Some(near) = &mut self.near
            && near.before().is_err()
        {
            self.near = None;
        }
    }

    /// To be told how long that took.
    pub(crate) fn took(&mut self, time: Duration) {
        if let Some(near) = &mut self.near {
            near.after(time);
        }
    }

    /// The number of the next request.
    pub(crate) fn next_number(&mut self) -> u32 {
        self.requests = self.requests.wrapping_add(1);
        self.requests
    }

    /// Ends it, whatever it does, and reaps it.
    pub(crate) fn stop(&mut self) -> Option<ExitStatus> {
        // It may have ended already; `wait` tells how, and leaves no zombie.
        let _ = self.child.kill();
        self.child.wait().ok()
    }

    /// What is to be said of its end, after `error` on its socket.
    pub(crate) fn crash(&mut self, during: &str, asked: Instant, error: &io::Error) -> Crash {
        let after = asked.elapsed();
        let status = self.stop();
        let mut said = self.said();
        let how = match error.kind() {
            io::ErrorKind::TimedOut => {
                let most = self.limits.call.as_secs_f64();
                format!("did not answer within {most} s")
            }
            io::ErrorKind::InvalidData => format!("gave an answer that is none ({error})"),
            _ if is_out_of_memory(status.and_then(|status| status.signal()), &said) => {
                said.clear();
                let most = self.limits.memory >> 20;
                format!("ran out of memory: it may use {most} MiB ([plugins.contained] memory)")
            }
            _ => status.map_or_else(|| format!("is gone ({error})"), ended),
        };
        Crash {
            how,
            during: during.to_owned(),
            after,
            said,
        }
    }

    /// The last that it printed, as one line.
    fn said(&mut self) -> String {
        let mut bytes = Vec::new();
        let start = self
            .printed
            .metadata()
            .map_or(0, |meta| meta.len().saturating_sub(MAX_SAID));
        let read = self
            .printed
            .seek(SeekFrom::Start(start))
            .and_then(|_| (&self.printed).take(MAX_SAID).read_to_end(&mut bytes));
        if read.is_err() {
            return String::new();
        }
        wire::line(&bytes)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

/// `was ended by SIGSEGV (...)`, `ended itself with code 3`.
fn ended(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(signal), _) => format!("was ended by {}", signal_words(signal)),
        (None, Some(code)) => format!("ended itself with exit code {code}"),
        (None, None) => "ended".into(),
    }
}

/// Whether a process that a signal ended got no memory, by the last that it printed: a Rust library says so and
/// aborts.
pub fn is_out_of_memory(signal: Option<i32>, said: &str) -> bool {
    signal == Some(libc::SIGABRT)
        && said.contains("memory allocation of ")
        && said.contains(" bytes failed")
}

/// A signal by its name, and what it means for the author of a plugin.
pub fn signal_words(signal: i32) -> String {
    let (name, meaning) = match signal {
        4 => ("SIGILL", "an instruction that this processor does not have"),
        5 => ("SIGTRAP", "a breakpoint"),
        6 => ("SIGABRT", "it aborted, as a panic that cannot unwind does"),
        7 => ("SIGBUS", "memory beyond the end of a file"),
        8 => ("SIGFPE", "an integer division by zero"),
        9 => (
            "SIGKILL",
            "killed, by itself, for lack of memory or for closing its connection",
        ),
        11 => (
            "SIGSEGV",
            "an invalid memory access, or a stack that is too deep",
        ),
        13 => ("SIGPIPE", "it wrote to a pipe that nobody reads"),
        15 => ("SIGTERM", "asked to end"),
        24 => ("SIGXCPU", "it computed for longer than its deadline"),
        25 => ("SIGXFSZ", "a file grew too large"),
        31 => ("SIGSYS", "a system call that is not allowed"),
        other => return format!("signal {other}"),
    };
    format!("{name}, {meaning}")
}
