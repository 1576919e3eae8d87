//! The process that one check runs in.
//!
//! It is the same program, started again with [`ARGUMENT`]. It limits itself, asks the one check and
//! writes its answer to a pipe that the plugin does not know of. What the plugin prints goes elsewhere.
//!
//! This finds faults. It does not withstand a plugin that wants to pass: code in one process can write
//! that process's answer.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Write as _},
    os::fd::{AsFd as _, OwnedFd},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use eyemap_engine::plugins::Workers;
use eyemap_worker::confine::{Allowed, close_inherited, confine};
use rustix::process::{Resource, Rlimit, Signal, setrlimit};
use serde::{Deserialize, Serialize};

use crate::{Ask, Check, Outcome, Subject, elsewhere, find};

/// The first argument that makes a program such a process.
pub const ARGUMENT: &str = "__plugin-check";

/// Exit code of a child that was not started by [`crate::run`].
const MISUSED: u8 = 64;
/// Memory of a child, beyond what it needs itself.
pub(crate) const MAX_MEMORY_BYTES: u64 = 4 << 30;
/// What a child may use. It gives up network, files and other processes before code of the plugin runs; of
/// itself it may read more than a worker, as some checks look at threads and open files.
const MAY: Allowed = Allowed {
    memory: MAX_MEMORY_BYTES,
    // The library is copied in memory before it is loaded; what it prints is counted by the parent.
    printed: 1 << 30,
    files: 64,
    itself: true,
    copies: false,
    threads: true,
};
/// The check that asks in copies of its process, so that it can say which array was left.
const COPIES: &str = "guard-page-overrun";

/// What a child answers, in one line of JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    /// What the check found.
    Outcome(Outcome),
    /// What the plugin answered, to be compared.
    Text {
        /// The answers.
        answers: String,
        /// What it asked the system for meanwhile, where that is noted.
        asked: Vec<String>,
    },
}

/// Where the plugin of a check runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the child.
    Here,
    /// In a worker of the child.
    Contained,
    /// In the child, which is on another machine and another day as far as the plugin can tell.
    Elsewhere,
}

impl Place {
    const ALL: [Self; 3] = [Self::Here, Self::Contained, Self::Elsewhere];

    const fn word(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Contained => "contained",
            Self::Elsewhere => "elsewhere",
        }
    }
}

/// What a child is told, in this order.
#[derive(Clone)]
pub(crate) struct Told {
    /// The check.
    pub(crate) check: &'static Check,
    /// The checked bytes, as a file.
    pub(crate) file: PathBuf,
    /// Where they came from.
    pub(crate) named: PathBuf,
    /// Where random inputs start.
    pub(crate) seed: u64,
    /// The process that waits for the answer.
    pub(crate) parent: u32,
    /// Where the plugin shall run.
    pub(crate) place: Place,
}

impl Told {
    /// As arguments of the program.
    pub(crate) fn arguments(&self) -> Vec<OsString> {
        vec![
            ARGUMENT.into(),
            self.check.id.into(),
            self.file.clone().into(),
            self.named.clone().into(),
            self.seed.to_string().into(),
            self.parent.to_string().into(),
            self.place.word().into(),
        ]
    }

    /// The number of the sealed file, which is inherited.
    fn kept(&self) -> Vec<i32> {
        let number = self.file.strip_prefix("/proc/self/fd").ok();
        let number = number.and_then(|name| name.to_str()?.parse().ok());
        number.into_iter().collect()
    }

    fn read(mut arguments: impl Iterator<Item = OsString>) -> Option<Self> {
        let id = arguments.next()?;
        let (file, named) = (arguments.next()?, arguments.next()?);
        let mut number = || arguments.next()?.to_str()?.parse::<u64>().ok();
        let (seed, parent) = (number()?, number()?.try_into().ok()?);
        let place = arguments.next()?;
        Some(Self {
            check: find(id.to_str()?)?,
            file: file.into(),
            named: named.into(),
            seed,
            parent,
            place: Place::ALL.into_iter().find(|known| place == known.word())?,
        })
    }
}

/// Runs the check that the arguments after [`ARGUMENT`] name, and answers on standard input, which is the
/// write end of a pipe. Called by a program at its very start.
pub fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let told = Told::read(arguments).ok_or_else(|| io::Error::other("not started by a check"));
    match told.and_then(|told| answer(&told)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The parent shows it with the check.
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::from(MISUSED)
        }
    }
}

fn answer(told: &Told) -> io::Result<()> {
    end_with_the_parent(told.parent)?;
    close_inherited(&told.kept())?;
    let mut pipe = take_the_pipe()?;
    let mut subject = Subject::read(told.file.clone(), told.seed)?;
    subject.named.clone_from(&told.named);
    limit_computing(told.check.deadline)?;
    subject.elsewhere = told.place == Place::Elsewhere;
    // Who looks at the bytes alone may look at what is beside the file too.
    if told.place == Place::Contained {
        // None of its code runs here; its worker confines itself.
        subject.workers = Some(Workers::default());
    } else if !matches!(told.check.ask, Ask::File(_)) {
        confine(Allowed {
            copies: told.check.id == COPIES,
            ..MAY
        })?;
    }
    let mut line = serde_json::to_vec(&ask(told.check, &subject))?;
    line.push(b'\n');
    pipe.write_all(&line)
}

/// Asks the check in this process.
pub(crate) fn ask(check: &Check, subject: &Subject) -> Answer {
    match check.ask {
        Ask::File(ask) | Ask::Code(ask) => Answer::Outcome(ask(subject)),
        Ask::Answers { answers, .. } => match answers(subject) {
            Ok(answers) => elsewhere::answer(answers),
            Err(outcome) => Answer::Outcome(outcome),
        },
    }
}

/// A child without a parent would run on with nobody to stop it.
fn end_with_the_parent(parent: u32) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    let now = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get());
    // It may have ended before the line above.
    if now.and_then(|pid| u32::try_from(pid).ok()) != Some(parent) {
        return Err(io::Error::other("the process that asked is gone"));
    }
    Ok(())
}

/// Moves the pipe to a number that a plugin does not write to by mistake.
fn take_the_pipe() -> io::Result<File> {
    let pipe: OwnedFd = io::stdin().as_fd().try_clone_to_owned()?;
    let nothing = File::open("/dev/null")?;
    rustix::stdio::dup2_stdin(&nothing)?;
    Ok(File::from(pipe))
}

/// Not more computing than a check needs.
fn limit_computing(deadline: Duration) -> io::Result<()> {
    // Threads compute at the same time; one second more, as this counts whole seconds.
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let seconds = deadline.as_secs() * threads + 1;
    // A second between the two, or the signal would be SIGKILL, which says nothing.
    let cpu = Rlimit {
        current: Some(seconds),
        maximum: Some(seconds + 1),
    };
    Ok(setrlimit(Resource::Cpu, cpu)?)
}
