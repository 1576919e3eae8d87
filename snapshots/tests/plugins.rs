//! Finding, trusting and loading plugins: what is refused, and in which words. Long, because one project directory
//! serves all of it.

use std::{
    path::{Path, PathBuf},
    process::Output,
};

use eyemap_engine::plugins::{
    Finder, LOCK_FILE, Lock, Locked, Mode, SearchDir, read_manifest, sha256_hex,
};
use eyemap_snapshots::{eyemap, finder, plugin, trial::example};
use object::{Object as _, ObjectSection as _};
use tempfile::TempDir;

/// Directories with plugin files, which are searched in order.
struct Dirs(Vec<TempDir>);

impl Dirs {
    fn new(n: usize) -> Self {
        Self(
            (0..n)
                .map(|_| tempfile::tempdir().expect("a directory"))
                .collect(),
        )
    }

    fn put(&self, dir: usize, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0[dir].path().join(name);
        std::fs::write(&path, bytes).expect("written");
        path
    }

    /// Searches the directories and trusts ids, whatever their hash.
    fn finder(&self, trusted: &[&str]) -> Finder {
        let dir = |dir: &TempDir| SearchDir {
            path: dir.path().into(),
            origin: "the test",
        };
        Finder {
            dirs: self.0.iter().map(dir).collect(),
            trusted: trusted.iter().map(|&id| id.into()).collect(),
            force: Some(Mode::Trusted),
            ..Finder::default()
        }
    }
}

const BINNED: &str = "org.eyemap.binned-color";

fn binned() -> Vec<u8> {
    std::fs::read(plugin("binned-color")).expect("the plugin")
}

/// The plugin with other text of the same length in its manifest.
fn binned_with(from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = binned();
    let file = object::File::parse(&bytes[..]).expect("ELF");
    let section = file
        .section_by_name(".eyemap.manifest")
        .expect("a manifest");
    let (start, len) = section.file_range().expect("in the file");
    let range = start as usize..(start + len) as usize;
    let text = String::from_utf8(bytes[range.clone()].to_vec()).expect("UTF-8");
    assert!(text.contains(from), "{text}");
    bytes[range].copy_from_slice(text.replace(from, to).as_bytes());
    bytes
}

/// Why a plugin is refused, with the remedy; never more than twelve lines.
fn refusal(finder: &Finder, name: impl AsRef<Path>) -> String {
    let name = name.as_ref().to_str().expect("UTF-8");
    let error = finder.load(name).expect_err("refused");
    let text = format!("{error}\nhelp: {}", error.help());
    assert!(
        text.lines().count() <= 12,
        "{} lines:\n{text}",
        text.lines().count()
    );
    text
}

fn contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
}

#[test]
fn a_missing_plugin_names_the_nearest_and_where_it_looked() {
    let text = refusal(&finder(), "binnd-color");
    contains(
        &text,
        &[
            "no plugin is called \"binnd-color\"",
            "did you mean \"org.eyemap.binned-color\"?",
            "searched /",
        ],
    );
    let text = refusal(&finder(), "org.nobody.knows-this-one");
    assert!(!text.contains("did you mean"), "{text}");
}

#[test]
fn files_that_hide_a_missing_plugin_are_named_with_their_fault() {
    let dirs = Dirs::new(1);
    dirs.put(0, "libbinned_color.so", b"");
    contains(
        &refusal(&dirs.finder(&[]), "binned-color"),
        &["not usable: ", "libbinned_color.so", "it is empty"],
    );
}

#[test]
fn a_library_cut_at_any_point_is_refused_before_it_is_loaded() {
    let (dirs, bytes) = (Dirs::new(1), binned());
    let cuts = [
        1,
        15,
        16,
        63,
        64,
        100,
        120,
        500,
        4096,
        bytes.len() - 64,
        bytes.len() - 1,
    ];
    let shares = (1..40).map(|share| bytes.len() * share / 40);
    for cut in cuts.into_iter().chain(shares) {
        let path = dirs.put(0, "cut.so", &bytes[..cut]);
        let text = refusal(&dirs.finder(&[BINNED]), path);
        let said = ["truncated", "not a 64-bit ELF file", "not an ELF file"];
        assert!(
            said.iter().any(|said| text.contains(said)),
            "cut at {cut}: {text}"
        );
    }
}

#[test]
fn files_that_are_no_plugins_are_refused_with_what_they_are() {
    let patched = |at: usize, to: &[u8]| {
        let mut bytes = binned();
        bytes[at..at + to.len()].copy_from_slice(to);
        bytes
    };
    let command = std::env::var_os("EYEMAP_BIN").expect("EYEMAP_BIN");
    let cases: [(&str, Vec<u8>, &str); 7] = [
        (
            "a text",
            b"plugin = true\n".to_vec(),
            "it is not an ELF file",
        ),
        ("nothing", Vec::new(), "it is empty"),
        (
            "the C library",
            std::fs::read(c_library()).expect("libc"),
            "it has no section .eyemap.manifest",
        ),
        (
            "a program",
            std::fs::read(command).expect("the command"),
            "it has no section .eyemap.manifest",
        ),
        (
            "another processor",
            patched(18, &[0xf3, 0]),
            "for another processor: expected x86-64, found ELF machine 243",
        ),
        ("32 bits", patched(4, &[1]), "not a 64-bit ELF file"),
        (
            "an executable with a manifest",
            patched(16, &[2]),
            "it is an ELF file, but no shared library",
        ),
    ];
    for (what, bytes, expected) in cases {
        let dirs = Dirs::new(1);
        let path = dirs.put(0, "it.so", &bytes);
        contains(
            &format!("{what}: {}", refusal(&dirs.finder(&[BINNED]), path)),
            &[expected],
        );
    }
}

/// The C library that this test runs with.
fn c_library() -> PathBuf {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("maps");
    let libc = maps
        .lines()
        .filter_map(|line| line.split_whitespace().nth(5));
    let path = libc
        .filter(|path| path.contains("/libc"))
        .find(|path| path.contains(".so"));
    PathBuf::from(path.expect("a C library"))
}

#[test]
fn two_files_with_one_id_in_a_directory_are_an_error_that_lists_both() {
    let dirs = Dirs::new(1);
    let first = dirs.put(0, "a.so", &binned());
    let second = dirs.put(0, "b.so", &binned());
    let finder = dirs.finder(&[BINNED]);
    let listed = finder.list();
    assert!(
        listed[0].trust.is_ok() && listed[1].trust.is_err(),
        "{listed:?}"
    );
    let text = refusal(&finder, BINNED);
    contains(
        &text,
        &[
            "two files have the plugin id",
            first.to_str().expect("UTF-8"),
            second.to_str().expect("UTF-8"),
        ],
    );
}

#[test]
fn an_earlier_directory_shadows_a_later_one_and_the_list_says_so() {
    let dirs = Dirs::new(2);
    let first = dirs.put(0, "libfirst.so", &binned());
    let second = dirs.put(1, "libsecond.so", &binned());
    let found = dirs.finder(&[BINNED]).list();
    assert_eq!(
        (found[0].path.clone(), found[0].shadowed_by.clone()),
        (first.clone(), None)
    );
    assert_eq!(
        (found[1].path.clone(), found[1].shadowed_by.clone()),
        (second, Some(first.clone()))
    );

    let path = std::env::join_paths(dirs.0.iter().map(TempDir::path)).expect("a search path");
    let mut list = eyemap();
    list.args(["plugin", "list"])
        .env("EYEMAP_PLUGIN_PATH", path);
    let text = String::from_utf8(list.output().expect("a list").stdout).expect("UTF-8");
    // The bundle's own lock trusts these bytes wherever they lie.
    contains(
        &text,
        &["ready", &format!("shadowed by {}", first.display())],
    );
}

#[test]
fn a_short_name_that_fits_two_ids_is_refused_though_their_directories_differ() {
    let other = binned_with(BINNED, "org.stolen.binned-color");
    let dirs = Dirs::new(2);
    dirs.put(0, "libbinned_color.so", &other);
    dirs.put(1, "libbinned_color.so", &binned());
    let finder = dirs.finder(&[BINNED]);
    contains(
        &refusal(&finder, "binned-color"),
        &["fits several ids: org.stolen.binned-color, org.eyemap.binned-color"],
    );
    assert_eq!(
        finder
            .load(BINNED)
            .expect("the whole id is clear")
            .manifest
            .id,
        BINNED
    );
}

#[test]
fn what_no_lock_lists_is_refused_with_the_table_that_trusts_it() {
    let dirs = Dirs::new(1);
    let path = dirs.put(0, "libbinned_color.so", &binned());
    let text = refusal(&dirs.finder(&[]), &path);
    contains(
        &text,
        &[
            "is not trusted",
            "[plugins.by_id.\"org.eyemap.binned-color\"]",
            "trust = true",
            &sha256_hex(&binned()),
        ],
    );
}

#[test]
fn what_changed_since_it_was_locked_is_refused_with_both_hashes() {
    let dirs = Dirs::new(1);
    let path = dirs.put(0, "libbinned_color.so", &binned());
    let locked = Locked {
        id: BINNED.into(),
        version: "0.1.0".into(),
        sha256: "0".repeat(64),
        ..Locked::default()
    };
    let mut finder = dirs.finder(&[]);
    finder.locks.push(Lock {
        path: "project.lock".into(),
        plugins: vec![locked],
        ..Lock::default()
    });
    let text = refusal(&finder, path);
    contains(
        &text,
        &[
            "has changed since it was locked",
            &"0".repeat(64),
            &sha256_hex(&binned()),
            "if the change is yours: `eyemap plugin pin",
        ],
    );
}

#[test]
fn a_plugin_that_aborts_on_panic_is_refused() {
    let dirs = Dirs::new(1);
    let path = dirs.put(
        0,
        "it.so",
        &binned_with("\"panic\":\"unwind\"", "\"panic\":\"abort\" "),
    );
    let text = refusal(&dirs.finder(&[BINNED]), path);
    contains(
        &text,
        &[
            "panic = \"abort\", which would end the host",
            "build it with `panic = \"unwind\"`",
        ],
    );
}

#[test]
fn extension_ids_that_could_not_be_printed_are_no_manifest() {
    let dirs = Dirs::new(1);
    let path = dirs.put(
        0,
        "it.so",
        &binned_with("eyemap.color/1", "eyemap\\ncolr/1"),
    );
    contains(
        &refusal(&dirs.finder(&[BINNED]), path),
        &["no usable plugin manifest", "its extensions are no ids"],
    );
}

/// Loads a fixture as a colour stage, which must be refused.
fn refused_as_color(name: &str) -> String {
    let path = example(name);
    let id = read_manifest(&path, &std::fs::read(&path).expect("a fixture"))
        .expect("a manifest")
        .id;
    let finder = Dirs::new(0).finder(&[&id]);
    let name = path.to_str().expect("UTF-8");
    let Ok(loaded) = finder.load(name) else {
        return refusal(&finder, name);
    };
    let error = loaded
        .extension::<eyemap_abi::ColorExtension>()
        .err()
        .expect("no colour stage");
    let text = format!("{error}\nhelp: {}", error.help());
    assert!(text.lines().count() <= 12, "{text}");
    text
}

#[test]
fn a_plugin_of_a_later_interface_asks_for_a_newer_host() {
    let text = refused_as_color("too_new");
    contains(
        &text,
        &[
            "is no eyemap.color/1",
            "exports: eyemap.color/2",
            "made for eyemap.color/2",
            "use a newer eyemap",
        ],
    );
}

#[test]
fn a_plugin_of_another_stage_says_what_it_exports() {
    let text = refused_as_color("orientation_arrows");
    contains(
        &text,
        &[
            "is no eyemap.color/1",
            "exports: eyemap.coordinate/1, eyemap.describe/1",
            "eyemap plugin list",
        ],
    );
}

#[test]
fn an_extension_of_another_layout_is_distilled_to_the_member_that_differs() {
    let text = refused_as_color("other_layout");
    contains(
        &text,
        &[
            "does not fit this host",
            "member:   eyemap.color/1 ColorExtension",
            "expected: ",
            "found:    ",
            "help: build the plugin again with eyemap-sdk",
        ],
    );
}

#[test]
fn a_manifest_that_differs_from_the_code_is_refused() {
    contains(
        &refused_as_color("other_manifest"),
        &["the manifest in its file and the one of its code differ"],
    );
}

#[test]
fn a_plugin_that_cannot_start_says_why() {
    contains(
        &refused_as_color("refuses_to_start"),
        &["could not start: the licence server is asleep"],
    );
}

/// A project with its own copy of `binned-color`, drawn by the command.
struct Project(TempDir);

impl Project {
    fn new(plugin: &[u8], config: &str) -> Self {
        let project = Self(tempfile::tempdir().expect("a directory"));
        let table =
            "cell_type,region,side,hex1,hex2,layer,synapses\nTm1,ME,R,1,1,0,5\nTm1,ME,R,1,2,0,7\n";
        project.write("table.csv", table.as_bytes());
        project.write("it.so", plugin);
        let stage = "[stages.color]\nplugin = \"./it.so\"\n";
        project.write("eyemap.toml", format!("{stage}{config}").as_bytes());
        project
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.0.path().join(name), bytes).expect("written");
    }

    fn lock(&self, sha256: String) {
        let plugins = vec![Locked {
            id: BINNED.into(),
            version: "0.1.0".into(),
            sha256,
            ..Locked::default()
        }];
        let path = self.0.path().join(LOCK_FILE);
        let lock = Lock {
            path,
            plugins,
            ..Lock::default()
        };
        lock.write().expect("a lock");
    }

    fn render(&self) -> Output {
        let mut command = eyemap();
        command.current_dir(&self.0).args([
            "render",
            "table.csv",
            "--config",
            "eyemap.toml",
            "-o",
            "out",
        ]);
        command
            .env("HOME", self.0.path())
            .env_remove("XDG_DATA_HOME");
        command.output().expect("the command")
    }
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn trust_in_the_configuration_loads_what_no_lock_lists() {
    // Another version has another hash, so that the bundle's lock does not know it.
    let other = binned_with("\"version\":\"0.1.0\"", "\"version\":\"0.1.9\"");
    let project = Project::new(&other, "");
    let refused = project.render();
    assert_eq!(refused.status.code(), Some(2), "{}", errors(&refused));
    contains(&errors(&refused), &["has changed since it was locked"]);
    let project = Project::new(
        &other,
        "[plugins.by_id.\"org.eyemap.binned-color\"]\ntrust = true\n",
    );
    let trusted = project.render();
    assert_eq!(trusted.status.code(), Some(0), "{}", errors(&trusted));
    assert!(project.0.path().join("out").is_dir());
}

/// Small and good enough to choose bits: Marsaglia, "Xorshift RNGs", 2003.
fn random(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state as usize
}

/// The bytes with one bit turned: in the header, the program headers, or anywhere.
fn flipped(bytes: &[u8], state: &mut u64) -> Vec<u8> {
    let range = [64, 64 + 56 * 10, bytes.len()][random(state) % 3];
    let mut bytes = bytes.to_vec();
    let (at, bit) = (random(state) % range, random(state) % 8);
    bytes[at] ^= 1 << bit;
    bytes
}

#[test]
fn a_turned_bit_is_seen_before_the_file_is_loaded() {
    let (bytes, dirs) = (binned(), Dirs::new(1));
    let mut finder = dirs.finder(&[]);
    let locked = Locked {
        id: BINNED.into(),
        version: "0.1.0".into(),
        sha256: sha256_hex(&bytes),
        ..Locked::default()
    };
    finder.locks.push(Lock {
        path: "project.lock".into(),
        plugins: vec![locked],
        ..Lock::default()
    });
    let mut state = 0x9e37_79b9_7f4a_7c15;
    let mut changed = 0;
    for _ in 0..60 {
        let path = dirs.put(0, "it.so", &flipped(&bytes, &mut state));
        let text = refusal(&finder, path);
        changed += usize::from(text.contains("has changed since it was locked"));
    }
    assert!(changed > 30, "only {changed} of 60 came as far as the lock");
}

#[test]
fn the_command_survives_turned_bits_and_says_what_to_do() {
    let bytes = binned();
    let mut state = 0x2545_f491_4f6c_dd1d;
    for _ in 0..24 {
        let project = Project::new(&flipped(&bytes, &mut state), "");
        project.lock(sha256_hex(&bytes));
        let output = project.render();
        let text = errors(&output);
        assert_eq!(output.status.code(), Some(2), "{text}");
        contains(&text, &["the color stage has no plugin", "help: "]);
        assert!(!project.0.path().join("out").exists(), "nothing is written");
    }
}

#[test]
fn the_command_survives_trusted_damage_in_what_is_checked() {
    // Trust says "whatever its hash"; what the structure check covers is refused all the same.
    let bytes = binned();
    let trust = "[plugins.by_id.\"org.eyemap.binned-color\"]\ntrust = true\n";
    let file = object::File::parse(&bytes[..]).expect("ELF");
    let longest = file
        .sections()
        .filter_map(|section| section.file_range())
        .map(|(start, len)| start + len);
    let sections_end = longest.max().expect("sections") as usize;
    for cut in [bytes.len() / 2, sections_end, bytes.len() - 1] {
        let output = Project::new(&bytes[..cut], trust).render();
        assert_eq!(
            output.status.code(),
            Some(2),
            "cut at {cut}: {}",
            errors(&output)
        );
    }
}
