//! One trial: a directory, random choices that can be had again, and runs of the command whose end is judged.

use std::{
    collections::BTreeMap,
    fs::File,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use eyemap_snapshots::desk::{Desk, files_in};
use wait4::Wait4 as _;

/// What is wrong, in words.
pub(crate) type Fault = String;

/// No run of these sizes takes so long, however busy the machine: one that does hangs.
const HANGS: Duration = Duration::from_secs(180);

/// Exit code of a fault of the program.
const INTERNAL: i32 = 70;

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
    pub(crate) said: String,
    /// The most memory that it had, in bytes.
    pub(crate) peak: u64,
}

/// A directory and what happens in it.
pub(crate) struct Trial {
    pub(crate) random: fastrand::Rng,
    pub(crate) desk: Desk,
}

impl Trial {
    pub(crate) fn new(kind: &str, seed: u64, number: u64) -> Self {
        // FNV-1a, so that kinds do not share their choices.
        let name = kind.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let mut mixed = fastrand::Rng::with_seed(seed ^ name);
        let own = mixed
            .u64(..)
            .wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        Self {
            random: fastrand::Rng::with_seed(own),
            desk: Desk::new(""),
        }
    }

    /// Keeps its directory for whoever wants to see it.
    pub(crate) fn keep(self) -> Option<PathBuf> {
        Some(self.desk.dir.keep())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.desk.path(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        self.desk.write(name, bytes);
    }

    pub(crate) fn files(&self, name: &str) -> BTreeMap<String, Vec<u8>> {
        files_in(&self.path(name))
    }

    /// One of several.
    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.random.usize(..of.len())]
    }

    /// The command in this directory, whose words go into a file.
    pub(crate) fn eyemap(&self, arguments: &[&str]) -> Command {
        let mut command = eyemap_snapshots::eyemap();
        command
            .args(arguments)
            .current_dir(self.desk.dir.path())
            .env_remove("RUST_BACKTRACE")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command
    }

    /// Starts a run whose words are kept.
    pub(crate) fn start(&self, command: &mut Command, words: &str) -> Result<Child, Fault> {
        let words = File::create(self.path(words)).map_err(|error| error.to_string())?;
        let child = command.stderr(words).spawn();
        child.map_err(|error| format!("{command:?} does not start: {error}"))
    }

    /// Waits for a run, but not for ever.
    pub(crate) fn wait(&self, child: Child, words: &str) -> Result<Ended, Fault> {
        let id = child.id();
        let (ended, end) = mpsc::channel::<()>();
        let guard = std::thread::spawn(move || {
            let hangs = end.recv_timeout(HANGS) == Err(mpsc::RecvTimeoutError::Timeout);
            if hangs
                && let Some(pid) = i32::try_from(id)
                    .ok()
                    .and_then(rustix::process::Pid::from_raw)
            {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
            hangs
        });
        let used = child.wait4().map_err(|error| error.to_string())?;
        drop(ended);
        let said = std::fs::read(self.path(words)).unwrap_or_default();
        let said = String::from_utf8_lossy(&said).into_owned();
        if guard.join().unwrap_or(false) {
            return Err(format!("hangs: no end after {HANGS:?}\n{said}"));
        }
        Ok(Ended {
            code: used.status.code(),
            signal: used.status.signal(),
            said,
            peak: used.rusage.maxrss,
        })
    }

    /// Runs the command to its end, which has to be one that its users can do something with.
    pub(crate) fn run(&self, command: &mut Command) -> Result<Ended, Fault> {
        let child = self.start(command, ".words")?;
        let ended = self.wait(child, ".words")?;
        ended.is_sane()?;
        Ok(ended)
    }

    /// Runs it, and it has to end well.
    pub(crate) fn succeed(&self, command: &mut Command) -> Result<Ended, Fault> {
        let ended = self.run(command)?;
        match ended.code {
            Some(0) => Ok(ended),
            code => Err(format!("{command:?} ended with {code:?}:\n{}", ended.said)),
        }
    }
}

impl Ended {
    /// Whatever it was asked: no panic, no death, no words that move a terminal.
    pub(crate) fn is_sane(&self) -> Result<(), Fault> {
        let said = &self.said;
        if let Some(signal) = self.signal {
            return Err(format!("died of signal {signal}:\n{said}"));
        }
        if self.code == Some(INTERNAL)
            || said.contains("panicked at")
            || said.contains("a fault of the program")
        {
            return Err(format!(
                "a fault of the program, exit code {:?}:\n{said}",
                self.code
            ));
        }
        let moves = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
        match said.chars().find(|&c| moves(c)) {
            Some(c) => Err(format!(
                "{c:?} reaches the terminal:\n{}",
                said.escape_debug()
            )),
            None => Ok(()),
        }
    }
}

/// Whether what a run left is what another left, name by name.
pub(crate) fn same(
    found: &BTreeMap<String, Vec<u8>>,
    expected: &BTreeMap<String, Vec<u8>>,
) -> Result<(), Fault> {
    for (name, bytes) in expected {
        match found.get(name) {
            None => return Err(format!("{name} is lost")),
            Some(other) if other != bytes => return Err(format!("{name} has other bytes")),
            Some(_) => {}
        }
    }
    match found.keys().find(|name| !expected.contains_key(*name)) {
        Some(name) => Err(format!("{name} is left")),
        None => Ok(()),
    }
}

/// A table of types that each have 30 columns.
pub(crate) fn table(types: usize) -> String {
    let mut table = "cell_type,region,side,hex1,hex2,synapses\n".to_owned();
    for cell_type in 0..types {
        for column in 0..30 {
            let (hex1, hex2, n) = (column / 6, column % 6, column * cell_type % 997);
            table += &format!("T{cell_type},ME,R,{hex1},{hex2},{n}\n");
        }
    }
    table
}

/// Sends a signal to a run.
pub(crate) fn signal(child: &Child, signal: rustix::process::Signal) {
    let pid = i32::try_from(child.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        // One that has ended already gets none.
        let _ = rustix::process::kill_process(pid, signal);
    }
}

/// Waits until a run has noted so many maps in the journal of a directory, or has ended: by progress and not by
/// time, so that what is sent then hits on any machine.
pub(crate) fn wait_for(child: &mut Child, out: &Path, maps: usize) -> Result<(), Fault> {
    let journal = out.join(".manifest.journal.jsonl");
    let noted = || {
        let text = std::fs::read(&journal).unwrap_or_default();
        text.iter().filter(|&&byte| byte == b'\n').count()
    };
    let mut runs = true;
    while runs && noted() < maps {
        std::thread::sleep(Duration::from_millis(1));
        let ended = child.try_wait().map_err(|error| error.to_string())?;
        runs = ended.is_none();
    }
    Ok(())
}
