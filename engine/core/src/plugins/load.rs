//! Lets the system's loader run a plugin, from the bytes that were checked.

#![allow(unsafe_code)]

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use eyemap_abi::{
    CacheExtension, ColorExtension, CoordinateExtension, DescribeExtension, ExtEntry,
    MetadataExtension, PluginRootRef,
    abi_stable::{
        StableAbi,
        library::{AbiHeaderRef, LibraryError, ROOT_MODULE_LOADER_NAME_WITH_NUL},
        std_types::{RErr, ROk},
    },
    ids,
    job::PluginDescription,
};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

use super::{Manifest, PluginError, elf, host, layout};

/// A loaded plugin. It lives as long as the process.
pub struct Plugin {
    /// What it states about itself.
    pub manifest: Manifest,
    /// The file it came from.
    pub path: PathBuf,
    /// SHA-256 of the file.
    pub sha256: String,
    entries: &'static [ExtEntry],
    alone: Mutex<()>,
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

/// A struct of the ABI that a plugin can export.
pub trait Extension: StableAbi + Copy + 'static {
    /// Its id.
    const ID: &'static str;
}

impl Extension for CoordinateExtension {
    const ID: &'static str = ids::COORDINATE;
}
impl Extension for ColorExtension {
    const ID: &'static str = ids::COLOR;
}
impl Extension for MetadataExtension {
    const ID: &'static str = ids::METADATA;
}
impl Extension for CacheExtension {
    const ID: &'static str = ids::CACHE;
}
impl Extension for DescribeExtension {
    const ID: &'static str = ids::DESCRIBE;
}

impl Plugin {
    /// Held around each call of a plugin that cannot be called from two threads at once, whatever
    /// the stages that it serves.
    pub(crate) fn alone(&self) -> Option<MutexGuard<'_, ()>> {
        let exclusive = self.manifest.thread_safety != "sync";
        exclusive.then(|| self.alone.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The extension `E`, after checking its layout.
    ///
    /// # Errors
    /// When the plugin does not export it, or in another form.
    pub fn extension<E: Extension>(&self) -> Result<E, PluginError> {
        let entry = self
            .entries
            .iter()
            .find(|entry| entry.id.as_str() == E::ID)
            .ok_or_else(|| PluginError::MissingExtension {
                id: self.manifest.id.clone(),
                path: self.path.clone(),
                wanted: E::ID.into(),
                exported: self
                    .entries
                    .iter()
                    .map(|entry| entry.id.as_str().to_owned())
                    .collect(),
            })?;
        layout::check::<E>(entry.layout).map_err(|difference| PluginError::Abi {
            id: self.manifest.id.clone(),
            path: self.path.clone(),
            member: format!("{} {}", E::ID, difference.member),
            expected: difference.expected,
            found: difference.found,
        })?;
        // SAFETY: the entry's layout was found compatible with `E` just now.
        Ok(*unsafe { entry.extension.get::<E>() })
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
        match (self.extension::<DescribeExtension>()?.describe)() {
            ROk(json) => serde_json::from_str(&json).map_err(|error| failed(error.to_string())),
            RErr(error) => Err(failed(error.to_string())),
        }
    }
}

/// Every plugin of this process by SHA-256: the same bytes are loaded once.
static LOADED: Mutex<Option<HashMap<String, &'static Plugin>>> = Mutex::new(None);

/// Loads a plugin from bytes that the caller trusts.
pub(crate) fn load(
    path: &Path,
    bytes: &[u8],
    manifest: Manifest,
    sha256: String,
) -> Result<&'static Plugin, PluginError> {
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    let loaded = loaded.get_or_insert_default();
    if let Some(plugin) = loaded.get(&sha256) {
        return Ok(plugin);
    }
    if manifest.panic != "unwind" {
        return Err(PluginError::PanicStrategy {
            id: manifest.id,
            path: path.into(),
            found: manifest.panic,
        });
    }
    elf::check(path, bytes)?;
    let root = open(path, bytes, &manifest.id)?;
    let entries = start(root, path, &manifest)?;
    tracing::debug!(plugin = manifest.id, version = manifest.version, %sha256, "plugin loaded");
    let plugin = Plugin {
        manifest,
        path: path.into(),
        sha256: sha256.clone(),
        entries,
        alone: Mutex::new(()),
    };
    let plugin: &'static Plugin = Box::leak(Box::new(plugin));
    loaded.insert(sha256, plugin);
    Ok(plugin)
}

/// Opens the library and checks its root.
fn open(path: &Path, bytes: &[u8], id: &str) -> Result<PluginRootRef, PluginError> {
    let refused = |reason: String| PluginError::Open {
        path: path.into(),
        reason,
    };
    let sealed = Sealed::new(path, bytes).map_err(|error| refused(error.to_string()))?;
    // SAFETY: initialisers of the library run here. Its bytes are the ones that were trusted and
    // whose structure was checked; they are sealed and cannot change under the loader.
    let library = unsafe { Library::open(Some(sealed.path()), RTLD_NOW | RTLD_LOCAL) }
        .map_err(|error| refused(error.to_string()))?;
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
            .map_err(|error| refused(error.to_string()))?;
    header
        .upgrade()
        .and_then(|header| header.init_root_module::<PluginRootRef>())
        .map_err(|error| foreign(path, id, &error))
}

/// A root that this host does not know.
fn foreign(path: &Path, id: &str, error: &LibraryError) -> PluginError {
    let text = error.to_string();
    let line = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or("another root");
    PluginError::Abi {
        id: id.into(),
        path: path.into(),
        member: "the root of the plugin".into(),
        expected: format!("the root of eyemap-abi 1 with abi_stable {}", "0.11"),
        found: line.chars().take(100).collect(),
    }
}

/// Compares the manifests, installs the host's functions and returns the extensions.
fn start(
    root: PluginRootRef,
    path: &Path,
    manifest: &Manifest,
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
    if let RErr(error) = (root.init())(host::API) {
        return Err(failed(error.to_string()));
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

/// The checked bytes as a file in memory that nobody can change.
struct Sealed {
    #[cfg(target_os = "linux")]
    file: std::fs::File,
    #[cfg(not(target_os = "linux"))]
    path: PathBuf,
}

#[cfg(target_os = "linux")]
impl Sealed {
    fn new(path: &Path, bytes: &[u8]) -> std::io::Result<Self> {
        use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
        use std::io::Write as _;
        // The kernel takes 249 bytes; a letter has at most four.
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name: String = name.chars().take(60).collect();
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        // Kernels before 6.3 do not know MFD_EXEC and make such files executable anyway.
        let fd = memfd_create(name.as_str(), flags | MemfdFlags::EXEC)
            .or_else(|_| memfd_create(name.as_str(), flags))?;
        let mut file = std::fs::File::from(fd);
        file.write_all(bytes)?;
        let seals = SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
        fcntl_add_seals(&file, seals)?;
        Ok(Self { file })
    }

    fn path(&self) -> PathBuf {
        use std::os::fd::AsRawFd as _;
        PathBuf::from(format!("/proc/self/fd/{}", self.file.as_raw_fd()))
    }
}

#[cfg(not(target_os = "linux"))]
impl Sealed {
    fn new(path: &Path, _bytes: &[u8]) -> std::io::Result<Self> {
        Ok(Self { path: path.into() })
    }

    fn path(&self) -> PathBuf {
        self.path.clone()
    }
}
