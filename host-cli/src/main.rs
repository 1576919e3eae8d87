//! The `eyemap` command: arguments in, one report out, exit codes as documented.
//!
//! Everything that it does is in `eyemap_engine`; here are words, progress and exit codes only.

mod args;
mod cache;
mod caches;
mod ending;
mod failure;
mod files;
mod governed;
mod inspect;
mod log;
mod manual;
mod merge;
mod out;
mod plan;
mod planned;
mod plugin;
mod progress;
mod render;
mod report;
mod session;
mod signals;
mod verify;

use std::{panic::catch_unwind, process::ExitCode};

use args::{Args, Command};
use eyemap_engine::plugins::{WORKER_ARGUMENT, serve_worker};
use failure::Failure;

/// Gives freed pages back to the system within milliseconds, which the memory limit counts on (version 3
/// keeps them for a second, so it is version 2), and keeps the blocks of a map apart by size, so that a long
/// run does not fragment.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Before any thread is started, and inherited by workers.
    eyemap_engine::memory::in_small_pages();
    // Before any thread is started: a process that runs a plugin is confined as a whole.
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next() {
        Some(first) if first == WORKER_ARGUMENT => return serve_worker(),
        Some(first) if first == eyemap_check::child::ARGUMENT => {
            return eyemap_check::child::main(arguments);
        }
        // Nobody asked for anything yet: the whole help would be forty lines too many.
        None => return first_steps(),
        _ => {}
    }
    let args = match Args::read() {
        Ok(args) => args,
        Err(error) => return usage(error),
    };
    let json = args.wants_json();
    if args.quiet {
        out::be_quiet();
    }
    signals::survive_large_files();
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
        .unwrap_or_else(|failure| failure.limited(signals::file_was_too_large()).report(json))
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
        Command::Completions { shell } => manual::completions(*shell),
        Command::Man { dir } => manual::man(dir.as_deref()),
    }
}

/// The three commands to begin with. Nothing was done, so a script that forgot its arguments hears of it.
fn first_steps() -> ExitCode {
    out::fault(
        "eyemap draws hexagonal maps of what a cell type does in every column of a fly's eye.\n\n  \
         eyemap inspect TABLE                    what is in a table\n  \
         eyemap render TABLE -o maps --index     its maps; then open maps/index.html\n  \
         eyemap config > eyemap.toml             every setting with its meaning, for --config\n\n\
         `eyemap help` lists all commands, `eyemap help render` the options of one.",
    );
    ExitCode::from(failure::USAGE)
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
