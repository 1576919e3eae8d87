//! What a program costs that is run as a whole: time, memory, and what it wrote.
//!
//! The system counts the memory of a new process from that of the process that started it. A program
//! that measures with this module must therefore stay smaller than what it measures.

use std::{
    fs,
    io::{Read, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use wait4::Wait4 as _;

use crate::Result;

/// What one run cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// From start to end.
    pub wall: Duration,
    /// Of all threads, user and system.
    pub cpu: Duration,
    /// Most memory at any time, in bytes (resident set).
    pub peak_bytes: u64,
}

/// One run that succeeded.
#[derive(Debug)]
pub struct Run {
    /// Its cost.
    pub cost: Cost,
    /// What it wrote to standard output.
    pub said: String,
    /// What it wrote to standard error.
    pub logged: String,
}

/// Runs a program to its end.
///
/// # Errors
/// When it cannot be started, or fails: the text has the end of what it said.
pub fn run(command: &mut Command) -> Result<Run> {
    run_to(command, 0)
}

/// Runs a program to an end with this exit code.
///
/// # Errors
/// As [`run`].
pub fn run_to(command: &mut Command, code: i32) -> Result<Run> {
    let name = command.get_program().to_string_lossy().into_owned();
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot start {name}: {error}"))?;
    let said = listen(child.stdout.take());
    let logged = listen(child.stderr.take());
    let ended = child.wait4()?;
    let wall = start.elapsed();
    let heard = |listener: thread::JoinHandle<String>| listener.join().unwrap_or_default();
    let (said, logged) = (heard(said), heard(logged));
    if ended.status.code() != Some(code) {
        let reason = format!("{said}\n{logged}");
        let from = reason
            .trim()
            .char_indices()
            .rev()
            .nth(4_000)
            .map_or(0, |at| at.0);
        return Err(format!("{}: {}", ended.status, &reason.trim()[from..]).into());
    }
    let cost = Cost {
        wall,
        cpu: ended.rusage.utime + ended.rusage.stime,
        peak_bytes: ended.rusage.maxrss,
    };
    Ok(Run { cost, said, logged })
}

/// Reads a pipe beside the program, which would wait when it is full.
fn listen(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What cannot be read is not heard; the exit status says whether the run counts.
        let _ = pipe.map(|mut pipe| pipe.read_to_end(&mut bytes));
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Files of a directory and below, by rising path.
///
/// # Errors
/// When a directory cannot be read.
pub fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let (mut found, mut open) = (Vec::new(), vec![dir.to_owned()]);
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).map_err(|error| format!("{}: {error}", dir.display()))? {
            let entry = entry?;
            let to = if entry.file_type()?.is_dir() {
                &mut open
            } else {
                &mut found
            };
            to.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// Bytes in all files of a directory and below.
///
/// # Errors
/// When it cannot be read.
pub fn size(dir: &Path) -> Result<u64> {
    let mut bytes = 0;
    for file in files(dir)? {
        bytes += fs::metadata(file)?.len();
    }
    Ok(bytes)
}

/// A hash of all names and contents in a directory and below, without the notes of a run to itself
/// (`.manifest.*`), which hold times.
///
/// # Errors
/// When a file cannot be read.
pub fn hash(dir: &Path) -> Result<String> {
    let mut all = blake3::Hasher::new();
    for file in files(dir)? {
        let name = file.strip_prefix(dir)?.to_string_lossy().into_owned();
        if name.starts_with(".manifest.") {
            continue;
        }
        let content = blake3::hash(&fs::read(&file)?);
        all.update(blake3::hash(name.as_bytes()).as_bytes());
        all.update(content.as_bytes());
    }
    Ok(all.finalize().to_hex().to_string())
}

/// Time to write so many bytes into one new file, in blocks of 1 MiB, without waiting for the disk. The
/// file is removed.
///
/// # Errors
/// When it cannot be written.
pub fn sequential_write(path: &Path, bytes: u64) -> Result<Duration> {
    const BLOCK: usize = 1 << 20;
    // Not zeros, which a file system may leave out.
    let block: Vec<u8> = (0..BLOCK).map(|i| ((i * 167) >> 3) as u8).collect();
    let start = Instant::now();
    let mut file =
        fs::File::create(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut left = bytes;
    while left > 0 {
        let now = left.min(BLOCK as u64);
        file.write_all(&block[..now as usize])?;
        left -= now;
    }
    drop(file);
    let time = start.elapsed();
    fs::remove_file(path)?;
    Ok(time)
}

/// The middle of some numbers, or the upper of two.
///
/// # Panics
/// Without any number.
pub fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// One line on the machine and the source: cores, processor, memory, kernel, commit.
pub fn machine(root: &Path) -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        let value = line.and_then(|line| line.split_once(':'));
        value.map_or("unknown".to_owned(), |(_, value)| value.trim().to_owned())
    };
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let memory = field(&read("/proc/meminfo"), "MemTotal");
    let memory: f64 = memory.trim_end_matches(" kB").parse().unwrap_or_default();
    format!(
        "{cores} cores ({}), {:.0} GB of memory, Linux {}, commit {}",
        field(&read("/proc/cpuinfo"), "model name"),
        memory * 1024.0 / 1e9,
        read("/proc/sys/kernel/osrelease").trim(),
        commit(root)
    )
}

fn commit(root: &Path) -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .args(arguments)
            .current_dir(root)
            .output();
        let output = output.map_or_else(|_| Vec::new(), |output| output.stdout);
        String::from_utf8_lossy(&output).trim().to_owned()
    };
    let changed = !git(&[
        "status",
        "--porcelain",
        "--untracked-files=no",
        "--",
        ":!docs",
    ])
    .is_empty();
    let changed = if changed { " with changes" } else { "" };
    format!("`{}`{changed}", git(&["rev-parse", "--short", "HEAD"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_says_what_it_cost_and_a_failure_says_why() {
        let run = run(Command::new("sh").args(["-c", "echo yes; echo no >&2"])).unwrap();
        assert_eq!((run.said.trim(), run.logged.trim()), ("yes", "no"));
        assert!(run.cost.peak_bytes > 100_000);
        let failed = super::run(Command::new("sh").args(["-c", "echo because >&2; exit 3"]));
        let reason = failed.unwrap_err().to_string();
        assert!(
            reason.contains('3') && reason.contains("because"),
            "{reason}"
        );
    }

    #[test]
    fn a_hash_sees_names_and_contents() {
        let dir = tempfile::tempdir().unwrap();
        let hash_of = |name: &str, text: &str| {
            let dir = dir.path().join("d");
            fs::create_dir(&dir).unwrap();
            fs::write(dir.join(name), text).unwrap();
            let hash = hash(&dir).unwrap();
            assert_eq!(size(&dir).unwrap(), text.len() as u64);
            fs::remove_dir_all(dir).unwrap();
            hash
        };
        let first = hash_of("a", "1");
        assert_eq!(first, hash_of("a", "1"));
        assert_ne!(first, hash_of("b", "1"));
        assert_ne!(first, hash_of("a", "2"));
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
    }
}
