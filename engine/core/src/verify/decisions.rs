//! What people decided about findings: `accept.json`, written by the report's page, read before
//! anything is accepted.
//!
//! A file that cannot be taken at its word is refused as a whole. Nothing here accepts.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{Finding, Kind, Verdict};
use crate::sink::state;

/// Version of the form of [`Decisions`].
const FORM: u32 = 1;

/// A larger file was not written by a report: this is a path of 200 bytes for a million artifacts.
const MOST_BYTES: u64 = 256 << 20;

/// Which findings are accepted and which are not; those in neither list are undecided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decisions {
    /// Version of this form, 1.
    pub form: u32,
    /// Hash of the manifest that the findings were made with, as in
    /// [`Findings`](super::Findings::manifest).
    pub manifest: String,
    /// Paths whose new picture is right, or which are gone rightly. Sorted, each once.
    pub accept: Vec<String>,
    /// Paths whose new picture is wrong. Sorted, each once.
    pub reject: Vec<String>,
}

/// Why decisions cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecisionsError {
    /// The file cannot be read.
    #[error("cannot read {}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not JSON, or not what decisions look like.
    #[error("{} holds no decisions", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its line and column.
        source: serde_json::Error,
    },
    /// It is of a form that this engine does not know.
    #[error("{} has form {form}, and this engine reads form {FORM}", .path.display())]
    OtherForm {
        /// The file.
        path: PathBuf,
        /// Its form.
        form: u64,
    },
    /// An artifact is accepted and rejected.
    #[error("{} accepts and rejects {artifact:?}", .path.display())]
    Both {
        /// The file.
        path: PathBuf,
        /// The artifact's path.
        artifact: String,
    },
    /// A name that no artifact can have: it would lead out of the snapshot directory.
    #[error("{} names {artifact:?}, which cannot be the path of an artifact", .path.display())]
    NoArtifact {
        /// The file.
        path: PathBuf,
        /// The name.
        artifact: String,
    },
}

impl DecisionsError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Io { .. } => "check that the file is there and can be read".into(),
            Self::Damaged { .. } => {
                "save accept.json from the report's page again".into()
            }
            Self::OtherForm { .. } => {
                "make the report with this version of eyemap, and decide in its page".into()
            }
            Self::Both { .. } => "take it out of `accept` or out of `reject`".into(),
            Self::NoArtifact { .. } => {
                "artifacts are named as in the report, like `ME_R/synapses/Tm3.svg`; take the name out".into()
            }
        }
    }
}

/// The field that every form has, whatever else it has.
#[derive(Deserialize)]
struct AnyForm {
    form: u64,
}

impl Decisions {
    /// No decisions yet, about findings that were made with this manifest.
    pub const fn new(manifest: String) -> Self {
        Self {
            form: FORM,
            manifest,
            accept: Vec::new(),
            reject: Vec::new(),
        }
    }

    /// Reads `accept.json`. Lists come sorted and without repetitions, however they were written.
    /// Whether the manifest is still the same is for the caller to check.
    ///
    /// # Errors
    /// When the file cannot be read, is no JSON of this form, names an artifact in both lists, or
    /// names what is no relative path below the snapshot directory.
    pub fn read(path: &Path) -> Result<Self, DecisionsError> {
        let bytes = read(path)?;
        let damaged = |source| DecisionsError::Damaged {
            path: path.to_owned(),
            source,
        };
        // First, as another form may have other fields, and their names would hide why.
        let AnyForm { form } = serde_json::from_slice(&bytes).map_err(damaged)?;
        if form != u64::from(FORM) {
            let path = path.to_owned();
            return Err(DecisionsError::OtherForm { path, form });
        }
        let decisions: Self = serde_json::from_slice(&bytes).map_err(damaged)?;
        decisions.checked(path)
    }

    fn checked(mut self, path: &Path) -> Result<Self, DecisionsError> {
        for list in [&mut self.accept, &mut self.reject] {
            list.sort_unstable();
            list.dedup();
        }
        let all = || self.accept.iter().chain(&self.reject);
        if let Some(artifact) = all().find(|artifact| !is_inside(artifact)) {
            return Err(DecisionsError::NoArtifact {
                path: path.to_owned(),
                artifact: artifact.clone(),
            });
        }
        let accepted: BTreeSet<&String> = self.accept.iter().collect();
        match self.reject.iter().find(|path| accepted.contains(path)) {
            None => Ok(self),
            Some(artifact) => Err(DecisionsError::Both {
                path: path.to_owned(),
                artifact: artifact.clone(),
            }),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, DecisionsError> {
    state::read(path, MOST_BYTES).map_err(|source| DecisionsError::Io {
        path: path.to_owned(),
        source,
    })
}

/// Whether a name stays below any directory, on every system.
fn is_inside(artifact: &str) -> bool {
    let is_plain = |part: &str| !matches!(part, "" | "." | "..");
    let is_odd = |c: char| matches!(c, '\\' | ':') || c.is_control();
    artifact.split('/').all(is_plain) && !artifact.contains(is_odd)
}

/// Whether a finding can be accepted: there is a new picture that can become the reference, or
/// nothing that is drawn any more and whose reference can go.
pub fn can_be_accepted(finding: &Finding) -> bool {
    match finding.verdict {
        Verdict::Differs | Verdict::Missing | Verdict::Damaged => {
            finding.pending.is_some() && !is_unstable(finding)
        }
        Verdict::Orphaned => true,
        Verdict::Failed => false,
    }
}

/// Whether an artifact is drawn otherwise each time: whatever was approved would not come again.
pub fn is_unstable(finding: &Finding) -> bool {
    let mut differences = finding.differences.iter();
    differences.any(|difference| difference.kind == Kind::Unstable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Decisions, DecisionsError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accept.json");
        std::fs::write(&path, text).unwrap();
        Decisions::read(&path)
    }

    fn with(accept: &[&str], reject: &[&str]) -> Result<Decisions, DecisionsError> {
        let list = |list: &[&str]| list.iter().map(|&path| path.into()).collect();
        let mut decisions = Decisions::new("m".into());
        (decisions.accept, decisions.reject) = (list(accept), list(reject));
        of(&serde_json::to_string(&decisions).unwrap())
    }

    #[test]
    fn what_is_written_is_read_sorted_and_each_path_once() {
        let read = with(&["b/x.svg", "a/x.svg", "b/x.svg"], &["c d/é.png"]).unwrap();
        assert_eq!((read.form, read.manifest.as_str()), (1, "m"));
        assert_eq!(read.accept, ["a/x.svg", "b/x.svg"]);
        assert_eq!(read.reject, ["c d/é.png"]);
    }

    #[test]
    fn another_form_is_told_as_such_whatever_else_it_holds() {
        let error = of(r#"{"form":2,"news":[]}"#).unwrap_err();
        assert!(matches!(error, DecisionsError::OtherForm { form: 2, .. }));
        assert!(error.to_string().contains("form 2"), "{error}");
    }

    #[test]
    fn damaged_files_are_errors_that_say_where() {
        let whole = r#"{"form":1,"manifest":"m","accept":["a"],"reject":[]}"#;
        of(whole).unwrap();
        for end in 0..whole.len() {
            assert!(of(&whole[..end]).is_err(), "{}", &whole[..end]);
        }
        for text in [
            whole.replace("\"m\"", "7"),
            whole.replace("[\"a\"]", "\"a\""),
            whole.replace("\"form\":1", "\"form\":-1"),
            whole.replace("\"reject\":[]", "\"reject\":[],\"more\":1"),
        ] {
            let error = of(&text).unwrap_err();
            let DecisionsError::Damaged { source, .. } = &error else {
                panic!("{text}: {error}");
            };
            assert_eq!(source.line(), 1, "{text}");
            assert!(error.help().contains("accept.json"));
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = Decisions::read(Path::new("/nowhere/accept.json")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/accept.json"));
    }

    #[test]
    fn one_artifact_cannot_be_accepted_and_rejected() {
        let error = with(&["a/x.svg", "b/x.svg"], &["b/x.svg"]).unwrap_err();
        assert!(matches!(&error, DecisionsError::Both { artifact, .. } if artifact == "b/x.svg"));
    }

    #[test]
    fn names_that_lead_out_are_refused_in_both_lists() {
        let out = [
            "",
            "/etc/x",
            "../x",
            "a/../../x",
            "a//x",
            "./x",
            "a/.",
            "a\\..\\x",
            "C:x",
            "a\0b",
            "a\nb",
        ];
        for name in out {
            for (accept, reject) in [(vec![name], vec![]), (vec![], vec![name])] {
                let error = with(&accept, &reject).unwrap_err();
                assert!(
                    matches!(error, DecisionsError::NoArtifact { .. }),
                    "{name:?}"
                );
            }
        }
        for name in ["a/..b.svg", "a/b..", "a...b"] {
            with(&[name], &[]).unwrap();
        }
    }
}
