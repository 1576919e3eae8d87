//! Whole runs of the command on generated tables.
//!
//! Tables are made by a program of their own, because the memory of the measuring one would count for
//! what it starts. They are kept and used again; outputs are deleted as soon as they are measured.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    Result,
    measure::{self, Run},
    workload,
};

/// Where programs and tables are.
#[derive(Debug, Clone)]
pub struct Place {
    eyemap: PathBuf,
    workload: PathBuf,
    /// Tables, and what else is made.
    pub dir: PathBuf,
    out: PathBuf,
}

/// A generated table.
#[derive(Debug)]
pub struct Table {
    /// A directory of parts, or the one part.
    pub path: PathBuf,
    /// What the command is told about its columns.
    pub atlas: Option<PathBuf>,
    /// Size on disk.
    pub bytes: u64,
}

/// One run of `eyemap render --json`.
#[derive(Debug)]
pub struct Render {
    /// The run.
    pub run: Run,
    /// What it said.
    pub summary: serde_json::Value,
}

impl Render {
    /// A number of the summary, such as `/elapsed_ms`; 0 when it is not there.
    pub fn number(&self, pointer: &str) -> f64 {
        let value = self.summary.pointer(pointer);
        value.and_then(serde_json::Value::as_f64).unwrap_or(0.0)
    }

    /// Maps that were drawn, blank ones too.
    pub fn maps(&self) -> f64 {
        self.number("/rendered") + self.number("/blank")
    }

    /// Seconds from start to end.
    pub fn seconds(&self) -> f64 {
        self.run.cost.wall.as_secs_f64()
    }
}

impl Place {
    /// Takes programs from the environment, as `cargo xtask` sets it.
    ///
    /// # Errors
    /// When it does not.
    pub fn new(name: &str) -> Result<Self> {
        let variable = |name| {
            let value = std::env::var_os(name).map(PathBuf::from);
            value.ok_or_else(|| format!("{name} is not set: run this through `cargo xtask`"))
        };
        let build = variable("EYEMAP_BUILD_DIR")?;
        let target = build.parent().unwrap_or(&build);
        Ok(Self {
            eyemap: build.join("eyemap"),
            workload: variable("EYEMAP_WORKLOAD")?,
            dir: target.join(name),
            out: target.join(name).join("out"),
        })
    }

    /// The same, with output that goes to memory where the system has a place for that: a shared disk
    /// takes twice as long from one run to the next.
    #[must_use]
    pub fn in_memory(&self) -> Self {
        let memory = std::path::Path::new("/dev/shm");
        let mut place = self.clone();
        if memory.is_dir() {
            place.out = memory.join(format!("eyemap-bench-{}", std::process::id()));
        }
        place
    }

    /// The table of these arguments, made now or earlier.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn table(&self, arguments: &str, parts: usize) -> Result<Table> {
        let arguments = format!("{arguments} --parts {parts}");
        let name = arguments.replace("--", "").replace([' ', '.'], "-");
        let dir = self.dir.join(name);
        let stamp = dir.join("complete");
        let wanted = format!("version {}: {arguments}", workload::VERSION);
        if fs::read_to_string(&stamp).ok().as_ref() != Some(&wanted) {
            remove(&dir)?;
            fs::create_dir_all(&dir)?;
            let mut make = Command::new(&self.workload);
            measure::run(make.args(arguments.split(' ')).arg("-o").arg(&dir))?;
            fs::write(stamp, wanted)?;
        }
        let (table, atlas) = (dir.join("table"), dir.join("atlas.csv"));
        let bytes = measure::size(&table)?;
        Ok(Table {
            path: match parts {
                1 => table.join("part-0000.parquet"),
                _ => table,
            },
            atlas: atlas.is_file().then_some(atlas),
            bytes,
        })
    }

    /// Draws a table into the directory `out`, which was empty. What it wrote stays.
    ///
    /// # Errors
    /// When the command fails.
    pub fn render(&self, table: &Table, more: &[&str]) -> Result<Render> {
        remove(&self.out())?;
        let mut command = Command::new(&self.eyemap);
        command.arg("render").arg(&table.path).arg("--json");
        command.arg("-o").arg(self.out()).args(more);
        if let Some(atlas) = &table.atlas {
            command.arg("--atlas").arg(atlas);
        }
        // Paths that a case names are in its directory.
        let run = measure::run(command.current_dir(&self.dir));
        let run = run.map_err(|reason| message(&reason.to_string()))?;
        let summary = serde_json::from_str(&run.said)?;
        Ok(Render { run, summary })
    }

    /// Runs `eyemap verify` with these arguments to an end with this code, and gives what it cost and
    /// said. The snapshot directory is where outputs are.
    ///
    /// # Errors
    /// When it ends otherwise.
    pub fn verify(&self, arguments: &[&str], code: i32) -> Result<Render> {
        let mut command = Command::new(&self.eyemap);
        command.arg("verify").args(arguments).arg("--json");
        command.arg("--snapshots").arg(self.out());
        command.current_dir(&self.dir).env_remove("CI");
        command.env_remove("GITHUB_ACTIONS");
        let run = measure::run_to(&mut command, code);
        let run = run.map_err(|reason| message(&reason.to_string()))?;
        let summary = serde_json::from_str(&run.said)?;
        Ok(Render { run, summary })
    }

    /// Where outputs are.
    pub fn out(&self) -> PathBuf {
        self.out.clone()
    }

    /// Deletes the output.
    ///
    /// # Errors
    /// When it cannot be deleted.
    pub fn forget(&self) -> Result<()> {
        remove(&self.out())
    }
}

/// What the command says in its JSON about a failure, with the causes; or all that it says.
fn message(reason: &str) -> String {
    let Some((status, json)) = reason.split_once('{') else {
        return reason.to_owned();
    };
    let said: Option<serde_json::Value> = serde_json::from_str(&format!("{{{json}")).ok();
    let Some(error) = said.as_ref().and_then(|said| said.get("error")) else {
        return reason.to_owned();
    };
    let causes = error["causes"].as_array().into_iter().flatten();
    let lines = std::iter::once(&error["message"]).chain(causes);
    let lines: Vec<_> = lines.filter_map(serde_json::Value::as_str).collect();
    format!("{status}{}", lines.join(": "))
}

/// Removes a directory if it is there.
fn remove(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{}: {error}", dir.display()).into())
        }
        _ => Ok(()),
    }
}

/// Seconds with a sensible number of digits.
pub fn seconds(seconds: f64) -> String {
    match seconds {
        s if s < 1e-3 => format!("{:.1} us", s * 1e6),
        s if s < 1.0 => format!("{:.1} ms", s * 1e3),
        s if s < 10.0 => format!("{s:.2} s"),
        s => format!("{s:.0} s"),
    }
}

/// Bytes as people read them, in thousands.
pub fn bytes(bytes: u64) -> String {
    match bytes as f64 {
        b if b < 1e6 => format!("{:.1} kB", b / 1e3),
        b if b < 1e9 => format!("{:.0} MB", b / 1e6),
        b => format!("{:.2} GB", b / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_of_the_command_is_said_in_its_words() {
        let said = r#"exit status: 2: {"error": {"message": "a: no", "causes": ["gone"]}}"#;
        assert_eq!(message(said), "exit status: 2: a: no: gone");
        assert_eq!(message("killed {"), "killed {");
    }
}
