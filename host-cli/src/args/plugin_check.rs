//! Arguments of `eyemap plugin check`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

#[derive(Debug, ClapArgs)]
pub(crate) struct CheckArgs {
    /// The library
    #[arg(value_name = "LIB.so", required_unless_present = "list")]
    pub(crate) library: Option<PathBuf>,
    /// Only this check, whatever else is wrong with the library; may be repeated
    #[arg(long, value_name = "ID")]
    pub(crate) only: Vec<String>,
    /// Where random inputs start, as a failure says; by default it follows from the library
    #[arg(long, value_name = "SEED")]
    pub(crate) reproduce: Option<u64>,
    /// Check in this process, for a debugger: a crash of the plugin is a crash of this command
    #[arg(long)]
    pub(crate) in_process: bool,
    /// Write one JSON document to standard output, for machines
    #[arg(long)]
    pub(crate) json: bool,
    /// Write the results as JUnit XML
    #[arg(long, value_name = "FILE.xml")]
    pub(crate) junit: Option<PathBuf>,
    /// Write the failures as SARIF 2.1.0
    #[arg(long, value_name = "FILE.sarif")]
    pub(crate) sarif: Option<PathBuf>,
    /// Print each check and what holds when it passes, and check nothing
    #[arg(long)]
    pub(crate) list: bool,
}
