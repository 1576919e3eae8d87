//! Arguments of `eyemap plugin pin`, `verify` and `trust`.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;

/// Which lock.
#[derive(Debug, ClapArgs)]
pub(crate) struct LockArgs {
    /// The lock; by default the one beside the configuration, or without a configuration the one in the
    /// user's data directory
    #[arg(long, value_name = "FILE")]
    pub(crate) lock: Option<PathBuf>,
    /// The configuration whose lock it is
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// Whose word counts besides the user's own lock.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct TrustedArgs {
    /// A lock whose word is yours for this run: what it lists as in-process runs in eyemap's own process; may
    /// be repeated
    #[arg(long = "lock", value_name = "FILE")]
    pub(crate) locks: Vec<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct PinArgs {
    /// The libraries
    #[arg(required = true, value_name = "LIB.so")]
    pub(crate) libraries: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) lock: LockArgs,
    /// Let them run in eyemap's process, where native code can do all that you can do
    #[arg(long)]
    pub(crate) in_process: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct TrustArgs {
    /// A lock, which is accepted as it is now; or the id of a plugin that your lock lists, or its last segment
    #[arg(value_name = "LOCK|ID")]
    pub(crate) what: String,
    #[command(flatten)]
    pub(crate) lock: LockArgs,
    /// Take it back: the plugin, or what the lock lists, runs in a worker process again
    #[arg(long)]
    pub(crate) revoke: bool,
}

impl TrustArgs {
    /// The lock that is meant, where it is none of the ids: a path, or a name that ends as those of locks do.
    /// Whether there is such a file does not matter, as anybody may name a file like an id.
    pub(crate) fn accepted_lock(&self) -> Option<&Path> {
        let is_lock = self.what.contains('/') || self.what.ends_with(".lock");
        is_lock.then_some(Path::new(&self.what))
    }
}

#[derive(Debug, ClapArgs)]
pub(crate) struct VerifyLocksArgs {
    /// The configuration whose locks and search path count
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) trusted: TrustedArgs,
    /// Write one JSON document to standard output, for machines
    #[arg(long)]
    pub(crate) json: bool,
}
