//! The `eyemap` command: arguments in, one report out, exit codes as documented.
//!
//! Everything that it does is in `eyemap_engine`; here are words, progress and exit codes only.

mod args;
mod cache;
mod caches;
mod failure;
mod governed;
mod inspect;
mod log;
mod merge;
mod out;
mod plan;
mod planned;
mod plugin;
mod progress;
mod render;
mod report;
mod session;
mod verify;

use std::{panic::catch_unwind, process::ExitCode};

use args::{Args, Command};
use eyemap_engine::plugins::{WORKER_ARGUMENT, serve_worker};
use failure::Failure;

/// Gives freed pages back to the system within milliseconds, which the memory limit counts on, and keeps
/// the blocks of a map apart by size, so that a long run does not fragment.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Before any thread is started: a process that runs a plugin is confined as a whole.
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next() {
        Some(first) if first == WORKER_ARGUMENT => return serve_worker(),
        Some(first) if first == eyemap_check::child::ARGUMENT => {
            return eyemap_check::child::main(arguments);
        }
        _ => {}
    }
    let args = match Args::read() {
        Ok(args) => args,
        Err(error) => return usage(error),
    };
    let json = args.wants_json();
    // A render logs as soon as it knows whether it is watched too.
    if !matches!(args.command, Command::Render(_)) {
        log::start(json, None);
    }
    failure::install_report();
    let done = catch_unwind(|| run(&args.command));
    let fault = |_| {
        let fault = Failure::new(failure::INTERNAL, "a fault of the program ended it");
        Err(fault.help("please report it with the command and the table"))
    };
    done.unwrap_or_else(fault)
        .unwrap_or_else(|failure| failure.report(json))
}

fn run(command: &Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Render(args) => render::run(args),
        Command::Plan(args) => plan::run(args),
        Command::Merge(args) => merge::run(args),
        Command::Verify(args) => verify::run(args),
        Command::Inspect(args) => inspect::run(args),
        Command::Plugin { command } => plugin::run(command),
        Command::Cache { command } => cache::run(command),
        Command::Config => out::text(include_str!("../../docs/eyemap.toml")),
        Command::Csp => out::text(&format!(
            "script-src '{}'\n",
            eyemap_engine::draw::csp_hash()
        )),
    }
}

/// Help and version are no errors; everything else about arguments is usage.
fn usage(error: clap::Error) -> ExitCode {
    let json = std::env::args_os().any(|argument| argument == "--json");
    if error.use_stderr() && json {
        return Failure::new(failure::USAGE, error.to_string()).report(true);
    }
    // Nothing can be done when the terminal is gone.
    let _ = error.print();
    if error.use_stderr() {
        ExitCode::from(failure::USAGE)
    } else {
        ExitCode::SUCCESS
    }
}
