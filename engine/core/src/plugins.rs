//! Finds, checks and loads plugins.
//!
//! The order is fixed: read the file once, read its manifest without running it, compare its SHA-256
//! with a lock, check the structure of the file, seal the bytes that were checked in memory, and
//! only then let the system's loader run the plugin's code from those very bytes. After that every
//! extension is layout-checked by itself. Loaded plugins stay loaded: unloading native code is
//! unsafe in practice.
//!
//! Loading is not a sandbox. A plugin that is loaded can do what the process can do.

mod elf;
mod error;
mod find;
mod host;
mod layout;
mod load;
mod lock;

pub(crate) use elf::is_id;
pub use elf::{check as check_file, read_manifest};
pub use error::PluginError;
pub use eyemap_abi::manifest::Manifest;
pub use find::{Finder, Listed, SearchDir};
pub use load::{Extension, Plugin};
pub use lock::{LOCK_FILE, Lock, Locked, sha256_hex};
