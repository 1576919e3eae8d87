//! Arguments of `eyemap plugin pin`, `verify` and `trust`.

use std::path::PathBuf;

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
    /// Id of a plugin that the lock lists, or its last segment
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) lock: LockArgs,
    /// Take it back: the plugin runs in a worker process again
    #[arg(long)]
    pub(crate) revoke: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct VerifyLocksArgs {
    /// The configuration whose locks and search path count
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Write one JSON document to standard output, for machines
    #[arg(long)]
    pub(crate) json: bool,
}
