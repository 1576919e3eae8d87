//! Trees of sources, each with a target directory of its own.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{PLUGINS, edits::Edit, museum_dir};
use crate::{
    Done,
    process::{cargo, root, run},
};

/// Sources of another time.
pub(super) struct Tree {
    /// What it is called in the catalogue.
    pub(super) name: String,
    dir: PathBuf,
    target: PathBuf,
}

impl Tree {
    fn new(name: &str) -> Self {
        let of = |what: &str| museum_dir().join(what).join(name);
        Self {
            name: name.into(),
            dir: of("sources"),
            target: of("target"),
        }
    }

    /// Builds packages of the tree, without debug information and without speed, which nobody needs.
    pub(super) fn build(&self, packages: &[&str]) -> Done {
        println!("museum: building {}", self.name);
        let mut command = cargo(&["build", "--quiet", "--no-default-features"]);
        command
            .args(["--config", "profile.dev.debug=false"])
            .args(["--config", "profile.dev.package.\"*\".opt-level=0"])
            // But for the hashes of libraries, which a host would spend most of its time on.
            .args(["--config", "profile.dev.package.sha2.opt-level=3"])
            .arg("--target-dir")
            .arg(&self.target)
            // Warnings of old sources under a newer compiler are nobody's concern.
            .env("RUSTFLAGS", "--cap-lints=allow")
            .current_dir(&self.dir);
        for package in packages {
            command.args(["--package", package]);
        }
        run(&mut command)
    }

    /// Where a built file is.
    pub(super) fn built(&self, file: &str) -> PathBuf {
        self.target.join("debug").join(file)
    }
}

/// Tags that stand for a time, older versions first.
pub(super) fn tags() -> Vec<String> {
    let listed = git(&["tag", "--sort=version:refname", "--list", "abi-*", "v*"]).output();
    let text = listed.map_or_else(|_| Vec::new(), |output| output.stdout);
    let text = String::from_utf8_lossy(&text).into_owned();
    // A name is a directory here.
    let plain = |tag: &&str| {
        tag.chars()
            .all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
    };
    text.lines().filter(plain).map(str::to_owned).collect()
}

/// The sources of a revision, if this checkout has it.
pub(super) fn archived(name: &str, revision: &str) -> Result<Option<Tree>, String> {
    let commit = git(&["rev-parse", "--quiet", "--verify"])
        .arg(format!("{revision}^{{commit}}"))
        .output();
    let Some(commit) = commit.ok().filter(|output| output.status.success()) else {
        return Ok(None);
    };
    let commit = String::from_utf8_lossy(&commit.stdout).trim().to_owned();
    let tree = Tree::new(name);
    // A tag may be moved.
    let mark = tree.dir.join(".museum-commit");
    if std::fs::read_to_string(&mark).is_ok_and(|kept| kept == commit) {
        return Ok(Some(tree));
    }
    remove(&tree.dir)?;
    create(&tree.dir)?;
    unpack(&commit, &tree.dir)?;
    write(&mark, &commit)?;
    Ok(Some(tree))
}

fn unpack(commit: &str, dir: &Path) -> Done {
    let failed = |error: std::io::Error| format!("git archive {commit}: {error}");
    let mut archive = git(&["archive", "--format=tar", commit])
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let mut tar = Command::new("tar");
    tar.arg("-x").arg("-C").arg(dir);
    if let Some(out) = archive.stdout.take() {
        tar.stdin(out);
    }
    let unpacked = run(&mut tar);
    let status = archive.wait().map_err(failed)?;
    if !status.success() {
        return Err(format!("git archive {commit} failed: {status}"));
    }
    unpacked
}

fn git(arguments: &[&str]) -> Command {
    let mut git = Command::new("git");
    git.args(arguments).current_dir(root());
    git
}

/// What an edited tree takes of today's sources. The engine embeds templates of plugins.
fn parts() -> Vec<String> {
    let mut parts: Vec<_> = CRATES.map(|name| format!("engine/{name}")).into();
    parts.extend(["plugins".into(), HOST_PART.into()]);
    parts
}

/// Crates of the engine that an edited tree builds.
const CRATES: [&str; 4] = ["abi", "sdk", "worker", "core"];

/// Today's sources with edits.
pub(super) fn edited(name: &str, edits: &[Edit]) -> Result<Tree, String> {
    let tree = Tree::new(name);
    let (from, to) = (root(), &tree.dir);
    let mut wanted: Vec<PathBuf> = vec!["Cargo.toml".into(), "Cargo.lock".into()];
    for part in parts() {
        files(&from, Path::new(&part), &mut wanted)?;
    }
    for file in &wanted {
        let bytes = read(&from.join(file))?;
        let mut edits = edits.iter().filter(|edit| Path::new(edit.file) == file);
        let bytes = match file.to_str() {
            // Cargo keeps the lock of a tree itself, from today's versions on.
            Some("Cargo.lock") if to.join(file).exists() => continue,
            Some("Cargo.toml") => members(&bytes)?,
            _ => bytes,
        };
        let bytes = edits.try_fold(bytes, |bytes, edit| edit.apply(bytes))?;
        // What did not change keeps its time, so cargo does not build it again.
        if std::fs::read(to.join(file)).ok().as_ref() != Some(&bytes) {
            create(to.join(file).parent().unwrap_or(to))?;
            write(&to.join(file), &bytes)?;
        }
    }
    remove_others(to, &wanted)?;
    Ok(tree)
}

/// The workspace with no members but those of the tree.
fn members(manifest: &[u8]) -> Result<Vec<u8>, String> {
    let text = String::from_utf8_lossy(manifest);
    let crates = CRATES.map(|name| format!("engine/{name}"));
    let plugins = PLUGINS.map(|name| format!("plugins/{name}"));
    let members = crates.into_iter().chain(plugins).chain([HOST_PART.into()]);
    let list: Vec<_> = members.map(|member| format!("{member:?}")).collect();
    let lines: Vec<_> = text
        .lines()
        .map(
            |line| match line.starts_with("members = [") && line.ends_with(']') {
                true => format!("members = [{}]", list.join(", ")),
                false => line.to_owned(),
            },
        )
        .collect();
    match lines.iter().filter(|line| line.contains(HOST_PART)).count() {
        1 => Ok((lines.join("\n") + "\n").into_bytes()),
        _ => {
            Err("Cargo.toml has no `members = [...]` in one line, which the museum replaces".into())
        }
    }
}

const HOST_PART: &str = "snapshots/museum/host";

/// Files below a directory, by path from the root.
fn files(root: &Path, dir: &Path, into: &mut Vec<PathBuf>) -> Done {
    let failed = |error: std::io::Error| format!("{}: {error}", root.join(dir).display());
    for entry in std::fs::read_dir(root.join(dir)).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = dir.join(entry.file_name());
        match entry.file_type().map_err(failed)?.is_dir() {
            true => files(root, &path, into)?,
            false => into.push(path),
        }
    }
    Ok(())
}

/// Removes what is no longer part of the sources.
fn remove_others(dir: &Path, wanted: &[PathBuf]) -> Done {
    let mut there = Vec::new();
    files(dir, Path::new(""), &mut there)?;
    for file in there.iter().filter(|file| !wanted.contains(file)) {
        let path = dir.join(file);
        std::fs::remove_file(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, bytes: impl AsRef<[u8]>) -> Done {
    std::fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
}

fn create(dir: &Path) -> Done {
    std::fs::create_dir_all(dir).map_err(|error| format!("{}: {error}", dir.display()))
}

fn remove(dir: &Path) -> Done {
    match std::fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{}: {error}", dir.display()))
        }
        _ => Ok(()),
    }
}
