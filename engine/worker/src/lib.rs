//! The process that a contained plugin lives in, and what is needed to look at native code from within.
//!
//! Native code that shares a process with its host can do all that the host can do. A worker is another
//! process: it may compute, and little else.
//!
//! ```text
//! host                                         worker, confined before the library is loaded
//! Worker::start   -- library, arena: socket ->  serve: load
//! a proxy         -- request: pipe --------->   object table: stages, prepared jobs, policies
//!                 == batch: shared memory ==>   the plugin reads and writes the arena in place
//!                 <- answer: pipe -----------
//! ```
//!
//! The host sleeps in one system call until the answer is there, the time is up or the worker is gone: a
//! worker that dies closes its pipe, so its end is seen at once. Nothing spins. What comes back is copied
//! out of the shared memory before it is looked at, and is believed as little as what a plugin answers
//! within the host.
//!
//! The proxies of [`proxy`] implement the traits of the ABI, so that the host uses a contained plugin and
//! one of its own process in the same way.

#![cfg(target_os = "linux")]

mod arena;
pub mod confine;
mod culprit;
pub mod elsewhere;
pub mod forked;
pub mod guarded;
pub mod heap;
mod host;
mod layout;
mod live;
mod logs;
mod near;
mod objects;
mod process;
mod protocol;
pub mod proxy;
mod serve;
pub mod signals;
#[cfg(feature = "test-support")]
pub mod testing;
mod wire;

pub use host::{Spec, Worker, WorkerError};
pub use process::{Crash, is_out_of_memory, signal_words};
pub use proxy::Contained;
pub use serve::{Exports, Extensions, serve};
pub use wire::Misfit;

use std::time::Duration;

/// What a worker may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Memory in bytes of each process, beyond what it needs before the plugin is loaded.
    pub memory: u64,
    /// Time for one call, and for loading the library.
    pub call: Duration,
    /// Calls that crash after which a worker is not started again. What is known to crash counts once.
    pub crashes: u32,
    /// Processes of a plugin at most, from 1; more than one is started where threads wait for one another.
    pub workers: u32,
}

/// More processes than this serve no host.
pub const MAX_WORKERS: u32 = 64;
/// As many by default, should the machine have more cores.
const USUAL_WORKERS: usize = 8;

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 1 << 30,
            call: Duration::from_secs(10),
            crashes: 3,
            workers: std::thread::available_parallelism()
                .map_or(1, |cores| cores.get().min(USUAL_WORKERS) as u32),
        }
    }
}
