//! Finds, checks and loads plugins.
//!
//! The order is fixed: read the file once, read its manifest without running it, compare its SHA-256
//! with a lock, check the structure of the file and the root in it, seal the bytes that were checked in
//! memory, and only then let the system's loader run the plugin's code from those very bytes: first in a
//! worker, unless the plugin shipped with this host. There every extension is layout-checked by itself. Loaded plugins stay loaded: unloading native code is
//! unsafe in practice.
//!
//! Loading into this process is not a sandbox: the plugin can do then what the process can do. A
//! contained plugin is loaded by a worker process in its place, which may do little.

mod accepted;
mod contained;
mod elf;
mod error;
mod extension;
mod find;
mod grant;
mod host;
mod layout;
mod load;
mod lock;
mod pin;
mod sealed;
mod texts;
mod trust;
mod usual;
mod words;

pub use accepted::{accept_lock, forget_lock};
pub use contained::{WORKER_ARGUMENT, Workers, serve_worker};
pub use elf::is_id;
pub use elf::{check as check_file, read_manifest};
pub use error::PluginError;
pub use extension::Extension;
pub use eyemap_abi::manifest::Manifest;
pub use eyemap_worker::{Limits, MAX_WORKERS};
pub use find::{Finder, Listed, NamedFile, SearchDir};
pub use load::Plugin;
pub use lock::{LOCK_FILE, Lock, Locked, Standing, sha256_hex};
pub use pin::{State, Verified, Written, pin, set_in_process};
pub(crate) use texts::{clean, in_a_line, utf8};
pub(crate) use trust::read;
pub use trust::{IN_PROCESS, Mode};
pub use usual::{Said, user_data_dir};
