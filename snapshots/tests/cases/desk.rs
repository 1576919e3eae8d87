//! The directory in which a case runs.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Stdio,
};

use eyemap_snapshots::{case::Case, eyemap, project};
use libtest_mimic::Failed;
use tempfile::TempDir;

/// A directory with the files of a case.
pub(crate) struct Desk {
    /// Removes the directory in the end.
    _dir: TempDir,
    /// The directory as the command names it: without symbolic links.
    path: PathBuf,
}

/// How the command ended, and what it said.
pub(crate) struct Ended {
    /// Exit code; none if a signal ended it.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Desk {
    /// Lays out the files of a case.
    pub(crate) fn of(case: &Case) -> Result<Self, Failed> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().canonicalize()?;
        for (name, text) in case.inputs() {
            write(&path.join(name), text)?;
        }
        for example in &case.examples {
            let from = project("examples").join(example);
            let name = from.file_name().ok_or("an example is a file")?;
            let copied = fs::copy(&from, path.join(name));
            copied.map_err(|error| format!("{}: {error}", from.display()))?;
        }
        Ok(Self { _dir: dir, path })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Runs the command here. Neither the user's plugins nor a terminal can be seen from it.
    pub(crate) fn run(&self, arguments: &[String], input: Option<&str>) -> Result<Ended, Failed> {
        let mut command = eyemap();
        command
            .args(arguments)
            .current_dir(self.path())
            .env("HOME", self.path().join("home"))
            .env_remove("XDG_DATA_HOME")
            .env_remove("COLUMNS")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn()?;
        // A text of a case fits into a pipe, and a command that does not read it is not waited for.
        if let Some(mut stdin) = child.stdin.take() {
            let _ = stdin.write_all(input.unwrap_or_default().as_bytes());
        }
        let output = child.wait_with_output()?;
        let text = |bytes, name| {
            let text = String::from_utf8(bytes);
            text.map_err(|error| format!("{name} is no UTF-8: {error}"))
        };
        Ok(Ended {
            code: output.status.code(),
            stdout: text(output.stdout, "standard output")?,
            stderr: text(output.stderr, "standard error")?,
        })
    }

    /// Bytes of an artifact, by its path below `out`.
    pub(crate) fn artifact(&self, path: &str) -> Result<Vec<u8>, String> {
        let read = fs::read(self.path().join("out").join(path));
        read.map_err(|error| {
            let listing = self.listing();
            format!("out/{path}: {error}. There is\n{listing}")
        })
    }

    /// Paths of the files below `out`, sorted. Files whose names start with a dot are the command's own
    /// notes on the run.
    pub(crate) fn files(&self) -> Vec<String> {
        let out = self.path().join("out");
        let mut paths = Vec::new();
        list(&out, &out, &mut paths);
        paths.sort();
        paths
    }

    /// They in words, one a line.
    pub(crate) fn listing(&self) -> String {
        match self.files() {
            files if files.is_empty() => "no files\n".into(),
            files => files.join("\n") + "\n",
        }
    }
}

impl Ended {
    /// What happened, for somebody who did not expect it.
    pub(crate) fn told(&self, arguments: &[String]) -> String {
        let code = match self.code {
            Some(code) => format!("exit code {code}"),
            None => "a signal".into(),
        };
        let call = arguments.join(" ");
        format!(
            "`eyemap {call}` ended with {code}\n{}{}",
            self.stdout, self.stderr
        )
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failed> {
    if path.extension().is_none_or(|extension| extension != "gz") {
        return Ok(fs::write(path, text)?);
    }
    let file = fs::File::create(path)?;
    let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::default());
    packed.write_all(text.as_bytes())?;
    packed.finish()?;
    Ok(())
}

fn list(root: &Path, dir: &Path, paths: &mut Vec<String>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if path.is_dir() {
            list(root, &path, paths);
        } else {
            let name = path.strip_prefix(root).unwrap_or(&path);
            paths.push(name.display().to_string());
        }
    }
}
