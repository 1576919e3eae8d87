//! `eyemap plugin check`: is a library a good plugin?

use std::{path::Path, process::ExitCode};

use eyemap_check::{
    Check, Order, Report, find, nearest,
    report::{json, junit, list, sarif, words},
};

use crate::{
    args::CheckArgs,
    failure::{Failure, INTERNAL, SOME_FAILED, USAGE},
    files::Files,
    out,
};

pub(crate) fn run(args: &CheckArgs) -> Result<ExitCode, Failure> {
    let Some(path) = args.library.as_ref().filter(|_| !args.list) else {
        return out::text(&list());
    };
    let mut files = Files::default();
    files.reads([&**path]);
    files.writes("--junit", args.junit.as_deref());
    files.writes("--sarif", args.sarif.as_deref());
    files.check()?;
    let order = Order {
        path: path.clone(),
        seed: args.reproduce,
        only: args
            .only
            .iter()
            .map(|id| known(id))
            .collect::<Result<_, _>>()?,
        in_process: args.in_process,
        program: itself()?,
    };
    if args.in_process {
        out::note("checking in this process: a crash of the plugin ends this command");
    }
    let report = eyemap_check::run(&order, &|_| ()).map_err(|error| {
        Failure::with_cause(USAGE, error)
            .help("name the library of a plugin: target/release/libNAME.so")
    })?;
    write_files(args, &report)?;
    if args.json {
        out::json(&json(&report))?;
    } else {
        out::text(&words(&report))?;
    }
    Ok(match report.counts().failed {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::from(SOME_FAILED),
    })
}

fn write_files(args: &CheckArgs, report: &Report) -> Result<(), Failure> {
    if let Some(path) = &args.junit {
        write(path, &junit(report))?;
    }
    if let Some(path) = &args.sarif {
        write(path, &format!("{:#}\n", sarif(report)))?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|error| {
        Failure::new(USAGE, format!("cannot write {}: {error}", path.display()))
            .help("name a file in a directory that exists and can be written")
    })
}

fn known(id: &str) -> Result<&'static Check, Failure> {
    find(id).ok_or_else(|| {
        let help = match &*nearest(id) {
            [] => "`eyemap plugin check --list` shows all checks".to_owned(),
            names => format!("did you mean {}? `--list` shows all", names.join(", ")),
        };
        Failure::new(USAGE, format!("no check is called {id:?}")).help(help)
    })
}

/// This program, to be started again. On Linux also after its file was replaced by a newer build.
fn itself() -> Result<std::path::PathBuf, Failure> {
    if cfg!(target_os = "linux") {
        return Ok("/proc/self/exe".into());
    }
    std::env::current_exe()
        .map_err(|error| Failure::new(INTERNAL, format!("cannot find this program: {error}")))
}
