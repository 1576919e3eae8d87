//! Accepting: what is pending becomes what is approved. People decide; this carries it out. All of it is
//! checked before anything is changed.

use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use super::{
    Finding, Findings, ReferenceError, References, Verdict,
    decisions::is_unstable,
    pending::{self, Waiting},
    references::{Line, header_text, payload_path, snap_path, write_manifest},
};
use crate::sink::Dir;

const LOCK_FILE: &str = ".verify.lock";

/// What became of an acceptance.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Acceptance {
    /// Artifacts whose new form is approved now.
    pub accepted: Vec<String>,
    /// Artifacts that are approved no longer, and files that are gone.
    pub removed: Vec<String>,
    /// Artifacts that were accepted beside the manifest and are in it now.
    pub taken_in: u64,
    /// Findings that were not chosen.
    pub left: u64,
}

/// Why nothing was accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// References cannot be used or written.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// What is approved changed since the comparison.
    #[error("{path} was approved anew since it was compared")]
    Stale {
        /// The artifact.
        path: String,
    },
    /// Something cannot be accepted: there is nothing to put in its place.
    #[error("{path} cannot be accepted: {why}")]
    Nothing {
        /// The artifact.
        path: String,
        /// Why not.
        why: String,
    },
    /// What is pending is not what was drawn.
    #[error("what is pending cannot be used: {0}")]
    Pending(String),
    /// Somebody else accepts right now.
    #[error("{} is being changed by another process", .dir.display())]
    Busy {
        /// The snapshot directory.
        dir: PathBuf,
    },
}

impl AcceptError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Reference(error) => error.help(),
            Self::Stale { .. } | Self::Pending(_) => {
                "run `eyemap verify` again and review what it finds".into()
            }
            Self::Nothing { .. } => {
                "mend what keeps it from being drawn the same each time, or leave it out of what you accept".into()
            }
            Self::Busy { .. } => "wait for it and try again".into(),
        }
    }
}

/// What is done for one finding.
enum Change {
    Approve(Box<Waiting>),
    Forget(String),
    RemoveFile(String),
}

/// Accepts the findings that `choose` chooses. `pending` has the pending files of the same comparison.
///
/// Everything is read and checked before anything is written. A process that is killed in between leaves
/// a directory that can be read, with some findings accepted.
///
/// # Errors
/// When something that was chosen cannot be accepted; then nothing is.
pub fn accept(
    snapshots: &Path,
    findings: &Findings,
    pending: &Path,
    choose: &dyn Fn(&Finding) -> bool,
) -> Result<Acceptance, AcceptError> {
    let dir = pending::make(snapshots, snapshots)?;
    let _lock = lock(&dir)?;
    let waiting = pending::open(pending, snapshots)?;
    let references = match References::read(snapshots) {
        Err(error) if error.is_missing() => References::none(snapshots),
        references => references?,
    };
    let mut done = Acceptance::default();
    let mut changes = Vec::new();
    for finding in &findings.findings {
        if choose(finding) {
            changes.push(change(&references, waiting.as_ref(), finding)?);
        } else {
            done.left += 1;
        }
    }
    apply(&references, &dir, waiting.as_ref(), changes, &mut done)?;
    Ok(done)
}

fn lock(dir: &Dir) -> Result<File, AcceptError> {
    let path = dir.path().join(LOCK_FILE);
    let write = |error| ReferenceError::write(&path, error);
    let file = dir.append(LOCK_FILE).map_err(write)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(AcceptError::Busy {
            dir: dir.path().into(),
        }),
        // A file system without locks: then nobody can hold one.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(file),
        Err(TryLockError::Error(error)) => Err(write(error).into()),
    }
}

/// Checks one finding, and reads what takes its place.
fn change(
    references: &References,
    pending: Option<&Dir>,
    finding: &Finding,
) -> Result<Change, AcceptError> {
    let path = &finding.path;
    let nothing = |why: &str| AcceptError::Nothing {
        path: path.clone(),
        why: why.into(),
    };
    if finding.verdict == Verdict::Failed {
        return Err(nothing("it could not be drawn"));
    }
    if is_unstable(finding) {
        return Err(nothing("it is not drawn the same each time"));
    }
    let now = references.line(path).map(|line| line.bytes.to_string());
    if now != finding.approved {
        return Err(AcceptError::Stale { path: path.clone() });
    }
    match finding.verdict {
        Verdict::Orphaned if now.is_some() => Ok(Change::Forget(path.clone())),
        Verdict::Orphaned if references.strays.contains(path) => {
            Ok(Change::RemoveFile(path.clone()))
        }
        Verdict::Orphaned => Err(nothing("it is gone already")),
        Verdict::Failed | Verdict::Differs | Verdict::Damaged | Verdict::Missing => {
            if super::references::check_path(path).is_err() {
                return Err(nothing("it is no name of an artifact"));
            }
            let pending = pending.ok_or_else(|| {
                let gone = "the directory of what is pending is not there";
                AcceptError::Pending(gone.into())
            })?;
            let waiting = pending::read(pending, path).map_err(AcceptError::Pending)?;
            Ok(Change::Approve(Box::new(waiting)))
        }
    }
}

fn apply(
    references: &References,
    dir: &Dir,
    pending: Option<&Dir>,
    changes: Vec<Change>,
    done: &mut Acceptance,
) -> Result<(), AcceptError> {
    let mut lines = references.lines().to_vec();
    let place = |lines: &[Line], path: &str| lines.binary_search_by(|line| (*line.path).cmp(path));
    for change in changes {
        match change {
            Change::Approve(waiting) => {
                let (line, bytes) = *waiting;
                put(dir, &line, bytes.as_deref())?;
                done.accepted.push(line.path.to_string());
                match place(&lines, &line.path) {
                    Ok(at) => lines[at] = line,
                    Err(at) => lines.insert(at, line),
                }
            }
            Change::Forget(path) => {
                if let Ok(at) = place(&lines, &path) {
                    lines.remove(at);
                }
                done.removed.push(path);
            }
            Change::RemoveFile(path) => {
                pending::remove_file(dir, &path)?;
                done.removed.push(path);
            }
        }
    }
    done.taken_in = references.accepted_beside() as u64;
    write_manifest(dir, &lines)?;
    // What the manifest says now needs no file beside it.
    for path in references.beside_paths() {
        let keeps = place(&lines, path).is_ok_and(|at| lines[at].picture);
        if !keeps {
            let snap = snap_path(path);
            pending::remove_file(dir, &payload_path(&snap, path))?;
            pending::remove_file(dir, &snap)?;
        }
    }
    if let Some(pending) = pending {
        for path in &done.accepted {
            pending::remove(pending, path)?;
        }
    }
    Ok(())
}

/// Puts a kept picture in its place: bytes first, so that a header never lacks them.
fn put(dir: &Dir, line: &Line, bytes: Option<&[u8]>) -> Result<(), ReferenceError> {
    let Some(bytes) = bytes else {
        return Ok(());
    };
    let snap = snap_path(&line.path);
    pending::publish(dir, &payload_path(&snap, &line.path), bytes)?;
    pending::publish(dir, &snap, header_text(line, &line.path).as_bytes())
}
