//! Arguments of `eyemap plan` and `eyemap merge`.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use eyemap_engine::config::Size;

use super::{MapArgs, TableArgs, TrustedArgs};

#[derive(Debug, ClapArgs)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) table: TableArgs,
    #[command(flatten)]
    pub(crate) trusted: TrustedArgs,
    #[command(flatten)]
    pub(crate) maps: MapArgs,
    /// Write the plan to this file; `-` is standard output
    #[arg(short, long, value_name = "PLAN.json")]
    pub(crate) out: PathBuf,
    /// Suggest as many shards as make about this much each
    #[arg(long, value_name = "SIZE")]
    pub(crate) shard_size: Option<Size>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct MergeArgs {
    /// Output directories of `eyemap render`
    #[arg(required = true, value_name = "DIR")]
    pub(crate) sources: Vec<PathBuf>,
    /// The directory that gets it all
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Say which maps of a plan are not there, and end with 3 if any is not
    #[arg(long, value_name = "PLAN.json")]
    pub(crate) plan: Option<PathBuf>,
    /// Write an index.html
    #[arg(long)]
    pub(crate) index: bool,
    /// Write one JSON document to standard output, for machines
    #[arg(long)]
    pub(crate) json: bool,
}
