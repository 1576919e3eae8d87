//! Where plugins are looked for, and which file answers to a name.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::{
    LOCK_FILE, Lock, Locked, Manifest, Mode, Plugin, PluginError, Workers, elf, load,
    lock::sha256_hex,
    trust::{self, Grant, Opened},
};

/// A directory of the search path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchDir {
    /// The directory.
    pub path: PathBuf,
    /// Why it is searched, `[plugins] path`.
    pub origin: &'static str,
}

/// Looks for plugins along a search path, and decides whether to trust what it finds.
///
/// Earlier directories shadow later ones. Never the current directory.
#[derive(Debug, Default)]
pub struct Finder {
    /// Directories, in order.
    pub dirs: Vec<SearchDir>,
    /// Locks that are trusted.
    pub locks: Vec<Lock>,
    /// Whole ids that the user trusts whatever their hash.
    pub trusted: BTreeSet<String>,
    /// How single plugins run, by id or its last segment: `[plugins.by_id]`. The whole id counts more.
    /// [`Mode::Trusted`] under a last segment lets nothing run here.
    pub modes: BTreeMap<String, Mode>,
    /// Runs every plugin so, whatever locks and configuration say.
    pub force: Option<Mode>,
    /// SHA-256 of files that the user named in order to run what they hold now.
    pub named: BTreeSet<String>,
    /// How workers of contained plugins are started.
    pub workers: Workers,
}

/// A file in the search path, as `eyemap plugin list` shows it.
#[derive(Debug)]
pub struct Listed {
    /// The file.
    pub path: PathBuf,
    /// Why its directory is searched.
    pub origin: &'static str,
    /// Its manifest, or why it cannot be used.
    pub manifest: Result<Manifest, PluginError>,
    /// How it runs if it is asked for, or why it does not.
    pub trust: Result<Mode, PluginError>,
    /// The file that hides it, in an earlier directory.
    pub shadowed_by: Option<PathBuf>,
}

/// A file whose manifest was read.
struct Candidate {
    path: PathBuf,
    bytes: Vec<u8>,
    manifest: Manifest,
    /// Why others could have written these bytes.
    writers: Option<String>,
}

impl Finder {
    /// The usual search path: directories of the configuration, `plugins/` beside the configuration
    /// file, `EYEMAP_PLUGIN_PATH`, the user's data directory, and `plugins/` beside the executable.
    ///
    /// # Errors
    /// When a lock is there but cannot be read.
    pub fn usual(
        configured: &[PathBuf],
        config_dir: Option<&Path>,
        locks: &[PathBuf],
    ) -> Result<Self, PluginError> {
        let mut finder = Self::default();
        for path in configured {
            finder.push(path.clone(), "[plugins] path");
        }
        if let Some(dir) = config_dir {
            finder.push_locked(dir, "beside the configuration")?;
        }
        if let Some(paths) = std::env::var_os("EYEMAP_PLUGIN_PATH") {
            for path in std::env::split_paths(&paths) {
                if path.is_absolute() {
                    finder.push(path, "EYEMAP_PLUGIN_PATH");
                } else {
                    // It would depend on the current directory, from which nothing is loaded.
                    tracing::warn!(path = %path.display(), "relative path in EYEMAP_PLUGIN_PATH left out");
                }
            }
        }
        if let Some(dir) = user_data_dir() {
            finder.push_locked(&dir, "user data directory")?;
        }
        if let Some(dir) = std::env::current_exe()
            .ok()
            .as_deref()
            .and_then(Path::parent)
        {
            let bundle = dir.join("plugins");
            let lock = Lock::read(&bundle.join(LOCK_FILE))?;
            finder.locks.push(lock.of_the_host());
            finder.push(bundle, "beside the executable");
        }
        for path in locks {
            finder.locks.push(Lock::read(path)?);
        }
        Ok(finder)
    }

    /// `plugins/` in a directory, with the locks in either.
    fn push_locked(&mut self, dir: &Path, origin: &'static str) -> Result<(), PluginError> {
        let plugins = dir.join("plugins");
        self.locks.push(Lock::read(&dir.join(LOCK_FILE))?);
        self.locks.push(Lock::read(&plugins.join(LOCK_FILE))?);
        self.push(plugins, origin);
        Ok(())
    }

    fn push(&mut self, path: PathBuf, origin: &'static str) {
        if !self.dirs.iter().any(|dir| dir.path == path) {
            self.dirs.push(SearchDir { path, origin });
        }
    }

    /// Finds a plugin by id, by the last segment of its id, or by path, and loads it.
    ///
    /// # Errors
    /// When it is not found, not whole, not trusted or does not fit this host.
    pub fn load(&self, name: &str) -> Result<&'static Plugin, PluginError> {
        let found = self.find(name)?;
        let (sha256, grant) = self.grant(&found)?;
        load::load(
            &found.path,
            &found.bytes,
            (found.manifest, sha256),
            (grant, &self.workers),
        )
    }

    /// Trusts the bytes that a file has now, and no others: for a file that the user names in order to
    /// run it. It runs in a worker unless [`Self::force`] says otherwise. Nothing is written, and nothing of
    /// the file runs before [`Self::load`].
    ///
    /// # Errors
    /// When it cannot be read or is no plugin.
    pub fn trust_file(&mut self, path: &Path) -> Result<Manifest, PluginError> {
        let found = candidate(path)?;
        self.named.insert(sha256_hex(&found.bytes));
        Ok(found.manifest)
    }

    fn find(&self, name: &str) -> Result<Candidate, PluginError> {
        if name.contains('/') || name.ends_with(std::env::consts::DLL_SUFFIX) {
            return candidate(Path::new(name));
        }
        let (mut ids, mut unreadable) = (BTreeSet::new(), Vec::new());
        let mut first: Option<Candidate> = None;
        for dir in &self.dirs {
            let mut found: Vec<Candidate> = Vec::new();
            for path in libraries(&dir.path) {
                // Most files are others' and only looked at. The one that is meant is read as a whole,
                // and what it says then counts.
                let meant = elf::glance(&path).and_then(|manifest| {
                    if answers(&manifest.id, name) {
                        return candidate(&path).map(Some);
                    }
                    ids.insert(manifest.id);
                    Ok(None)
                });
                match meant {
                    Ok(Some(this)) if answers(&this.manifest.id, name) => found.push(this),
                    Ok(_) => {}
                    Err(error) => unreadable.push(error.to_string()),
                }
            }
            match (&first, only(found, name)?) {
                (None, Some(found)) if found.manifest.id == name => return Ok(found),
                (None, found) => first = found,
                // An earlier directory shadows a later one, but no other id.
                (Some(first), Some(other)) if first.manifest.id != other.manifest.id => {
                    return Err(PluginError::Ambiguous {
                        name: name.into(),
                        ids: vec![first.manifest.id.clone(), other.manifest.id],
                    });
                }
                (Some(_), _) => {}
            }
        }
        if let Some(found) = first {
            return Ok(found);
        }
        Err(PluginError::NotFound {
            name: name.into(),
            similar: similar(&ids, name),
            searched: self
                .dirs
                .iter()
                .map(|dir| dir.path.clone())
                .filter(|p| p.is_dir())
                .collect(),
            unreadable,
        })
    }

    /// What the configuration says of an id: under its whole name, or else under its last segment.
    fn mode_of(&self, id: &str) -> Option<Mode> {
        // Anybody may choose the same last segment: it is no name to trust by.
        let less = |mode: &&Mode| **mode != Mode::Trusted;
        let short = || self.modes.get(id.rsplit('.').next()?).filter(less);
        let configured = self.modes.get(id).or_else(short);
        self.force.or(configured.copied())
    }

    /// SHA-256 of a file; whether it may run, how, and what for.
    fn grant(&self, found: &Candidate) -> Result<(String, Grant), PluginError> {
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
            true => Grant::of(Mode::Contained),
            false => self.vouched(found, &sha256)?,
        };
        grant.mode = mode.unwrap_or(grant.mode);
        Ok((sha256, grant))
    }

    /// What the locks say of a file, or `trust = true`.
    fn vouched(&self, found: &Candidate, sha256: &str) -> Result<Grant, PluginError> {
        let Manifest { id, extensions, .. } = &found.manifest;
        trust::check_writers(found.writers.as_ref(), &found.path)?;
        let entries = |lock| Lock::find(lock, id).map(move |entry| (lock, entry));
        let locked: Vec<_> = self.locks.iter().flat_map(entries).collect();
        let same = || locked.iter().filter(|(_, entry)| entry.sha256 == sha256);
        let any = self.trusted.contains(id);
        if same().next().is_none() && !any {
            return Err(refusal(id, &found.path, sha256, &locked));
        }
        let here = same().any(|(lock, entry)| lock.shipped || entry.in_process());
        let refused = |extension: &&String| !any && !same().any(|(_, e)| e.accepts(extension));
        Ok(Grant {
            mode: if here { Mode::Trusted } else { Mode::Contained },
            refused: extensions.iter().filter(refused).cloned().collect(),
        })
    }

    /// Every file along the search path, in order.
    pub fn list(&self) -> Vec<Listed> {
        let mut seen: BTreeMap<String, PathBuf> = BTreeMap::new();
        let mut listed = Vec::new();
        for dir in &self.dirs {
            for path in libraries(&dir.path) {
                listed.push(self.listed(path, dir.origin, &mut seen));
            }
        }
        listed
    }

    fn listed(
        &self,
        path: PathBuf,
        origin: &'static str,
        seen: &mut BTreeMap<String, PathBuf>,
    ) -> Listed {
        match candidate(&path) {
            Err(error) => Listed {
                path,
                origin,
                manifest: Err(error),
                trust: Ok(Mode::Deny),
                shadowed_by: None,
            },
            Ok(found) => {
                let trust = self
                    .grant(&found)
                    .and_then(|(_, grant)| elf::check(&path, &found.bytes).map(|()| grant.mode));
                let id = found.manifest.id.clone();
                let shadowed_by = seen.get(&id).cloned();
                let twin = shadowed_by
                    .as_ref()
                    .filter(|first| first.parent() == path.parent());
                let trust = match twin {
                    Some(first) => Err(PluginError::Duplicate {
                        id: id.clone(),
                        first: first.clone(),
                        second: path.clone(),
                    }),
                    None => trust,
                };
                seen.entry(id).or_insert_with(|| path.clone());
                Listed {
                    path,
                    origin,
                    manifest: Ok(found.manifest),
                    trust,
                    shadowed_by,
                }
            }
        }
    }
}

/// Why a file that no lock lists with its hash does not run.
fn refusal(id: &str, path: &Path, sha256: &str, locked: &[(&Lock, &Locked)]) -> PluginError {
    // The lock that belongs to the file explains more than one that happens to know the id.
    let near = |lock: &Lock| {
        let dir = lock.path.parent();
        dir == path.parent() || dir == path.parent().and_then(Path::parent)
    };
    let nearest = locked.iter().find(|(lock, _)| near(lock));
    match nearest.or(locked.first()) {
        Some((lock, entry)) => PluginError::Changed {
            id: id.into(),
            path: path.into(),
            lock: lock.path.clone(),
            expected: entry.sha256.clone(),
            found: sha256.into(),
        },
        None => PluginError::Untrusted {
            id: id.into(),
            path: path.into(),
            sha256: sha256.into(),
        },
    }
}

/// `org.eyemap.binned-color` answers to itself and to `binned-color`.
pub(super) fn answers(id: &str, name: &str) -> bool {
    id == name || id.rsplit('.').next() == Some(name)
}

fn only(mut found: Vec<Candidate>, name: &str) -> Result<Option<Candidate>, PluginError> {
    let Some(last) = found.pop() else {
        return Ok(None);
    };
    match found.pop() {
        None => Ok(Some(last)),
        Some(other) if other.manifest.id == last.manifest.id => Err(PluginError::Duplicate {
            id: last.manifest.id,
            first: other.path,
            second: last.path,
        }),
        Some(other) => Err(PluginError::Ambiguous {
            name: name.into(),
            ids: vec![other.manifest.id, last.manifest.id],
        }),
    }
}

fn similar(ids: &BTreeSet<String>, name: &str) -> Option<String> {
    let distance = |id: &&String| {
        let short = id.rsplit('.').next().unwrap_or(id);
        strsim::damerau_levenshtein(short, name.rsplit('.').next().unwrap_or(name))
    };
    ids.iter()
        .min_by_key(distance)
        .filter(|id| distance(id) <= 3)
        .cloned()
}

/// Files that may be libraries, in a stable order. A directory that is missing has none.
fn libraries(dir: &Path) -> Vec<PathBuf> {
    let suffix = std::env::consts::DLL_EXTENSION;
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == suffix)
        })
        .collect();
    paths.sort();
    paths
}

fn candidate(path: &Path) -> Result<Candidate, PluginError> {
    let Opened { bytes, writers } = trust::read(path).map_err(|source| PluginError::Read {
        path: path.into(),
        source,
    })?;
    let manifest = elf::read_manifest(path, &bytes)?;
    Ok(Candidate {
        path: path.into(),
        bytes,
        manifest,
        writers,
    })
}

/// `$XDG_DATA_HOME/eyemap`, by default `~/.local/share/eyemap`: its lock and its `plugins` are always looked
/// at.
pub fn user_data_dir() -> Option<PathBuf> {
    let dir = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let base = dir("XDG_DATA_HOME").or_else(|| Some(dir("HOME")?.join(".local/share")))?;
    Some(base.join("eyemap"))
}
