//! Lets the system's loader run a plugin, from the bytes that were checked: in this process, or in a
//! worker.

#![allow(unsafe_code)]

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use eyemap_abi::{
    CacheExtension, CachePolicyBox, ColorExtension, ColorStageBox, CoordinateExtension,
    CoordinateStageBox, DescribeExtension, ExtEntry, HostApi, MetadataExtension, MetadataStageBox,
    PluginError as AbiError, PluginRootRef, Table,
    abi_stable::{
        library::{AbiHeader, AbiHeaderRef, LibraryError, ROOT_MODULE_LOADER_NAME_WITH_NUL},
        std_types::{RErr, ROk, RResult, RSlice, RStr},
    },
    job::PluginDescription,
};
use eyemap_worker::{Contained, Worker};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

use super::{
    Extension, Manifest, Mode, PluginError, Workers, contained, elf, host, layout,
    sealed::Sealed,
    texts::{in_a_line, utf8},
    trust::Grant,
};

/// A loaded plugin. It lives as long as the process.
pub struct Plugin {
    /// What it states about itself.
    pub manifest: Manifest,
    /// The file it came from.
    pub path: PathBuf,
    /// SHA-256 of the file.
    pub sha256: String,
    code: Code,
    /// Extensions that it exports and that nobody accepted.
    refused: Vec<String>,
    alone: Mutex<()>,
}

/// Where a plugin's code runs.
enum Code {
    /// In this process.
    Here(&'static [ExtEntry]),
    /// In a worker.
    Worker(Contained),
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Plugin({} from {})",
            self.manifest.id,
            self.path.display()
        )
    }
}

impl Plugin {
    /// Held around each call of a plugin that cannot be called from two threads at once, whatever
    /// the stages that it serves.
    pub(crate) fn alone(&self) -> Option<MutexGuard<'_, ()>> {
        let exclusive = self.manifest.thread_safety != "sync";
        exclusive.then(|| self.alone.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether it runs in this process or in a worker.
    pub const fn mode(&self) -> Mode {
        match self.code {
            Code::Here(_) => Mode::Trusted,
            Code::Worker(_) => Mode::Contained,
        }
    }

    /// Its worker, if it is contained.
    pub fn worker(&self) -> Option<&Worker> {
        match &self.code {
            Code::Here(_) => None,
            Code::Worker(contained) => Some(contained.worker()),
        }
    }

    /// What a user should know of its worker: what it is not kept from, and that it crashed.
    pub fn notes(&self) -> Vec<String> {
        let Some(worker) = self.worker() else {
            return Vec::new();
        };
        let (id, crashes) = (&self.manifest.id, worker.crashes());
        let mut notes = Vec::new();
        if !worker.missing().is_empty() {
            notes.push(format!("{id}: {}", worker.missing()));
        }
        if let Some(last) = crashes.last() {
            let times = match crashes.len() {
                1 => "once".to_owned(),
                times => format!("{times} times"),
            };
            notes.push(format!(
                "the worker of {id} crashed {times}; the last time {last}"
            ));
        }
        notes
    }

    /// The extension `E`, after checking its layout; of a plugin in this process alone.
    ///
    /// # Errors
    /// When the plugin does not export it, or in another form, or when it runs in a worker.
    pub fn extension<E: Extension>(&self) -> Result<E, PluginError> {
        self.accepted::<E>()?;
        match &self.code {
            Code::Here(entries) => self.entries(entries).find(),
            Code::Worker(_) => Err(PluginError::NotHere {
                id: self.manifest.id.clone(),
                path: self.path.clone(),
            }),
        }
    }

    fn accepted<E: Extension>(&self) -> Result<(), PluginError> {
        if self.refused.iter().any(|id| id == E::ID) {
            return Err(PluginError::NotAccepted {
                id: self.manifest.id.clone(),
                path: self.path.clone(),
                wanted: E::ID.into(),
            });
        }
        Ok(())
    }

    fn entries(&self, entries: &'static [ExtEntry]) -> Entries<'_> {
        Entries {
            manifest: &self.manifest,
            path: &self.path,
            entries,
        }
    }

    /// The worker, if the plugin says that it exports `E`; the worker has checked the layout.
    fn contained<E: Extension>(&self) -> Result<Option<&Contained>, PluginError> {
        self.accepted::<E>()?;
        let Code::Worker(contained) = &self.code else {
            return Ok(None);
        };
        let mut misfits = contained.worker().misfits().iter();
        if let Some(misfit) = misfits.find(|misfit| misfit.id == E::ID) {
            return Err(contained::unfit(misfit, &self.manifest, &self.path));
        }
        if self.manifest.extensions.iter().any(|id| id == E::ID) {
            return Ok(Some(contained));
        }
        Err(self.entries(&[]).missing::<E>())
    }

    /// Creates a coordinate stage from its configuration and side tables.
    ///
    /// # Errors
    /// When the plugin does not export such a stage in a form that this host knows.
    pub fn create_coordinate(
        &self,
        config: RStr<'_>,
        tables: RSlice<'_, Table<'_>>,
    ) -> Result<Answer<CoordinateStageBox>, PluginError> {
        Ok(match self.contained::<CoordinateExtension>()? {
            Some(contained) => contained.coordinate(config.as_str(), tables.as_slice()),
            None => (self.extension::<CoordinateExtension>()?.create)(config, tables),
        })
    }

    /// Creates a colour stage from its configuration and side tables.
    ///
    /// # Errors
    /// As [`Self::create_coordinate`].
    pub fn create_color(
        &self,
        config: RStr<'_>,
        tables: RSlice<'_, Table<'_>>,
    ) -> Result<Answer<ColorStageBox>, PluginError> {
        Ok(match self.contained::<ColorExtension>()? {
            Some(contained) => contained.color(config.as_str(), tables.as_slice()),
            None => (self.extension::<ColorExtension>()?.create)(config, tables),
        })
    }

    /// Creates a metadata stage from its configuration and side tables.
    ///
    /// # Errors
    /// As [`Self::create_coordinate`].
    pub fn create_metadata(
        &self,
        config: RStr<'_>,
        tables: RSlice<'_, Table<'_>>,
    ) -> Result<Answer<MetadataStageBox>, PluginError> {
        Ok(match self.contained::<MetadataExtension>()? {
            Some(contained) => contained.metadata(config.as_str(), tables.as_slice()),
            None => (self.extension::<MetadataExtension>()?.create)(config, tables),
        })
    }

    /// Creates a cache policy from its options, for a capacity in bytes.
    ///
    /// # Errors
    /// As [`Self::create_coordinate`].
    pub fn create_policy(
        &self,
        options: RStr<'_>,
        capacity: u64,
    ) -> Result<Answer<CachePolicyBox>, PluginError> {
        Ok(match self.contained::<CacheExtension>()? {
            Some(contained) => contained.policy(options.as_str(), capacity),
            None => (self.extension::<CacheExtension>()?.create)(options, capacity),
        })
    }

    /// Config schemas of the plugin, if it describes itself.
    ///
    /// # Errors
    /// When the description is in another form or cannot be read.
    pub fn describe(&self) -> Result<PluginDescription, PluginError> {
        let failed = |reason: String| PluginError::Init {
            id: self.manifest.id.clone(),
            path: self.path.clone(),
            reason,
        };
        let described = match self.contained::<DescribeExtension>()? {
            Some(contained) => contained.describe(),
            None => (self.extension::<DescribeExtension>()?.describe)(),
        };
        match described {
            ROk(json) => {
                let json = utf8(&json).map_err(|text| failed(text.into()))?;
                serde_json::from_str(json).map_err(|error| failed(error.to_string()))
            }
            RErr(error) => Err(failed(in_a_line(&error))),
        }
    }
}

/// What a plugin answers.
type Answer<T> = RResult<T, AbiError>;

/// What a library exports, in the process that has loaded it.
pub(super) struct Entries<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) path: &'a Path,
    pub(super) entries: &'static [ExtEntry],
}

impl Entries<'_> {
    fn entry<E: Extension>(&self) -> Option<&'static ExtEntry> {
        self.entries.iter().find(|entry| entry.id.as_str() == E::ID)
    }

    fn missing<E: Extension>(&self) -> PluginError {
        PluginError::MissingExtension {
            id: self.manifest.id.clone(),
            path: self.path.into(),
            wanted: E::ID.into(),
            exported: self.manifest.extensions.clone(),
        }
    }

    fn find<E: Extension>(&self) -> Result<E, PluginError> {
        let entry = self.entry::<E>().ok_or_else(|| self.missing::<E>())?;
        layout::check::<E>(entry.layout).map_err(|difference| PluginError::Abi {
            id: self.manifest.id.clone(),
            path: self.path.into(),
            member: format!("{} {}", E::ID, difference.member),
            expected: difference.expected,
            found: difference.found,
        })?;
        // SAFETY: the entry's layout was found compatible with `E` just now.
        Ok(*unsafe { entry.extension.get::<E>() })
    }

    /// The extension `E`, if it is exported at all.
    pub(super) fn optional<E: Extension>(&self) -> Result<Option<E>, PluginError> {
        match self.entry::<E>() {
            Some(_) => self.find().map(Some),
            None => Ok(None),
        }
    }
}

/// Every plugin of this process, by SHA-256 and where it runs: the same bytes are loaded once.
static LOADED: Mutex<Option<HashMap<Key, &'static Plugin>>> = Mutex::new(None);

/// SHA-256, where it runs, what it may not be used for, and how its worker is started.
type Key = (String, Mode, Vec<String>, Option<Workers>);

/// Loads a plugin from bytes that the caller trusts, as far as `mode` says.
pub(crate) fn load(
    path: &Path,
    bytes: &[u8],
    (manifest, sha256): (Manifest, String),
    (grant, workers): (Grant, &Workers),
) -> Result<&'static Plugin, PluginError> {
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    let loaded = loaded.get_or_insert_default();
    let Grant {
        mode,
        refused,
        met_in_a_worker,
        ..
    } = grant;
    let started = matches!(mode, Mode::Contained).then(|| workers.clone());
    let key = (sha256.clone(), mode, refused.clone(), started);
    if let Some(plugin) = loaded.get(&key) {
        return Ok(plugin);
    }
    elf::check(path, bytes)?;
    check_root(path, bytes, &manifest.id)?;
    if mode == Mode::Trusted && met_in_a_worker {
        check_panic(path, &manifest)?;
        elf::check_alone(path, bytes)?;
        contained::meet(seal(path, bytes)?, &manifest, path, workers)?;
    }
    let sealed = seal(path, bytes)?;
    let code = match mode {
        Mode::Trusted => Code::Here(run(sealed, path, &manifest, host::API)?),
        Mode::Contained => Code::Worker(contained::start(sealed, &manifest, path, workers)?),
        Mode::Deny => {
            return Err(PluginError::Denied {
                id: manifest.id,
                path: path.into(),
            });
        }
    };
    tracing::debug!(plugin = manifest.id, version = manifest.version, %sha256, ?mode, "plugin loaded");
    let plugin = Plugin {
        manifest,
        path: path.into(),
        sha256,
        code,
        refused,
        alone: Mutex::new(()),
    };
    let plugin: &'static Plugin = Box::leak(Box::new(plugin));
    loaded.insert(key, plugin);
    Ok(plugin)
}

fn seal(path: &Path, bytes: &[u8]) -> Result<Sealed, PluginError> {
    Sealed::new(path, bytes).map_err(|error| PluginError::Open {
        path: path.into(),
        reason: error.to_string(),
    })
}

/// Compares the root in the file with the one that this host knows, before any code of the file runs.
fn check_root(path: &Path, bytes: &[u8], id: &str) -> Result<(), PluginError> {
    let header = elf::root(path, bytes)?;
    match AbiHeader::VALUE.is_compatible(&header) {
        true => Ok(()),
        false => Err(foreign(path, id, &LibraryError::InvalidAbiHeader(header))),
    }
}

/// Loads a library into this process.
pub(super) fn run(
    sealed: Sealed,
    path: &Path,
    manifest: &Manifest,
    api: HostApi,
) -> Result<&'static [ExtEntry], PluginError> {
    check_panic(path, manifest)?;
    let root = open(sealed, path, &manifest.id)?;
    start(root, path, manifest, api)
}

fn check_panic(path: &Path, manifest: &Manifest) -> Result<(), PluginError> {
    if manifest.panic == "unwind" {
        return Ok(());
    }
    Err(PluginError::PanicStrategy {
        id: manifest.id.clone(),
        path: path.into(),
        found: manifest.panic.clone(),
    })
}

/// Opens the library and checks its root.
fn open(sealed: Sealed, path: &Path, id: &str) -> Result<PluginRootRef, PluginError> {
    let refused = |reason: String| PluginError::Open {
        path: path.into(),
        reason,
    };
    // The loader knows the bytes by where they lie in memory, which says nothing to anybody.
    let own = sealed.path().display().to_string();
    let shown = path.display().to_string();
    let reason = |error: &libloading::Error| reason(error).replace(&own, &shown);
    // SAFETY: initialisers of the library run here. Its bytes are the ones that were trusted and
    // whose structure was checked; they are sealed and cannot change under the loader.
    let library = unsafe { Library::open(Some(sealed.path()), RTLD_NOW | RTLD_LOCAL) }
        .map_err(|error| refused(reason(&error)))?;
    // Never unloaded, also where it is refused below: its initialisers ran, and destructors of
    // thread-locals and objects may live in it until the end.
    let library = std::mem::ManuallyDrop::new(library);
    // The loader knows libraries by path: a number that is used again would give the first library.
    std::mem::forget(sealed);
    // SAFETY: the entry symbol is a static `LibHeader`, so its address is an `AbiHeaderRef`: a
    // pointer to the header's first field, whose magic number `upgrade` checks before anything else.
    let header =
        unsafe { library.get::<AbiHeaderRef>(ROOT_MODULE_LOADER_NAME_WITH_NUL.as_bytes()) }
            .map(|symbol| *symbol)
            .map_err(|error| refused(reason(&error)))?;
    header
        .upgrade()
        .and_then(|header| header.init_root_module::<PluginRootRef>())
        .map_err(|error| foreign(path, id, &error))
}

/// What the system's loader says; the error itself says only which call failed.
fn reason(error: &libloading::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => source.to_string(),
        None => error.to_string(),
    }
}

/// A root that this host does not know.
fn foreign(path: &Path, id: &str, error: &LibraryError) -> PluginError {
    PluginError::Abi {
        id: id.into(),
        path: path.into(),
        member: "the root of the plugin".into(),
        expected: format!("the root of eyemap-abi 1 with abi_stable {}", "0.11"),
        found: found(error),
    }
}

/// What was found in place of the root, in a line.
fn found(error: &LibraryError) -> String {
    match error {
        LibraryError::IncompatibleVersionNumber { actual_version, .. } => {
            format!("the root of eyemap-abi {actual_version}")
        }
        LibraryError::InvalidAbiHeader(header)
            if header.magic_string == AbiHeader::VALUE.magic_string =>
        {
            let (major, minor) = (header.abi_major, header.abi_minor);
            format!("a root with abi_stable {major}.{minor}")
        }
        LibraryError::InvalidAbiHeader(_) => "no root of abi_stable".into(),
        other => {
            let text = other.to_string();
            let line = text.lines().map(str::trim).find(|line| !line.is_empty());
            line.unwrap_or("another root").chars().take(100).collect()
        }
    }
}

/// Compares the manifests, installs the host's functions and returns the extensions.
fn start(
    root: PluginRootRef,
    path: &Path,
    manifest: &Manifest,
    api: HostApi,
) -> Result<&'static [ExtEntry], PluginError> {
    let failed = |reason: String| PluginError::Init {
        id: manifest.id.clone(),
        path: path.into(),
        reason,
    };
    let json = (root.manifest())();
    let running: Manifest = serde_json::from_str(&json)
        .map_err(|error| failed(format!("its manifest cannot be read: {error}")))?;
    if running != *manifest {
        return Err(failed(
            "the manifest in its file and the one of its code differ".into(),
        ));
    }
    if let RErr(error) = (root.init())(api) {
        return Err(failed(in_a_line(&error)));
    }
    let entries = (root.extensions())().as_slice();
    let same = entries
        .iter()
        .map(|entry| entry.id.as_str())
        .eq(manifest.extensions.iter());
    if !same {
        return Err(failed(
            "it exports other extensions than its manifest says".into(),
        ));
    }
    Ok(entries)
}
