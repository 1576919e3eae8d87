//! Asks one check in a process of its own, with a deadline.

use std::{
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use eyemap_check::{Ask, Check, Outcome, Subject};
use serde::{Deserialize, Serialize};

const JOB: &str = "EYEMAP_TEST_PLUGIN_CALL";

/// What a child is to do.
#[derive(Serialize, Deserialize)]
pub(crate) struct Job {
    library: PathBuf,
    check: String,
    answer: PathBuf,
}

/// What it found.
#[derive(Serialize, Deserialize)]
enum Answer {
    Found(Outcome),
    Text(String),
}

impl Job {
    /// The job of this process, if it is a child.
    pub(crate) fn given() -> Option<Self> {
        serde_json::from_str(&std::env::var(JOB).ok()?).ok()
    }

    pub(crate) fn answer(&self) -> ExitCode {
        let subject = Subject::read(self.library.clone(), 7).expect("a library");
        let check = crate::find(&self.check);
        let answer = match check.ask {
            Ask::File(ask) | Ask::Code(ask) => Answer::Found(ask(&subject)),
            Ask::Answers { answers, .. } => match answers(&subject) {
                Ok(text) => Answer::Text(text),
                Err(outcome) => Answer::Found(outcome),
            },
        };
        let json = serde_json::to_vec(&answer).expect("JSON");
        std::fs::write(&self.answer, json).expect("an answer that can be written");
        ExitCode::SUCCESS
    }
}

/// Asks a check as often as it wants, each time with this deadline.
pub(crate) fn asked(library: &Path, check: &Check, deadline: Duration) -> Outcome {
    let processes = match check.ask {
        Ask::Answers { processes, .. } => processes,
        _ => 1,
    };
    let mut first = None;
    for _ in 0..processes {
        match (ask(library, check, deadline), &first) {
            (Ok(Answer::Found(outcome)), _) => return outcome,
            (Ok(Answer::Text(text)), None) => first = Some(text),
            (Ok(Answer::Text(text)), Some(first)) if text == *first => {}
            (Ok(Answer::Text(_)), Some(_)) => {
                return Outcome::failed("another process answers otherwise", "find out why");
            }
            (Err(ended), _) => return Outcome::failed(ended, "find out why"),
        }
    }
    Outcome::passed()
}

/// Asks in one child.
fn ask(library: &Path, check: &Check, deadline: Duration) -> Result<Answer, String> {
    let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
    let job = Job {
        library: library.into(),
        check: check.id.into(),
        answer: dir.path().join("answer.json"),
    };
    let json = serde_json::to_string(&job).map_err(|error| error.to_string())?;
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut child = Command::new(program)
        .env(JOB, json)
        .env_remove("EYEMAP_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            break status;
        }
        if start.elapsed() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("it took longer than {} s", deadline.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let answer = std::fs::read(&job.answer).map_err(|_| ended(status))?;
    serde_json::from_slice(&answer).map_err(|error| error.to_string())
}

fn ended(status: ExitStatus) -> String {
    match status.signal() {
        Some(signal) => format!("it ended with signal {signal}"),
        None => format!(
            "it ended with code {} and no answer",
            status.code().unwrap_or(-1)
        ),
    }
}
