//! Where plugins are looked for, and which file answers to a name.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use super::{
    Lock, Manifest, Mode, Plugin, PluginError, Workers, elf, load,
    lock::sha256_hex,
    trust::{self, Opened},
};

/// A directory of the search path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchDir {
    /// The directory.
    pub path: PathBuf,
    /// Why it is searched, `[plugins] path`.
    pub origin: &'static str,
}

/// A library that is named by its path, in place of an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedFile {
    /// The file.
    pub path: PathBuf,
    /// Who names it, `[cache] policy`.
    pub origin: &'static str,
}

/// Looks for plugins along a search path, and decides whether to trust what it finds.
///
/// Earlier directories shadow later ones. Never the current directory.
#[derive(Debug, Default)]
pub struct Finder {
    /// Directories, in order.
    pub dirs: Vec<SearchDir>,
    /// Files that are named by their paths. They are listed, and found under no id.
    pub files: Vec<NamedFile>,
    /// Locks, each with what its word is worth.
    pub locks: Vec<Lock>,
    /// The lock beside the configuration, whether it is there or not.
    pub project_lock: Option<PathBuf>,
    /// Whole ids that may run whatever their hash, in a worker.
    pub trusted: BTreeSet<String>,
    /// How the program that finds them runs single plugins, by id or its last segment. The whole id counts
    /// more. [`Mode::Trusted`] is a decision of this program and never what a file says, which is a wish;
    /// under a last segment it lets nothing run here.
    pub modes: BTreeMap<String, Mode>,
    /// Whole ids that a file asks to run in this process, which is not for a file to say.
    pub wishes: BTreeSet<String>,
    /// Runs every plugin so, whatever locks and configuration say.
    pub force: Option<Mode>,
    /// SHA-256 of files that the user named in order to run what they hold now.
    pub named: BTreeSet<String>,
    /// Files that messages call by the names of others: those whose bytes lie in memory.
    pub shown: BTreeMap<PathBuf, PathBuf>,
    /// How workers of contained plugins are started.
    pub workers: Workers,
    /// What files asked for in vain, of all that was loaded: see [`Self::notes`].
    pub lowered: Mutex<BTreeSet<String>>,
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
    /// What a file asks for in vain: that it runs in this process. With the command that allows it.
    pub lowered: Option<String>,
    /// The file that hides it, in an earlier directory.
    pub shadowed_by: Option<PathBuf>,
}

/// A file whose manifest was read.
pub(super) struct Candidate {
    pub(super) path: PathBuf,
    pub(super) bytes: Vec<u8>,
    pub(super) manifest: Manifest,
    /// Why others could have written these bytes.
    pub(super) writers: Option<String>,
}

impl Finder {
    /// Finds a plugin by id, by the last segment of its id, or by path, and loads it.
    ///
    /// # Errors
    /// When it is not found, not whole, not trusted or does not fit this host.
    pub fn load(&self, name: &str) -> Result<&'static Plugin, PluginError> {
        let found = self.find(name)?;
        let (sha256, grant) = self.grant(&found)?;
        self.lowered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(grant.lowered.clone());
        load::load(
            &found.path,
            &found.bytes,
            (found.manifest, sha256),
            (grant, &self.workers),
        )
    }

    /// Finds a plugin as [`Self::load`] does, and looks at its file without running it: its manifest and its
    /// SHA-256.
    ///
    /// # Errors
    /// When it is not found or is no plugin.
    pub fn look(&self, name: &str) -> Result<(Manifest, String), PluginError> {
        let found = self.find(name)?;
        Ok((found.manifest, sha256_hex(&found.bytes)))
    }

    /// What files asked for in vain of the plugins that were loaded, a line each: that they run in this
    /// process. With the command by which the user allows it.
    pub fn notes(&self) -> Vec<String> {
        let lowered = self.lowered.lock();
        let lowered = lowered.unwrap_or_else(PoisonError::into_inner);
        lowered.iter().cloned().collect()
    }

    /// Looks whether names, ids or their last segments, mean plugins that are here: one that means none would
    /// decide about nothing.
    ///
    /// # Errors
    /// [`PluginError::NotFound`] for the first that means none, with the nearest. Where a file that is named
    /// by its path cannot be looked at, the error of that, as the name may be its id.
    pub fn check_names<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), PluginError> {
        let libraries = self.dirs.iter().flat_map(|dir| libraries(&dir.path));
        let glances = libraries.map(|path| elf::glance(&path));
        let (mut ids, mut unreadable) = (BTreeSet::new(), Vec::new());
        for manifest in glances {
            match manifest {
                Ok(manifest) => drop(ids.insert(manifest.id)),
                Err(error) => unreadable.push(error.to_string()),
            }
        }
        let locked = self.locks.iter().flat_map(|lock| &lock.plugins);
        ids.extend(locked.map(|locked| locked.id.clone()));
        let named = self.files.iter().map(|file| elf::glance(&file.path));
        let named: Vec<_> = named.map(|manifest| manifest.map(|it| it.id)).collect();
        ids.extend(named.iter().flatten().cloned());
        let means_none = |name: &&str| !ids.iter().any(|id| answers(id, name));
        let Some(name) = names.into_iter().find(means_none) else {
            return Ok(());
        };
        match named.into_iter().find_map(Result::err) {
            Some(error) => Err(error),
            None => Err(self.not_found(name, &ids, unreadable)),
        }
    }

    /// Trusts the bytes that a file has now, and no others: for a file that the user names in order to
    /// run it. It runs in a worker unless [`Self::force`] says otherwise. Nothing is written, and nothing of
    /// the file runs before [`Self::load`].
    ///
    /// # Errors
    /// When it cannot be read or is no plugin.
    pub fn trust_file(&mut self, path: &Path) -> Result<Manifest, PluginError> {
        let found = self.file(path)?;
        self.named.insert(sha256_hex(&found.bytes));
        Ok(found.manifest)
    }

    fn file(&self, path: &Path) -> Result<Candidate, PluginError> {
        candidate_shown(path, self.shown.get(path).map_or(path, PathBuf::as_path))
    }

    fn find(&self, name: &str) -> Result<Candidate, PluginError> {
        if name.contains('/') || name.ends_with(std::env::consts::DLL_SUFFIX) {
            return self.file(Path::new(name));
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
        Err(self.not_found(name, &ids, unreadable))
    }

    fn not_found(
        &self,
        name: &str,
        ids: &BTreeSet<String>,
        unreadable: Vec<String>,
    ) -> PluginError {
        PluginError::NotFound {
            name: name.into(),
            similar: similar(ids, name),
            searched: self
                .dirs
                .iter()
                .map(|dir| dir.path.clone())
                .filter(|p| p.is_dir())
                .collect(),
            unreadable,
        }
    }

    /// Every file along the search path, in order, and those that are named by their paths.
    pub fn list(&self) -> Vec<Listed> {
        let mut seen: BTreeMap<String, PathBuf> = BTreeMap::new();
        let mut listed: Vec<Listed> = Vec::new();
        for dir in &self.dirs {
            for path in libraries(&dir.path) {
                listed.push(self.listed(path, dir.origin, &mut seen));
            }
        }
        for file in &self.files {
            // Nothing hides what is named by its path.
            if !listed.iter().any(|other| other.path == file.path) {
                listed.push(self.listed(file.path.clone(), file.origin, &mut BTreeMap::new()));
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
        let found = match candidate(&path) {
            Ok(found) => found,
            Err(error) => {
                return Listed {
                    path,
                    origin,
                    manifest: Err(error),
                    trust: Ok(Mode::Deny),
                    lowered: None,
                    shadowed_by: None,
                };
            }
        };
        let grant = self.grant(&found).map(|(_, grant)| grant);
        let lowered = grant.as_ref().ok().and_then(|grant| grant.lowered.clone());
        let whole = |grant| elf::check(&path, &found.bytes).map(|()| grant);
        let trust = grant.and_then(|grant| whole(grant.mode));
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
            lowered,
            shadowed_by,
        }
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
    candidate_shown(path, path)
}

/// A file that messages call by the name of another.
fn candidate_shown(path: &Path, shown: &Path) -> Result<Candidate, PluginError> {
    let Opened { bytes, writers, .. } = trust::read(path).map_err(|source| PluginError::Read {
        path: shown.into(),
        source,
    })?;
    let manifest = elf::read_manifest(shown, &bytes)?;
    Ok(Candidate {
        path: shown.into(),
        bytes,
        manifest,
        writers,
    })
}
