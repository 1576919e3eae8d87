//! Arguments.

mod cache;
mod plugin;
mod plugin_check;
mod plugin_trust;
mod share;
mod verify;

use std::path::PathBuf;

use clap::{Args as ClapArgs, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use clap_complete::Shell;
use eyemap_engine::{
    Side,
    config::{ArchiveKind, SelectConfig},
    draw::Format,
    monitor::report::ReportFormat,
    plan::Shard,
};

pub(crate) use cache::{
    CacheCommand, Capacity, SimulateArgs, StoreArgs, SweepArgs, TuneArgs, WarmArgs,
};
pub(crate) use plugin::NewArgs;
pub(crate) use plugin_check::CheckArgs;
pub(crate) use plugin_trust::{LockArgs, PinArgs, TrustArgs, TrustedArgs, VerifyLocksArgs};
pub(crate) use share::{MergeArgs, PlanArgs};
pub(crate) use verify::{
    AcceptArgs, AgainArgs, CompareArgs, InitArgs, JoinArgs, VerifyArgs, VerifyCommand,
};

/// Renders eyemaps: hexagonal maps of what a cell type does in every column of a fly's eye.
#[derive(Debug, Parser)]
#[command(name = "eyemap", version, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Say nothing but errors, and what failed
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Draw the maps of a table
    Render(Box<RenderArgs>),
    /// Say what would be drawn, how large it is, and how to share the work
    Plan(Box<PlanArgs>),
    /// Join the output directories of shards
    Merge(MergeArgs),
    /// Compare maps with the ones that were approved
    Verify(Box<VerifyArgs>),
    /// Say what is in a table
    Inspect(InspectArgs),
    /// Make, look at and trust plugins
    Plugin {
        #[command(subcommand)]
        command: PluginCommand,
    },
    /// Look at caches
    Cache {
        #[command(subcommand)]
        command: CacheCommand,
    },
    /// Print a configuration file with every key, its meaning and its default
    Config,
    /// Print the Content-Security-Policy source that lets interactive maps run their script
    Csp,
    /// Print what completes commands in a shell: bash, zsh, fish, elvish or powershell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page, or write one for each command
    Man {
        /// The directory for the pages; without it one page goes to standard output
        dir: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// Make a new plugin: a crate that builds, is tested and draws a map
    New(NewArgs),
    /// List the plugins of the search path
    List(ListArgs),
    /// Let a library run, as it is now: write its hash into a lock
    Pin(PinArgs),
    /// Let a pinned plugin, or what a lock lists, run in eyemap's own process
    Trust(TrustArgs),
    /// Compare the files of plugins with what the locks say
    Verify(VerifyLocksArgs),
    /// Pin every plugin of a directory: write its lock
    Lock {
        /// The directory
        dir: PathBuf,
    },
    /// Check a plugin's library, each check in a process of its own
    Check(CheckArgs),
}

/// How a table is read.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct TableArgs {
    /// The table: CSV (also .gz), Parquet, Arrow IPC or Feather; several files or directories of files
    /// are parts of one table; `-` is standard input
    #[arg(required = true, value_name = "TABLE")]
    pub(crate) tables: Vec<PathBuf>,
    /// Table of the columns that exist; overrides the one of the configuration
    #[arg(long, value_name = "FILE")]
    pub(crate) atlas: Option<PathBuf>,
    /// Configuration file; `eyemap config` prints one with all keys
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Write one JSON document to standard output, for machines
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which maps, in which formats.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct PickArgs {
    /// Cell types, as globs: 'T4*' or Mi1,Tm3; may be repeated
    #[arg(long = "type", value_name = "GLOB", value_parser = types)]
    pub(crate) types: Vec<String>,
    /// Regions: ME or ME,LO; may be repeated
    #[arg(long = "region", value_name = "REGION", value_delimiter = ',')]
    pub(crate) regions: Vec<String>,
    /// Sides; may be repeated
    #[arg(long = "side", value_name = "L|R", value_delimiter = ',', value_parser = side)]
    pub(crate) sides: Vec<Side>,
    /// Metrics, `synapses` or `cells`; may be repeated
    #[arg(long = "metric", value_name = "METRIC", value_delimiter = ',')]
    pub(crate) metrics: Vec<String>,
    /// Formats: svg, svg-static, png, json
    #[arg(long = "format", value_name = "FORMAT", value_delimiter = ',', value_parser = format)]
    pub(crate) formats: Vec<Format>,
    /// Pixels of a PNG per px of the map, 0.1 to 8
    #[arg(long, value_name = "N")]
    pub(crate) scale: Option<f64>,
}

/// Which maps, and in which form.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct MapArgs {
    #[command(flatten)]
    pub(crate) pick: PickArgs,
    /// Colour range by hand: METRIC=LOW:HIGH for whole columns, METRIC.layer=LOW:HIGH for layers
    #[arg(long = "range", value_name = "METRIC=LOW:HIGH", value_parser = range, allow_hyphen_values = true)]
    pub(crate) ranges: Vec<Range>,
    /// Write an index.html with thumbnails (adds the format svg-static)
    #[arg(long)]
    pub(crate) index: bool,
    /// Put maps into archives of many in place of a file each: tar or zip
    #[arg(long, value_name = "KIND", value_parser = archive)]
    pub(crate) archive: Option<ArchiveKind>,
    /// Maps of an archive
    #[arg(long, value_name = "N")]
    pub(crate) archive_maps: Option<usize>,
}

#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct RenderArgs {
    #[command(flatten)]
    pub(crate) table: TableArgs,
    #[command(flatten)]
    pub(crate) trusted: TrustedArgs,
    /// Output directory
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) maps: MapArgs,
    /// Draw what a plan of `eyemap plan` says, if nothing changed since
    #[arg(long, value_name = "PLAN.json")]
    pub(crate) plan: Option<PathBuf>,
    /// Draw the i-th of n shards, from 1/n to n/n
    #[arg(long, value_name = "i/n", conflicts_with = "prune")]
    pub(crate) shard: Option<Shard>,
    /// Threads; 0 takes one a core
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
    /// Take as much memory as it takes: do not watch the memory limit of the configuration
    #[arg(long)]
    pub(crate) no_governor: bool,
    /// Delete maps of earlier runs that this run does not draw
    #[arg(long)]
    pub(crate) prune: bool,
    /// Draw every map again, also those that did not change
    #[arg(long)]
    pub(crate) force: bool,
    /// Keep drawn maps in this directory, and take from it what was drawn before; overrides
    /// `store` of [cache.artifacts]
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
    /// Add what is asked of the caches, and what the output directory answers, to a recording for
    /// `eyemap cache simulate` and `tune`
    #[arg(long, value_name = "FILE.csv[.gz]")]
    pub(crate) record_trace: Option<PathBuf>,
    /// Write what the run did, where its time went and what limits it: a page (.html) or a document
    /// for machines (.json)
    #[arg(long, value_name = "FILE.html|FILE.json", value_parser = report_file)]
    pub(crate) report: Option<PathBuf>,
    /// Write a timeline of all threads for Perfetto or chrome://tracing
    #[arg(long, value_name = "FILE.json")]
    pub(crate) trace: Option<PathBuf>,
    /// Say where the time went, what limited the run and what caches saved
    #[arg(short, long, conflicts_with = "quiet")]
    pub(crate) verbose: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct InspectArgs {
    #[command(flatten)]
    pub(crate) table: TableArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ListArgs {
    /// Configuration file whose search path counts
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) trusted: TrustedArgs,
    /// Show the keys of each plugin's configuration (loads trusted plugins)
    #[arg(long)]
    pub(crate) schema: bool,
    /// Write one JSON document to standard output, for machines
    #[arg(long)]
    pub(crate) json: bool,
}

/// A colour range set by hand.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Range {
    pub(crate) metric: String,
    pub(crate) layer: bool,
    pub(crate) range: [f64; 2],
}

impl PickArgs {
    /// Which maps, whatever their formats.
    pub(crate) fn select(&self) -> SelectConfig {
        SelectConfig {
            types: self.types.iter().flat_map(|list| listed(list)).collect(),
            regions: self.regions.clone(),
            sides: self.sides.clone(),
            metrics: self.metrics.clone(),
        }
    }
}

impl Args {
    /// Reads the command line.
    pub(crate) fn read() -> Result<Self, clap::Error> {
        Self::from_arg_matches(&Self::definition().try_get_matches()?)
    }

    /// The arguments; a plan names the tables, so `render` needs none with it.
    pub(crate) fn definition() -> clap::Command {
        let command = Self::command().mut_subcommand("render", |render| {
            render.mut_arg("tables", |tables| {
                tables.required(false).required_unless_present("plan")
            })
        });
        // A plan names its tables, so that it can read them again.
        command.mut_subcommand("plan", |plan| {
            plan.mut_arg("tables", |tables| {
                let help = tables
                    .get_help()
                    .map(ToString::to_string)
                    .unwrap_or_default();
                tables.help(help.replace("; `-` is standard input", ""))
            })
        })
    }

    pub(crate) fn wants_json(&self) -> bool {
        match &self.command {
            Command::Render(args) => args.table.json,
            Command::Plan(args) => args.table.json,
            Command::Merge(args) => args.json,
            Command::Verify(args) => args.wants_json(),
            Command::Inspect(args) => args.table.json,
            Command::Plugin { command } => match command {
                PluginCommand::List(args) => args.json,
                PluginCommand::Check(args) => args.json,
                PluginCommand::Verify(args) => args.json,
                _ => false,
            },
            Command::Cache { command } => match command {
                CacheCommand::Simulate(args) => args.sweep.json,
                CacheCommand::Tune(args) => args.sweep.json,
                CacheCommand::Stats(args)
                | CacheCommand::Clear(args)
                | CacheCommand::Verify(args) => args.json,
                CacheCommand::Warm(args) => args.store.json,
            },
            _ => false,
        }
    }
}

/// A list that names something: an empty one is a variable of a shell that is not set, and would choose all.
fn types(list: &str) -> Result<String, String> {
    match listed(list).is_empty() {
        true => Err("names no cell type; leave --type out to draw all".into()),
        false => Ok(list.into()),
    }
}

/// The parts of a list with commas. Names of cell types have commas too, as `(PLP191,PLP192)b`: a comma
/// between brackets of any kind is part of a name or of a glob.
fn listed(list: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut open = 0_usize;
    for c in list.chars() {
        match c {
            '(' | '[' | '{' => open += 1,
            ')' | ']' | '}' => open = open.saturating_sub(1),
            _ => {}
        }
        match (c, open, parts.last_mut()) {
            (',', 0, _) => parts.push(String::new()),
            (c, _, Some(part)) => part.push(c),
            (_, _, None) => {}
        }
    }
    // A bracket that stays open belongs to a name, and so do the commas behind it.
    if open > 0 {
        return vec![list.to_owned()];
    }
    parts
        .into_iter()
        .map(|part| part.trim().to_owned())
        .filter(|part| !part.is_empty())
        .collect()
}

fn side(text: &str) -> Result<Side, String> {
    match text.to_ascii_lowercase().as_str() {
        "l" | "left" => Ok(Side::Left),
        "r" | "right" => Ok(Side::Right),
        _ => Err("write L or R".into()),
    }
}

fn format(text: &str) -> Result<Format, String> {
    Format::from_name(text).ok_or_else(|| {
        let known = Format::ALL.map(Format::name).join(", ");
        format!("formats are {known}")
    })
}

fn report_file(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match ReportFormat::of(&path) {
        Some(_) => Ok(path),
        None => Err("a report is written to a file that ends in .html or .json".into()),
    }
}

fn archive(text: &str) -> Result<ArchiveKind, String> {
    let kinds = [ArchiveKind::None, ArchiveKind::Tar, ArchiveKind::Zip];
    let found = kinds.into_iter().find(|kind| kind.name() == text);
    found.ok_or_else(|| "write tar, zip or none".into())
}

fn range(text: &str) -> Result<Range, String> {
    let wrong = || "write METRIC=LOW:HIGH, for example synapses=0:500".to_owned();
    let (metric, numbers) = text.split_once('=').ok_or_else(wrong)?;
    let (low, high) = numbers.split_once(':').ok_or_else(wrong)?;
    let number = |text: &str| text.trim().parse::<f64>().map_err(|_| wrong());
    let (metric, layer) = match metric.strip_suffix(".layer") {
        Some(metric) => (metric, true),
        None => (metric, false),
    };
    Ok(Range {
        metric: metric.to_owned(),
        layer,
        range: [number(low)?, number(high)?],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_of_the_arguments_is_consistent() {
        Args::definition().debug_assert();
    }

    #[test]
    fn a_list_is_cut_at_commas_that_belong_to_no_name() {
        assert_eq!(listed("Mi1,Tm3 , T4*"), ["Mi1", "Tm3", "T4*"]);
        assert_eq!(listed("(PLP191,PLP192)b"), ["(PLP191,PLP192)b"]);
        assert_eq!(listed("T4{a,b},Mi1"), ["T4{a,b}", "Mi1"]);
        assert_eq!(listed("x[,]y"), ["x[,]y"]);
        assert_eq!(listed("odd(name,more"), ["odd(name,more"]);
        assert_eq!(listed("Mi1,"), ["Mi1"]);
    }

    #[test]
    fn ranges_are_read_for_whole_columns_and_layers() {
        let whole = Range {
            metric: "synapses".into(),
            layer: false,
            range: [-1.0, 500.0],
        };
        assert_eq!(range("synapses=-1:500"), Ok(whole.clone()));
        assert_eq!(
            range("synapses.layer=-1:500"),
            Ok(Range {
                layer: true,
                ..whole
            })
        );
        for wrong in ["synapses", "synapses=1", "synapses=a:b"] {
            assert!(range(wrong).is_err(), "{wrong}");
        }
    }
}
