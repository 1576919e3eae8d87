//! Chores that documents and workflows call, which take minutes or change something: that they exist.

use crate::fences::text;

/// The chores, as `cargo xtask help` lists them.
pub(crate) struct Chores(String);

impl Chores {
    pub(crate) fn read() -> Self {
        let source = text("xtask/src/main.rs");
        let (_, help) = source.split_once("const HELP").expect("a help");
        let (help, _) = help.split_once("\";").expect("an end");
        Self(help.to_owned())
    }

    /// What is wrong with the calls of chores in a text, and how many there are.
    pub(crate) fn faults(&self, text: &str, found: &mut usize) -> Vec<String> {
        let calls = text.split("cargo xtask ").skip(1);
        calls
            .filter_map(|call| {
                *found += 1;
                self.fault(call.split(['`', '\n', '#', '(', ')']).next()?)
            })
            .collect()
    }

    fn fault(&self, call: &str) -> Option<String> {
        let bare = |word: &'_ str| word.trim_matches(['"', ',', '.', ';']).to_owned();
        let mut words = call.split_whitespace().map(bare);
        let chore = words.next()?;
        let start = format!("cargo xtask {chore} ");
        let entry = self.0.split_once(&start).map(|(_, rest)| rest);
        let entry = match entry {
            Some(rest) => rest.split("cargo xtask ").next().unwrap_or_default(),
            None if chore == "help" => return None,
            None => return Some(format!("there is no chore {chore:?}")),
        };
        // `--help says more`: a chore that is another program has flags of its own.
        let has_own = entry.contains("--help");
        let unknown =
            words.find(|word| word.starts_with("--") && !has_own && !entry.contains(word));
        unknown.map(|flag| format!("cargo xtask {chore} has no {flag}"))
    }
}

#[test]
fn the_workflows_call_nothing_that_cannot_be_run_by_hand() {
    let chores = Chores::read();
    let dir = eyemap_snapshots::project(".github/workflows");
    let files = std::fs::read_dir(dir).expect("workflows").flatten();
    let names: Vec<_> = files.map(|file| file.file_name()).collect();
    assert!(names.len() >= 2, "{names:?}");
    let mut found = 0;
    for name in names {
        let name = name.to_string_lossy().into_owned();
        let text = text(&format!(".github/workflows/{name}"));
        assert!(!text.contains("://"), "{name} names a host");
        for line in text.lines() {
            let line = line.trim_start().trim_start_matches("- ");
            if let Some(command) = line.strip_prefix("run:") {
                let command = command.trim();
                let is_chore = command.starts_with("cargo xtask ");
                assert!(is_chore || command == ".ci/run", "{name}: {line}");
                assert_eq!(
                    chores.faults(command, &mut found),
                    [""; 0],
                    "{name}: {line}"
                );
            }
            if let Some(action) = line.strip_prefix("uses:") {
                let version = action.split_once("@v").map(|(_, version)| version);
                let is_pinned =
                    version.is_some_and(|version| version.starts_with(char::is_numeric));
                assert!(is_pinned, "{name}: {line}");
            }
        }
    }
    assert!(found >= 2, "{found} chores");
    let run = eyemap_snapshots::project(".ci/run");
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&run.metadata().expect(".ci/run").permissions());
    assert_eq!(mode & 0o111, 0o111, ".ci/run can be run");
}

#[test]
fn a_chore_that_is_not_there_is_a_fault() {
    let chores = Chores::read();
    let mut found = 0;
    let text = "`cargo xtask tidy`, cargo xtask bench-report huge --quick\n(cargo xtask demo)";
    assert_eq!(chores.faults(text, &mut found), [""; 0]);
    let faults = chores.faults("cargo xtask dance\ncargo xtask tidy --quick", &mut found);
    assert_eq!((faults.len(), found), (2, 5), "{faults:?}");
}
