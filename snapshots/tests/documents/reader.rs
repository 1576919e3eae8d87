//! Somebody who reads a document from top to bottom and types what it prints.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
};

use eyemap_engine::testing::has;
use eyemap_snapshots::{
    build_dir, project,
    stranger::{empty_dir, shared_target, shell},
};

use crate::{
    fences::{Fence, fences, text},
    rules::{DECIDE, Rule, SPECIALS, Special},
};

/// Types of `examples/nern2024` that the reader's `cells.csv` has.
const TYPES: [&str; 2] = [",L1,", ",Tm4,"];
/// How lines of `examples/synthetic` begin that the reader's `counts.csv` has.
const MAPS: [&str; 3] = ["cell_type,", "SynCol,LO,L,", "SynPatch,ME,R,"];

/// A reader, and where they are.
struct Reader {
    document: String,
    home: PathBuf,
    here: PathBuf,
}

/// Runs all blocks of a document that are for a shell, in order, each ended by its first error.
pub(crate) fn read(document: &str) {
    let mut blocks = fences(&text(document));
    blocks.retain(|fence| fence.language == "sh" && !is_chores(fence));
    let is_git = |line: &str| line.starts_with("git ");
    if blocks.iter().any(|fence| fence.text.lines().any(is_git)) && !has("git") {
        return;
    }
    let mut reader = Reader::new(document);
    let typed = blocks.iter().filter(|fence| reader.types(fence)).count();
    assert!(typed > 0, "{document} has no commands that can be run");
}

/// Whether all that a block does is to call chores, which take minutes.
pub(crate) fn is_chores(fence: &Fence) -> bool {
    fence
        .text
        .lines()
        .all(|line| line.starts_with("cargo xtask "))
}

/// The rule for a block.
pub(crate) fn rule_for(document: &str, fence: &Fence) -> Option<&'static Special> {
    let is_it = |special: &&Special| {
        special.document == document && special.first_line == fence.first_line()
    };
    SPECIALS.iter().find(is_it)
}

impl Reader {
    /// A directory with the tables that documents speak of, and the sample data.
    fn new(document: &str) -> Self {
        let home = empty_dir(&format!("reader-{}", document.replace(['/', '.'], "-")));
        let here = home.join("desk");
        fs::create_dir(&here).expect("a directory");
        let cells = text("examples/nern2024/cells.csv");
        let of_types = |line: &&str| TYPES.iter().any(|name| line.contains(name));
        let head = cells.lines().take(1);
        let rows: Vec<&str> = head.chain(cells.lines().filter(of_types)).collect();
        fs::write(here.join("cells.csv"), rows.join("\n") + "\n").expect("a table");
        let counts = text("examples/synthetic/counts.csv");
        let begins = |line: &&str| MAPS.iter().any(|start| line.starts_with(start));
        let rows: Vec<&str> = counts.lines().filter(begins).collect();
        fs::write(here.join("counts.csv"), rows.join("\n") + "\n").expect("a table");
        fs::write(
            here.join("eyemap.toml"),
            "[stages.color.config]\nbins = 7\n",
        )
        .expect("TOML");
        for name in ["examples", "plugins"] {
            let folder = project(name).canonicalize().expect("a folder");
            symlink(folder, here.join(name)).expect("a link");
        }
        fs::create_dir(home.join("bin")).expect("a directory");
        let reader = Self {
            document: document.to_owned(),
            home,
            here,
        };
        reader.write_cargo();
        reader
    }

    /// Cargo as the reader's, which shares what it builds with that of other readers.
    fn write_cargo(&self) {
        let path = self.home.join("bin/cargo");
        let shared = shared_target();
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
        let script = format!(
            "#!/bin/sh\n[ ! -f Cargo.toml ] || [ -e target ] || ln -s '{}' target\nexec '{cargo}' \"$@\"\n",
            shared.display()
        );
        fs::write(&path, script).expect("a script");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("permissions");
    }

    /// Types a block, and stands where it leads. False where it cannot be run here.
    fn types(&mut self, fence: &Fence) -> bool {
        let before = match rule_for(&self.document, fence).map(|special| &special.rule) {
            Some(Rule::NotRun(_)) => return false,
            Some(Rule::After(commands)) => commands,
            None => "",
        };
        let place = self.home.join("place");
        let (path, bin) = (place.display(), self.home.join("bin"));
        let plugins = build_dir().join("plugins");
        let script = format!(
            "PATH='{}':$PATH\nPLUGINS='{}'\n{DECIDE}\n{before}\n{}\npwd > '{path}'\n",
            bin.display(),
            plugins.display(),
            fence.text
        );
        let elsewhere = self.home.join("elsewhere");
        let ended = shell(&self.here, &script, &elsewhere);
        let (document, line) = (&self.document, fence.line);
        assert!(
            ended.success,
            "{document}, line {line}:\n{script}\n{}",
            ended.said
        );
        let place = fs::read_to_string(place).expect("a directory");
        self.here = Path::new(place.trim_end()).to_owned();
        true
    }
}
