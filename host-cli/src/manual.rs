//! `eyemap completions` and `eyemap man`: what shells and `man` read, made from the arguments themselves.

use std::{path::Path, process::ExitCode};

use clap_complete::Shell;
use clap_mangen::Man;

use crate::{
    args::Args,
    failure::{Failure, USAGE},
    out,
};

/// Writes the completions of a shell to standard output.
pub(crate) fn completions(shell: Shell) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::definition(), "eyemap", &mut script);
    out::text(&String::from_utf8_lossy(&script))
}

/// Writes the manual page to standard output, or a page for each command into a directory.
pub(crate) fn man(dir: Option<&Path>) -> Result<ExitCode, Failure> {
    match dir {
        Some(dir) => pages(dir),
        None => {
            let page =
                page(Args::definition()).map_err(|error| cannot_write("the page", &error))?;
            out::text(&String::from_utf8_lossy(&page))
        }
    }
}

fn pages(dir: &Path) -> Result<ExitCode, Failure> {
    let failed = |error| cannot_write(&out::plain(&dir.display().to_string()), &error);
    std::fs::create_dir_all(dir).map_err(failed)?;
    let mut root = Args::definition();
    // Arguments of all commands are there only once the definition is built.
    root.build();
    let mut waiting = vec![root];
    let mut written = 0;
    while let Some(command) = waiting.pop() {
        let shown = command.get_subcommands();
        let shown = shown.filter(|command| !command.is_hide_set() && command.get_name() != "help");
        waiting.extend(shown.cloned());
        let name = command.get_display_name().unwrap_or(command.get_name());
        let path = dir.join(format!("{name}.1"));
        let page = page(command.clone()).map_err(failed)?;
        std::fs::write(path, page).map_err(failed)?;
        written += 1;
    }
    out::note(&format!("{written} pages in {}", dir.display()));
    Ok(ExitCode::SUCCESS)
}

fn page(command: clap::Command) -> std::io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command).render(&mut page)?;
    Ok(page)
}

fn cannot_write(what: &str, error: &std::io::Error) -> Failure {
    Failure::new(USAGE, format!("cannot write {what}: {error}"))
        .help("name a directory that can be written")
}
