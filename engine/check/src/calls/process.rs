//! What a library may not change in the process that it is a guest of.
//!
//! Everything is looked at before the library is loaded and after all its stages were made, asked and
//! dropped. An end of the process is seen by whoever started it.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fs::File,
    hint::black_box,
    io::{Read as _, Seek as _},
    os::fd::{AsFd as _, OwnedFd},
    path::{Path, PathBuf},
};

use eyemap_worker::{forked, signals, signals::Signals};
use rustix::{
    fs::{MemfdFlags, memfd_create},
    stdio,
};

use super::{asking::each_case_in_silence, columns::Columns, fault, outcome};
use crate::{Fault, Outcome, Subject, policy, seeded::Seeded};

/// What is looked at.
struct State {
    signals: Signals,
    environment: BTreeMap<OsString, OsString>,
    directory: Option<PathBuf>,
    umask: String,
    locale: String,
    arithmetic: [u64; 4],
    threads: Option<usize>,
    /// Numbers of open files and what they are.
    files: BTreeMap<OsString, PathBuf>,
}

impl State {
    fn read() -> Self {
        Self {
            signals: Signals::read(),
            environment: std::env::vars_os().collect(),
            directory: std::env::current_dir().ok(),
            umask: umask(),
            locale: signals::locale(),
            arithmetic: arithmetic(),
            threads: forked::threads(),
            files: files(),
        }
    }

    /// What is other in `later`, in words.
    fn changes(&self, later: &Self, library: &[u8]) -> Vec<String> {
        let mut changes = self.signals.changes(&later.signals);
        let mut changed = |is: bool, what: String| {
            if is {
                changes.push(what);
            }
        };
        changed(
            self.environment != later.environment,
            "another environment".into(),
        );
        changed(
            self.directory != later.directory,
            "another current directory".into(),
        );
        changed(
            self.umask != later.umask,
            format!("the umask {} in place of {}", later.umask, self.umask),
        );
        changed(
            self.locale != later.locale,
            format!(
                "the locale {:?} in place of {:?}",
                later.locale, self.locale
            ),
        );
        changed(
            self.arithmetic != later.arithmetic,
            "another rounding of numbers, or subnormal numbers are taken for 0".into(),
        );
        if let (Some(before), Some(after)) = (self.threads, later.threads) {
            let left = after.saturating_sub(before);
            changed(left > 0, format!("{left} threads are left running"));
        }
        for (number, file) in &later.files {
            // The host keeps the sealed copy that it loaded.
            let is_the_hosts = is_sealed_copy(number, file, library);
            let is_new = self.files.get(number) != Some(file);
            let (number, file) = (number.display(), file.display());
            changed(
                is_new && !is_the_hosts,
                format!("file {number} is left open: {file}"),
            );
        }
        let closed = self
            .files
            .keys()
            .filter(|&file| !later.files.contains_key(file));
        for number in closed {
            changes.push(format!("file {} of the host is closed", number.display()));
        }
        changes
    }
}

/// Whether an open file holds the bytes of the library, in memory.
fn is_sealed_copy(number: &OsStr, file: &Path, library: &[u8]) -> bool {
    let path = Path::new("/proc/self/fd").join(number);
    let bytes = std::fs::metadata(path).map_or(0, |open| open.len());
    file.to_string_lossy().starts_with("/memfd:") && bytes == library.len() as u64
}

/// Probes whose results depend on the direction of rounding and on what is done with subnormal numbers.
fn arithmetic() -> [u64; 4] {
    let (tiny, one) = (black_box(f64::EPSILON / 4.0), black_box(1.0f64));
    let [up, down] = [one + tiny, -one - tiny];
    let subnormal = black_box(f64::MIN_POSITIVE) / black_box(4.0);
    let doubled = black_box(5e-324f64) * black_box(2.0);
    [up, down, subnormal, doubled].map(f64::to_bits)
}

fn umask() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    line.unwrap_or_default().trim().to_owned()
}

fn files() -> BTreeMap<OsString, PathBuf> {
    let open = std::fs::read_dir("/proc/self/fd").into_iter().flatten();
    open.filter_map(Result::ok)
        // The directory that is read here is gone when it is looked at.
        .filter_map(|entry| Some((entry.file_name(), std::fs::read_link(entry.path()).ok()?)))
        .filter(|(_, file)| !is_listing(file))
        .collect()
}

fn is_listing(file: &Path) -> bool {
    let text = file.to_string_lossy();
    text.starts_with("/proc/") && text.ends_with("/fd")
}

pub(super) fn untouched(subject: &Subject) -> Outcome {
    let before = State::read();
    let (used, printed) = match captured(|| used(subject)) {
        Ok(captured) => captured,
        Err(error) => return Outcome::skipped(format!("what is printed cannot be kept: {error}")),
    };
    if let Err(outcome @ Outcome::Skipped { .. }) = used {
        return outcome;
    }
    let after = State::read();
    let changes = before.changes(&after, &subject.bytes);
    outcome(
        judged(&printed, &changes)
            .map(|()| String::new())
            .map_err(Outcome::from),
    )
}

fn judged(printed: &str, changes: &[String]) -> Result<(), Fault> {
    if !printed.is_empty() {
        let start: String = printed.chars().take(200).collect();
        return Err(fault(
            format!("it prints: {start:?}"),
            "use `eyemap_sdk::tracing`: standard output and error belong to the host",
        ));
    }
    let Some(first) = changes.first() else {
        return Ok(());
    };
    let mut fault = fault(
        format!("it changes its process: {first}"),
        "a plugin is a guest: leave signals, environment, files, threads and arithmetic as they were",
    );
    fault.details = changes.iter().skip(1).take(8).cloned().collect();
    Err(fault)
}

/// Loads the library, and makes, asks and drops all that it has.
fn used(subject: &Subject) -> Result<String, Outcome> {
    let plugin = subject.plugin()?;
    let _ = plugin.describe();
    if let Some(mut round) = policy::round(plugin, subject.seed) {
        round();
    }
    if policy::is_only(subject) {
        return Ok(String::new());
    }
    let columns = Columns::random(&mut Seeded::new(subject.seed, "process"), 500);
    each_case_in_silence(subject, |asked| {
        asked.answer(&columns, 0..500)?;
        asked.describe()?;
        Ok(())
    })
}

/// Runs with standard output and error in a file in memory, and returns what was written.
fn captured<T>(run: impl FnOnce() -> T) -> std::io::Result<(T, String)> {
    let kept: [OwnedFd; 2] = [
        rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3)?,
        rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stderr(), 3)?,
    ];
    let mut file = File::from(memfd_create("printed", MemfdFlags::CLOEXEC)?);
    stdio::dup2_stdout(&file)?;
    stdio::dup2_stderr(&file)?;
    let ran = run();
    // What the streams of the C library hold back would come out at the host's end.
    signals::flush_streams();
    stdio::dup2_stdout(kept[0].as_fd())?;
    stdio::dup2_stderr(kept[1].as_fd())?;
    let mut printed = Vec::new();
    file.rewind()?;
    file.take(4096).read_to_end(&mut printed)?;
    Ok((ran, String::from_utf8_lossy(&printed).into_owned()))
}
