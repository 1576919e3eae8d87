//! Asks checks of one file: each in a process of its own, two at a time, in order.
//!
//! The file is read once. All children see those bytes, sealed in memory, whatever happens to the file
//! and whatever the plugin under check does to files.

mod compare;
mod gate;
mod process;
pub(crate) mod sealed;
mod verdict;

use std::{
    collections::BTreeSet,
    path::PathBuf,
    process::Command,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use eyemap_engine::plugins::sha256_hex;

use crate::{
    Ask, CHECKS, Check, Fault, Of, Outcome, Subject,
    child::{self, Answer, Place, Told},
    elsewhere, file,
    report::{Done, Report},
};
use gate::Gate;
use sealed::Sealed;

/// So many children at a time: more would disturb what is measured.
const AT_A_TIME: usize = 2;

/// What is asked of which file.
#[derive(Debug)]
pub struct Order {
    /// The file.
    pub path: PathBuf,
    /// Where random inputs start; by default it follows from the bytes of the file.
    pub seed: Option<u64>,
    /// Only these checks, whatever else is wrong; all if it is empty.
    pub only: Vec<&'static Check>,
    /// In this process, for a debugger: nothing is caught then.
    pub in_process: bool,
    /// The program that runs [`child::main`] when [`child::ARGUMENT`] is its first argument, and that
    /// serves as a worker as [`eyemap_engine::plugins::Workers`] says.
    pub program: PathBuf,
}

/// Why nothing was checked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// There is no such file.
    #[error("there is no file {}", .path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// This machine cannot run children.
    #[error("cannot start a process for a check")]
    Child(#[source] std::io::Error),
}

/// Asks the checks of an order. `told` hears of each as it is done, in any order.
///
/// # Errors
/// When there is no such file. Whatever else is wrong with it is a failure of a check.
pub fn run(order: &Order, told: &(dyn Fn(&Done) + Sync)) -> Result<Report, RunError> {
    let started = Instant::now();
    if std::fs::symlink_metadata(&order.path).is_err() {
        let path = order.path.clone();
        return Err(RunError::Missing { path });
    }
    let (bytes, unreadable) = match file::read(&order.path) {
        Ok(bytes) => (bytes, None),
        Err(fault) => (Vec::new(), Some(fault)),
    };
    let sha256 = sha256_hex(&bytes);
    let seed = order.seed.unwrap_or_else(|| seed_of(&sha256));
    let sealed = Sealed::new(&bytes).map_err(RunError::Child)?;
    let subject = Subject {
        path: sealed.path(),
        named: order.path.clone(),
        bytes,
        seed,
        workers: None,
        elsewhere: false,
    };
    let run = Run {
        order,
        gate: Gate::new(&subject, unreadable),
        subject,
        told,
    };
    let done = run.all();
    Ok(Report {
        path: order.path.clone(),
        plugin: run.subject.manifest().ok(),
        sha256,
        seed,
        in_process: order.in_process,
        done,
        took: started.elapsed(),
    })
}

/// The same file is asked the same questions, and another one others.
fn seed_of(sha256: &str) -> u64 {
    let digits = sha256.get(..16).unwrap_or("0");
    u64::from_str_radix(digits, 16).unwrap_or(0)
}

struct Run<'a> {
    order: &'a Order,
    subject: Subject,
    gate: Gate,
    told: &'a (dyn Fn(&Done) + Sync),
}

impl Run<'_> {
    fn all(&self) -> Vec<Done> {
        let checks: Vec<&'static Check> = match &*self.order.only {
            [] => CHECKS.iter().copied().flatten().collect(),
            only => only.to_vec(),
        };
        let mut seen = BTreeSet::new();
        let checks: Vec<_> = checks
            .into_iter()
            .filter(|check| seen.insert(check.id))
            .collect();
        // What others depend on is asked first and alone.
        let (first, rest): (Vec<_>, Vec<_>) = checks
            .iter()
            .copied()
            .partition(|check| gate::is_gate(check.id));
        let mut done: Vec<Done> = first.into_iter().map(|check| self.one(check)).collect();
        done.extend(self.several(&rest));
        let place = |id| checks.iter().position(|check| check.id == id);
        done.sort_by_key(|done| place(done.check.id));
        done
    }

    fn several(&self, checks: &[&'static Check]) -> Vec<Done> {
        let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let work = || {
            while let Some(check) = checks.get(next.fetch_add(1, Ordering::Relaxed)) {
                let one = self.one(check);
                done.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(one);
            }
        };
        if self.order.in_process {
            work();
        } else {
            std::thread::scope(|scope| {
                for _ in 0..AT_A_TIME {
                    scope.spawn(work);
                }
            });
        }
        done.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn one(&self, check: &'static Check) -> Done {
        let started = Instant::now();
        let forced = !self.order.only.is_empty();
        let (outcome, printed_bytes) = match self.gate.shut(check, forced) {
            Some(outcome) => (outcome, 0),
            None => self.ask(check),
        };
        self.gate.learn(check, &outcome);
        let done = Done {
            check,
            outcome,
            printed_bytes,
            took: started.elapsed(),
        };
        (self.told)(&done);
        done
    }

    fn ask(&self, check: &'static Check) -> (Outcome, usize) {
        if self.order.in_process {
            return (here(check, &self.subject), 0);
        }
        let told = Told {
            check,
            file: self.subject.path.clone(),
            named: self.subject.named.clone(),
            seed: self.subject.seed,
            parent: std::process::id(),
            place: Place::Here,
        };
        let (answer, printed) = self.child(&told);
        let Ask::Answers {
            processes, worker, ..
        } = check.ask
        else {
            return (verdict::outcome(answer), printed);
        };
        let more = (1..processes).map(|n| (format!("process {}", n + 1), Place::Here));
        let others = [
            ("the contained plugin".to_owned(), Place::Contained),
            ("a process elsewhere".to_owned(), Place::Elsewhere),
        ];
        let others = others.into_iter().filter(|_| worker);
        let asked = more.chain(others).map(|(whose, place)| {
            let told = Told {
                place,
                ..told.clone()
            };
            (whose, self.child(&told).0)
        });
        (compare::outcome(answer, asked), printed)
    }

    fn child(&self, told: &Told) -> (Result<Answer, Outcome>, usize) {
        let deadline = told.check.deadline;
        let mut command = Command::new(&self.order.program);
        // What the user's environment holds is not the plugin's to read, and must not change an answer.
        command.args(told.arguments()).env_clear();
        if told.place == Place::Elsewhere {
            elsewhere::surround(&mut command);
        }
        match process::ask(command, deadline) {
            Ok(ended) => {
                let printed = ended.stdout.len();
                (verdict::answer(ended, deadline), printed)
            }
            Err(error) => {
                let what = format!("its process cannot be run: {error}");
                let remedy = "look at the limits of this machine: processes, open files, memory";
                (Err(Outcome::failed(what, remedy)), 0)
            }
        }
    }
}

/// The answer of this process; there is nothing to compare it with.
fn here(check: &Check, subject: &Subject) -> Outcome {
    match child::ask(check, subject) {
        Answer::Outcome(outcome) => outcome,
        Answer::Text { .. } => Outcome::skipped("it compares processes, and all ran in this one"),
    }
}
