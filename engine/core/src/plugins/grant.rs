//! Whether a file runs, where, and what for: what locks, configuration and user say of it.

use std::path::{Path, PathBuf};

use super::{
    Finder, Lock, Locked, Manifest, Mode, PluginError, Standing, error,
    find::Candidate,
    lock::sha256_hex,
    trust::{self, Grant},
    user_data_dir,
    words::{command_word, place},
};

impl Finder {
    /// What was said of an id: under its whole name, or else under its last segment.
    fn mode_of(&self, id: &str) -> Option<Mode> {
        // Anybody may choose the same last segment: it is no name to trust by.
        let less = |mode: &&Mode| **mode != Mode::Trusted;
        let short = || self.modes.get(id.rsplit('.').next()?).filter(less);
        let said = self.modes.get(id).or_else(short);
        self.force.or(said.copied())
    }

    /// SHA-256 of a file; whether it may run, how, and what for.
    pub(super) fn grant(&self, found: &Candidate) -> Result<(String, Grant), PluginError> {
        let (id, path) = (&found.manifest.id, &found.path);
        let sha256 = sha256_hex(&found.bytes);
        let mode = self.mode_of(id);
        if mode == Some(Mode::Deny) {
            return Err(PluginError::Denied {
                id: id.clone(),
                path: path.into(),
            });
        }
        let mut grant = match self.named.contains(&sha256) {
            true => self.lower(Grant::of(Mode::Contained), found, &[]),
            false => self.vouched(found, &sha256)?,
        };
        if let Some(mode) = mode {
            grant = Grant {
                refused: grant.refused,
                ..Grant::of(mode)
            };
        }
        Ok((sha256, grant))
    }

    /// What the locks say of a file, or `trust = true`.
    fn vouched(&self, found: &Candidate, sha256: &str) -> Result<Grant, PluginError> {
        let Manifest { id, extensions, .. } = &found.manifest;
        trust::check_writers(found.writers.as_ref(), &found.path)?;
        let (same, other): (Vec<_>, Vec<_>) = self
            .entries(id)
            .partition(|entry| entry.locked.sha256 == sha256);
        let any = self.trusted.contains(id);
        if same.is_empty() && !any {
            return Err(self.refusal(found, sha256, &other));
        }
        let here = same.iter().any(Entry::runs_here);
        // In this process it is used for what those say whose word lets it run here, and for no more.
        let counting = |entry: &&Entry<'_>| !here || entry.lock.standing.counts();
        let said = |id| {
            same.iter()
                .filter(counting)
                .any(|entry| entry.locked.accepts(id))
        };
        let refused = extensions.iter().filter(|id| !(any && !here || said(id)));
        let ships = same
            .iter()
            .any(|entry| entry.lock.standing == Standing::Shipped);
        let grant = Grant {
            mode: if here { Mode::Trusted } else { Mode::Contained },
            refused: refused.cloned().collect(),
            // What ships was built together with this host.
            met_in_a_worker: here && !ships,
            lowered: None,
        };
        Ok(match here {
            true => grant,
            false => self.lower(grant, found, &same),
        })
    }

    /// What all locks list of an id.
    fn entries<'a>(&'a self, id: &'a str) -> impl Iterator<Item = Entry<'a>> {
        let entries = |lock: &'a Lock| lock.find(id).map(move |locked| Entry { lock, locked });
        self.locks.iter().flat_map(entries)
    }

    /// Notes what a file asked for in vain: that a plugin runs in this process.
    fn lower(&self, grant: Grant, found: &Candidate, same: &[Entry<'_>]) -> Grant {
        let id = &found.manifest.id;
        let asks = same.iter().find(|entry| entry.locked.in_process());
        let (who, command) = match asks {
            Some(Entry { lock, .. }) => {
                let what = match lock.standing {
                    Standing::Changed => "which has changed since you accepted it",
                    _ => "which you have not accepted",
                };
                let command = format!("eyemap plugin trust {}", command_word(&lock.path));
                (format!("the lock {}, {what},", place(&lock.path)), command)
            }
            None if self.wishes.contains(id) => {
                let command = format!("{} --in-process", error::pin(&found.path, None));
                (
                    "the configuration, which cannot decide that,".into(),
                    command,
                )
            }
            None => return grant,
        };
        let lowered = format!(
            "{id} runs in a worker process: {who} asks for eyemap's own; `{command}` allows it"
        );
        Grant {
            lowered: Some(lowered),
            ..grant
        }
    }

    /// Why a file that no lock lists with its hash does not run.
    fn refusal(&self, found: &Candidate, sha256: &str, locked: &[Entry<'_>]) -> PluginError {
        let (id, path) = (found.manifest.id.clone(), found.path.clone());
        // The lock that belongs to the file explains more than one that happens to know the id.
        let near = |lock: &Lock| {
            let dir = lock.path.parent();
            dir == path.parent() || dir == path.parent().and_then(Path::parent)
        };
        let nearest = locked.iter().find(|entry| near(entry.lock));
        match nearest.or(locked.first()) {
            Some(Entry { lock, locked }) => PluginError::Changed {
                lock: lock.path.clone(),
                expected: locked.sha256.clone(),
                found: sha256.into(),
                pin_into: match lock.standing {
                    Standing::Shipped => self.pin_into(&path),
                    _ => Some(lock.path.clone()).filter(|lock| !is_own(lock)),
                },
                id,
                path,
            },
            None => PluginError::Untrusted {
                sha256: sha256.into(),
                pin_into: self.pin_into(&path),
                id,
                path,
            },
        }
    }

    /// Where to pin a file: with its project, so that it holds for all who have it; what is the user's own, or
    /// of no project, with the user.
    fn pin_into(&self, path: &Path) -> Option<PathBuf> {
        self.project_lock.clone().filter(|_| !is_own(path))
    }
}

/// What a lock lists of an id.
struct Entry<'a> {
    lock: &'a Lock,
    locked: &'a Locked,
}

impl Entry<'_> {
    /// Whether it lets its file run in this process, and may.
    fn runs_here(&self) -> bool {
        match self.lock.standing {
            Standing::Shipped => true,
            Standing::User => self.locked.in_process(),
            Standing::Found | Standing::Changed => false,
        }
    }
}

/// Whether a file is in the user's data directory.
fn is_own(path: &Path) -> bool {
    user_data_dir().is_some_and(|dir| path.starts_with(dir))
}
