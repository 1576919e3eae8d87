//! Finds, checks and loads plugins.
//!
//! The order is fixed: read the file once, read its manifest without running it, compare its SHA-256
//! with a lock, check the structure of the file, seal the bytes that were checked in memory, and
//! only then let the system's loader run the plugin's code from those very bytes. After that every
//! extension is layout-checked by itself. Loaded plugins stay loaded: unloading native code is
//! unsafe in practice.
//!
//! Loading into this process is not a sandbox: the plugin can do then what the process can do. A
//! contained plugin is loaded by a worker process in its place, which may do little.

mod contained;
mod elf;
mod error;
mod find;
mod host;
mod layout;
mod load;
mod lock;
mod pin;
mod trust;

pub use contained::{WORKER_ARGUMENT, Workers, serve_worker};
pub use elf::is_id;
pub use elf::{check as check_file, read_manifest};
pub use error::PluginError;
pub use eyemap_abi::manifest::Manifest;
pub use eyemap_worker::{Limits, MAX_WORKERS};
pub use find::{Finder, Listed, SearchDir, user_data_dir};
pub use load::{Extension, Plugin};
pub(crate) use load::{clean, in_a_line, utf8};
pub use lock::{LOCK_FILE, Lock, Locked, sha256_hex};
pub use pin::{State, Verified, pin, set_in_process};
pub use trust::{IN_PROCESS, Mode};
