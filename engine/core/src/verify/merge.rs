//! Findings of shards, joined: only then is it known what is orphaned.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
};

use super::{Finding, Findings, References, Verdict, run::orphaned};
use crate::sink::{Dir, Refused};

/// Name of the findings in the output directory of a comparison.
pub const FINDINGS_FILE: &str = "findings.json";
/// Larger findings are none: they would tell of millions of artifacts.
const MOST_BYTES: u64 = 1 << 30;

/// Why findings cannot be read or joined.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// A file cannot be read.
    #[error("cannot read {}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is no findings.
    #[error("{} cannot be understood: {message}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// Parts do not go together.
    #[error("{0}")]
    Apart(String),
}

impl MergeError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                "run `eyemap verify` first; if it wrote elsewhere, name the directory of its --out"
                    .into()
            }
            Self::Read { source, .. } if Refused::of(source).is_some() => {
                "then run `eyemap verify` again".into()
            }
            Self::Read { .. } => "check the path and its permissions".into(),
            Self::Damaged { .. } => "compare again with this version of the program".into(),
            Self::Apart(_) => {
                "compare all shards 1/n to n/n of the same references, then merge them together"
                    .into()
            }
        }
    }

    /// Whether a file is damaged or of another form.
    pub const fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. })
    }
}

/// Reads the findings of an output directory that the user named.
///
/// # Errors
/// When they are not there, or of another form.
pub fn read_findings(dir: &Path) -> Result<Findings, MergeError> {
    let opened = Dir::open(dir).map_err(|source| MergeError::Read {
        path: dir.join(FINDINGS_FILE),
        source,
    });
    findings_in(&opened?)
}

/// Reads the findings in a directory.
pub(super) fn findings_in(dir: &Dir) -> Result<Findings, MergeError> {
    let path = dir.path().join(FINDINGS_FILE);
    let bytes = dir.read(FINDINGS_FILE, MOST_BYTES);
    let bytes = bytes.map_err(|source| MergeError::Read {
        path: path.clone(),
        source,
    })?;
    let damaged = |message: String| MergeError::Damaged {
        path: path.clone(),
        message,
    };
    let findings: Findings =
        serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
    if !findings.is_known_form() {
        return Err(damaged(format!("it is of form {}, not 1", findings.form)));
    }
    Ok(findings)
}

/// Joins the findings of all shards.
///
/// # Errors
/// When one is missing or there twice, or they are of other references or tolerances.
pub fn merge(parts: Vec<Findings>, references: &References) -> Result<Findings, MergeError> {
    check(&parts)?;
    let apart = MergeError::Apart;
    let mut parts = parts.into_iter();
    let Some(mut whole) = parts.next() else {
        return Err(apart("there is nothing to merge".into()));
    };
    if whole.manifest != references.hash() {
        let dir = references.dir().display();
        return Err(apart(format!(
            "the parts were compared with other references than those of {dir}"
        )));
    }
    for part in parts {
        whole.amounts.add(&part.amounts);
        whole.findings.extend(part.findings);
        whole.undecided.extend(part.undecided);
        whole.notes.extend(part.notes);
    }
    whole.shard = None;
    whole.notes.sort();
    whole.notes.dedup();
    for path in std::mem::take(&mut whole.undecided) {
        whole.amounts.count(Verdict::Orphaned);
        let mut finding = Finding::bare(path, Verdict::Orphaned);
        finding.approved = references
            .line(&finding.path)
            .map(|line| line.bytes.to_string());
        orphaned(references, &mut finding);
        whole.findings.push(finding);
    }
    whole.findings.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(whole)
}

fn check(parts: &[Findings]) -> Result<(), MergeError> {
    let Some(first) = parts.first() else {
        return Ok(());
    };
    let Some(of) = first.shard.map(|shard| shard.of) else {
        return match parts.len() {
            1 => Ok(()),
            _ => Err(MergeError::Apart(
                "one part is the whole: it has no shard".into(),
            )),
        };
    };
    let mut numbers = BTreeSet::new();
    for part in parts {
        let shard = part.shard.filter(|shard| shard.of == of);
        let shard =
            shard.ok_or_else(|| MergeError::Apart(format!("not all parts are of {of} shards")))?;
        if part.manifest != first.manifest {
            return Err(MergeError::Apart(format!(
                "shard {shard} was compared with other references than shard {}",
                first.shard.unwrap_or(shard)
            )));
        }
        if part.tolerance != first.tolerance {
            return Err(MergeError::Apart(format!(
                "shard {shard} was compared with another tolerance"
            )));
        }
        if !numbers.insert(shard.number) {
            return Err(MergeError::Apart(format!("shard {shard} is there twice")));
        }
    }
    match (1..=of).find(|number| !numbers.contains(number)) {
        Some(number) => Err(MergeError::Apart(format!("shard {number}/{of} is missing"))),
        None => Ok(()),
    }
}
