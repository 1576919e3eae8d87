//! Packs a built eyemap into an archive that runs on a machine without Rust: `eyemap-dist BUILT ROOT OUT`.
//!
//! The archive holds the command with its plugins and their lock beside it, manual pages, completions and
//! documents. Its name says for which processor and from which glibc on. The same build makes the same bytes.

mod archive;
mod needs;

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use archive::Member;
use needs::Needs;

/// Shells that the command writes completions for, and what a file of each is called.
const SHELLS: [(&str, &str); 3] = [
    ("bash", "eyemap.bash"),
    ("zsh", "_eyemap"),
    ("fish", "eyemap.fish"),
];

/// Documents, as paths of the project; the licence of the font that the command draws with is one.
const DOCUMENTS: [&str; 4] = [
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "engine/core/assets/OFL.txt",
];

fn main() -> ExitCode {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [built, root, out] = &arguments[..] else {
        eprintln!("usage: eyemap-dist BUILT ROOT OUT");
        return ExitCode::from(2);
    };
    match pack(built, root, out) {
        Ok(archive) => {
            println!("{}", archive.display());
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("eyemap-dist: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// Packs what lies in `built`, with the documents of the project in `root`, into a file of `out`.
fn pack(built: &Path, root: &Path, out: &Path) -> Result<PathBuf, String> {
    let mut members = program(built)?;
    let needs = needs_of(&members)?;
    members.extend(written_by(&built.join("eyemap"))?);
    members.extend(documents(root)?);
    let name = format!(
        "eyemap-{}-{}-linux-glibc{}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::ARCH,
        needs.glibc
    );
    members.push(Member::text("PLATFORM", &platform(&needs)));
    fs::create_dir_all(out).map_err(|error| told(out, &error))?;
    let file = out.join(format!("{name}.tar.gz"));
    archive::write(&file, &name, members).map_err(|error| told(&file, &error))?;
    Ok(file)
}

/// The command, and the plugins that lie beside it with their lock.
fn program(built: &Path) -> Result<Vec<Member>, String> {
    let mut members = vec![Member::file("eyemap", &built.join("eyemap"))?];
    members.extend(folder(&built.join("plugins"), "plugins")?);
    let has = |ending: &str| {
        let mut names = members.iter().map(|member| member.name.as_str());
        names.any(|name| name.ends_with(ending))
    };
    if !has(".so") || !has(".lock") {
        let plugins = built.join("plugins");
        return Err(format!(
            "{} has no plugins with a lock: build with `cargo xtask build` first",
            plugins.display()
        ));
    }
    Ok(members)
}

/// What all programs and libraries together need of a machine.
fn needs_of(members: &[Member]) -> Result<Needs, String> {
    let mut all = Needs::default();
    for member in members.iter().filter(|member| member.is_executable) {
        let needs =
            needs::of(&member.bytes).map_err(|reason| format!("{}: {reason}", member.name))?;
        all.glibc = all.glibc.max(needs.glibc);
        all.libraries.extend(needs.libraries);
    }
    let foreign = all.foreign_libraries();
    match foreign.is_empty() {
        true => Ok(all),
        false => Err(format!(
            "it would need libraries that not every machine has: {}",
            foreign.join(", ")
        )),
    }
}

fn platform(needs: &Needs) -> String {
    let libraries: Vec<&str> = needs.libraries.iter().map(String::as_str).collect();
    format!(
        "eyemap {} for {} Linux\nglibc {} or newer, as the symbols of its files say\nlibraries: {}\n",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::ARCH,
        needs.glibc,
        libraries.join(", ")
    )
}

/// Manual pages and completions, which the command writes itself.
fn written_by(command: &Path) -> Result<Vec<Member>, String> {
    let pages = tempfile::tempdir().map_err(|error| error.to_string())?;
    said(command, &["man".as_ref(), pages.path().as_os_str()])?;
    let mut members = folder(pages.path(), "man")?;
    for (shell, file) in SHELLS {
        let script = said(command, &["completions".as_ref(), shell.as_ref()])?;
        members.push(Member::text(&format!("completions/{file}"), &script));
    }
    Ok(members)
}

/// What a command writes to standard output.
fn said(command: &Path, arguments: &[&std::ffi::OsStr]) -> Result<String, String> {
    let output = Command::new(command).args(arguments).output();
    let output = output.map_err(|error| told(command, &error))?;
    match output.status.success() {
        true => String::from_utf8(output.stdout).map_err(|error| error.to_string()),
        false => Err(format!(
            "{} {arguments:?} failed: {}",
            command.display(),
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}

/// What is to be read: the README and all that it leads to in `docs`.
fn documents(root: &Path) -> Result<Vec<Member>, String> {
    let mut members = folder(&root.join("docs"), "docs")?;
    members.extend(folder(&root.join("docs/images"), "docs/images")?);
    for path in DOCUMENTS {
        members.push(Member::file(path, &root.join(path))?);
    }
    Ok(members)
}

/// The files of a folder, without those of folders within.
fn folder(dir: &Path, name: &str) -> Result<Vec<Member>, String> {
    let entries = fs::read_dir(dir).map_err(|error| told(dir, &error))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.is_file());
    files
        .iter()
        .map(|path| {
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            Member::file(&format!("{name}/{file}"), path)
        })
        .collect()
}

fn told(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}
