//! Trees of sources, each with a target directory of its own.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::museum_dir;
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
