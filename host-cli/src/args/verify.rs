//! Arguments of `eyemap verify`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};
use eyemap_engine::plan::Shard;

use super::{PickArgs, TrustedArgs};

#[derive(Debug, ClapArgs)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct VerifyArgs {
    #[command(subcommand)]
    pub(crate) command: Option<VerifyCommand>,
    #[command(flatten)]
    pub(crate) compare: CompareArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum VerifyCommand {
    /// Draw maps for the first time and approve them
    Init(Box<InitArgs>),
    /// Approve what the last comparison found
    Accept(AcceptArgs),
    /// Write the report of the last comparison again
    Report(AgainArgs),
    /// Join the outcomes of shards, and decide which approved pictures nothing draws any more
    Merge(JoinArgs),
}

#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct SnapshotArgs {
    /// Directory of what was approved
    #[arg(long, value_name = "DIR", default_value = "snapshots")]
    pub(crate) snapshots: PathBuf,
    /// Write one JSON document to standard output, for machines
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct CompareArgs {
    #[command(flatten)]
    pub(crate) snapshots: SnapshotArgs,
    /// Configuration file; overrides the one of verify.toml
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) trusted: TrustedArgs,
    /// Compare the golden vectors and pictures of this plugin
    #[arg(long, value_name = "LIB", conflicts_with = "shard")]
    pub(crate) plugin: Option<PathBuf>,
    /// Write report, findings and pending files into this directory, and nothing beside what was
    /// approved; with CI=true the default is eyemap-verify
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Compare the i-th of n shards, from 1/n to n/n
    #[arg(long, value_name = "i/n", requires = "out")]
    pub(crate) shard: Option<Shard>,
    /// Let colours differ by so many of 255 steps in each channel
    #[arg(long, value_name = "N")]
    pub(crate) tolerance_color: Option<u8>,
    /// Let hexagons lie so many px beside
    #[arg(long, value_name = "PX")]
    pub(crate) tolerance_place: Option<f64>,
    /// Allow a tolerance that hides a step of the palette; the report tells it
    #[arg(long)]
    pub(crate) force_tolerance: bool,
    /// Draw so many maps again with other threads and caches, to see that nothing changes; 0 draws none
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub(crate) guard: usize,
    /// Draw them with the plugins of this directory too, which must give the same
    #[arg(long, value_name = "DIR")]
    pub(crate) guard_plugins: Option<PathBuf>,
    /// Threads; 0 takes one a core
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct InitArgs {
    /// The table, as for `eyemap render`; none with --plugin
    #[arg(value_name = "TABLE", required_unless_present = "plugin")]
    pub(crate) tables: Vec<PathBuf>,
    /// Table of the columns that exist; overrides the one of the configuration
    #[arg(long, value_name = "FILE")]
    pub(crate) atlas: Option<PathBuf>,
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) trusted: TrustedArgs,
    /// Approve the golden vectors of this plugin, and pictures of a small built-in table
    #[arg(long, value_name = "LIB", conflicts_with_all = ["tables", "atlas"])]
    pub(crate) plugin: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) pick: PickArgs,
    /// Keep so many pictures beside their hashes
    #[arg(long, value_name = "N")]
    pub(crate) keep: Option<usize>,
    #[command(flatten)]
    pub(crate) snapshots: SnapshotArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct AcceptArgs {
    #[command(flatten)]
    pub(crate) snapshots: SnapshotArgs,
    /// Accept artifacts whose names match, such as `ME_R/*/Tm3.*`; may be repeated
    #[arg(long, value_name = "GLOB")]
    pub(crate) only: Vec<String>,
    /// Accept what this file says, which the report saves
    #[arg(long, value_name = "accept.json")]
    pub(crate) from: Option<PathBuf>,
    /// Output directory of the comparison; the default is that of the last one here
    #[arg(long, value_name = "DIR")]
    pub(crate) pending: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct AgainArgs {
    #[command(flatten)]
    pub(crate) snapshots: SnapshotArgs,
    /// Output directory of the comparison; the default is that of the last one here
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct JoinArgs {
    /// Output directories of `eyemap verify --shard`
    #[arg(required = true, value_name = "DIR")]
    pub(crate) parts: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) snapshots: SnapshotArgs,
    /// The directory that gets it all
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

impl VerifyArgs {
    pub(crate) fn wants_json(&self) -> bool {
        match &self.command {
            None => self.compare.snapshots.json,
            Some(VerifyCommand::Init(args)) => args.snapshots.json,
            Some(VerifyCommand::Accept(args)) => args.snapshots.json,
            Some(VerifyCommand::Report(args)) => args.snapshots.json,
            Some(VerifyCommand::Merge(args)) => args.snapshots.json,
        }
    }
}
