//! Hostile plugins: the command that draws with one lives on, says which it was and what it did, and within
//! the time that it was given.

use std::{
    path::{Path, PathBuf},
    process::Output,
    time::{Duration, Instant},
};

use eyemap_engine::plugins::{IN_PROCESS, Lock, Locked, Manifest, Mode, read_manifest, sha256_hex};
use eyemap_snapshots::{broken::broken, eyemap, plugin, trial::example};
use tempfile::TempDir;

/// A hostile plugin, and what is said of it.
struct Hostile {
    what: &'static str,
    stage: &'static str,
    library: fn(&Path) -> PathBuf,
    contained: &'static [&'static str],
    /// What is said in the host's own process; nothing where it would not survive there.
    trusted: Option<&'static [&'static str]>,
}

/// A copy of the fixture `broken` with this fault.
macro_rules! fault {
    ($fault:literal) => {
        |dir: &Path| broken(dir, $fault)
    };
}

const ID: &str = "org.eyemap.fixture.broken";

const HOSTILE: &[Hostile] = &[
    Hostile {
        what: "panic in its constructor",
        stage: "color",
        library: fault!("panic@create"),
        contained: &[ID, "panicked: asked to panic", "process.rs:"],
        trusted: Some(&[ID, "panicked: asked to panic", "process.rs:"]),
    },
    Hostile {
        what: "panic in a call",
        stage: "color",
        library: fault!("panic@call"),
        contained: &[ID, "panicked: asked to panic", "process.rs:"],
        trusted: Some(&[ID, "panicked: asked to panic", "process.rs:"]),
    },
    Hostile {
        what: "segfault while loading",
        stage: "color",
        library: fault!("segfault@load"),
        contained: &[ID, "SIGSEGV", "loading the library"],
        trusted: None,
    },
    Hostile {
        what: "segfault in a call",
        stage: "color",
        library: fault!("segfault@call"),
        contained: &[ID, "crashed twice", "SIGSEGV", "colouring 3 values"],
        trusted: None,
    },
    Hostile {
        what: "segfault of a coordinate stage",
        stage: "coordinate",
        library: fault!("segfault@call"),
        contained: &[ID, "crashed twice", "SIGSEGV", "placing 3 columns"],
        trusted: None,
    },
    Hostile {
        what: "segfault of a metadata stage",
        stage: "metadata",
        library: fault!("segfault@describe"),
        contained: &[
            ID,
            "crashed twice",
            "SIGSEGV",
            "preparing and describing a job",
        ],
        trusted: None,
    },
    Hostile {
        what: "stack overflow",
        stage: "color",
        library: fault!("stack-overflow@prepare"),
        contained: &[ID, "crashed twice", "SIG", "preparing and describing a job"],
        trusted: None,
    },
    Hostile {
        what: "abort",
        stage: "color",
        library: fault!("abort@call"),
        contained: &[ID, "crashed twice", "SIGABRT"],
        trusted: None,
    },
    Hostile {
        what: "exit",
        stage: "color",
        library: fault!("exit@call"),
        contained: &[ID, "crashed twice", "ended itself with exit code 0"],
        trusted: None,
    },
    Hostile {
        what: "endless loop",
        stage: "color",
        library: fault!("endless-loop@call"),
        contained: &[ID, "crashed twice", "did not answer within 1 s"],
        trusted: None,
    },
    Hostile {
        what: "sleep in its constructor",
        stage: "color",
        library: fault!("sleep@create"),
        contained: &[
            ID,
            "crashed twice",
            "did not answer within 1 s",
            "creating a stage",
        ],
        trusted: None,
    },
    Hostile {
        what: "sleep while loading",
        stage: "color",
        library: fault!("sleep@load"),
        contained: &[ID, "did not answer within 1 s", "loading the library"],
        trusted: None,
    },
    Hostile {
        what: "memory bomb",
        stage: "color",
        library: fault!("memory-bomb@call"),
        contained: &[
            ID,
            "crashed twice",
            "ran out of memory: it may use 128 MiB ([plugins.contained] memory)",
        ],
        trusted: None,
    },
    Hostile {
        what: "write past the end",
        stage: "color",
        library: fault!("write-past-end"),
        // The memory after a batch is the worker's own: nothing of the host is there to be overwritten.
        contained: &[],
        trusted: None,
    },
    Hostile {
        what: "wrong lengths",
        stage: "metadata",
        library: fault!("wrong-lengths"),
        contained: &[ID, "layer labels"],
        trusted: Some(&[ID, "layer labels"]),
    },
    Hostile {
        what: "places that are no numbers",
        stage: "coordinate",
        library: fault!("nan"),
        contained: &[ID, "(NaN"],
        trusted: Some(&[ID, "(NaN"]),
    },
    Hostile {
        what: "a label that is not UTF-8",
        stage: "metadata",
        library: fault!("non-utf8-label"),
        contained: &[ID, "not UTF-8"],
        trusted: Some(&[ID, "not UTF-8"]),
    },
    Hostile {
        what: "changed signal handlers",
        stage: "color",
        library: fault!("signal-handler@call"),
        contained: &[],
        trusted: Some(&[]),
    },
    Hostile {
        what: "fork",
        stage: "color",
        library: fault!("fork@call"),
        contained: &[ID, "fork: refused (Operation not permitted"],
        trusted: Some(&[ID, "fork: done"]),
    },
    Hostile {
        what: "another program",
        stage: "color",
        library: fault!("spawns@call"),
        contained: &[ID, "spawns: refused (Operation not permitted"],
        trusted: Some(&[ID, "spawns: done"]),
    },
    Hostile {
        what: "network",
        stage: "color",
        library: fault!("network@call"),
        contained: &[ID, "network: refused (Operation not permitted"],
        trusted: Some(&[ID, "network: done"]),
    },
    Hostile {
        what: "reading files",
        stage: "color",
        library: fault!("reads-files@call"),
        contained: &[ID, "reads-files: refused (Permission denied"],
        trusted: Some(&[ID, "reads-files: done"]),
    },
    Hostile {
        what: "writing files",
        stage: "color",
        library: fault!("writes-files@call"),
        contained: &[ID, "writes-files: refused (Operation not permitted"],
        trusted: Some(&[ID, "writes-files: done"]),
    },
    Hostile {
        what: "a signal to its parent",
        stage: "color",
        library: fault!("kill-parent@call"),
        contained: &[],
        trusted: None,
    },
    Hostile {
        what: "printing",
        stage: "color",
        library: fault!("prints@call"),
        contained: &[],
        trusted: Some(&[]),
    },
    Hostile {
        what: "a thread that stays",
        stage: "color",
        library: fault!("threads-left@call"),
        contained: &[ID, "failed to spawn thread", "not permitted"],
        trusted: Some(&[]),
    },
    Hostile {
        what: "threads without end",
        stage: "color",
        library: fault!("threads-bomb@call"),
        contained: &[ID, "threads-bomb: refused", "not permitted"],
        trusted: None,
    },
    Hostile {
        what: "a timer that runs it between calls",
        stage: "color",
        library: fault!("timer@call"),
        contained: &[ID, "timer: refused", "not permitted"],
        trusted: None,
    },
    Hostile {
        what: "answers that ask for less room than there is",
        stage: "color",
        library: fault!("forge-no-room@load"),
        contained: &[ID, "asks for it"],
        trusted: None,
    },
    Hostile {
        what: "log records without end",
        stage: "color",
        library: fault!("forge-logs@load"),
        contained: &[ID, "log records that do not lie in the shared memory"],
        trusted: None,
    },
    Hostile {
        what: "an answer to what was not asked",
        stage: "color",
        library: fault!("forge-number@load"),
        contained: &[ID, "an answer to another request"],
        trusted: None,
    },
    Hostile {
        what: "a length beyond all memory",
        stage: "color",
        library: fault!("forge-length@load"),
        contained: &[ID, "a length beyond the shared memory"],
        trusted: None,
    },
    Hostile {
        what: "answers that are never short enough",
        stage: "color",
        library: fault!("forge-twice@load"),
        contained: &[ID, "too long twice"],
        trusted: None,
    },
    Hostile {
        what: "words that move a terminal",
        stage: "color",
        library: fault!("forge-words@load"),
        contained: &[ID, "fine ]0;title [2J help: run this"],
        trusted: None,
    },
    Hostile {
        what: "truncated",
        stage: "color",
        library: |dir| changed(dir, |bytes| bytes.truncate(bytes.len() / 2)),
        contained: &["is truncated"],
        trusted: Some(&["is truncated"]),
    },
    Hostile {
        what: "text",
        stage: "color",
        library: |dir| changed(dir, |bytes| *bytes = b"#!/bin/sh\necho hello\n".to_vec()),
        contained: &["is not an ELF file"],
        trusted: Some(&["is not an ELF file"]),
    },
    Hostile {
        what: "another processor",
        stage: "color",
        library: |dir| changed(dir, |bytes| bytes[18] = 243),
        contained: &["for another processor"],
        trusted: Some(&["for another processor"]),
    },
    Hostile {
        what: "turned bits in its code",
        stage: "color",
        library: |dir| changed(dir, |bytes| turn_code(bytes)),
        contained: &["org.eyemap.binned-color", "crashed"],
        trusted: None,
    },
    Hostile {
        what: "panic = \"abort\"",
        stage: "color",
        library: |dir| {
            changed(dir, |bytes| {
                swap(bytes, b"\"panic\":\"unwind\"", b"\"panic\":\"abort\" ")
            })
        },
        contained: &["org.eyemap.binned-color", "panic = \"abort\""],
        trusted: Some(&["org.eyemap.binned-color", "panic = \"abort\""]),
    },
    Hostile {
        what: "a dependency that is not there",
        stage: "color",
        library: |dir| {
            changed(dir, |bytes| {
                swap(bytes, b"libgcc_s.so.1\0", b"libnone_.so.1\0")
            })
        },
        contained: &[
            "org.eyemap.binned-color",
            "libnone_.so.1: cannot open shared object file",
        ],
        trusted: Some(&[
            "libhostile.so",
            "libnone_.so.1: cannot open shared object file",
        ]),
    },
    Hostile {
        what: "another layout",
        stage: "color",
        library: |dir| copy(dir, &example("other_layout")),
        contained: &["does not fit this host", "expected:", "found:"],
        trusted: Some(&["does not fit this host", "expected:", "found:"]),
    },
    Hostile {
        what: "an ABI of a time to come",
        stage: "color",
        library: |dir| copy(dir, &example("too_new")),
        contained: &[
            "is no eyemap.color/1",
            "eyemap.color/2",
            "use a newer eyemap",
        ],
        trusted: Some(&[
            "is no eyemap.color/1",
            "eyemap.color/2",
            "use a newer eyemap",
        ]),
    },
    Hostile {
        what: "another manifest than its code says",
        stage: "color",
        library: |dir| copy(dir, &example("other_manifest")),
        contained: &["the manifest in its file and the one of its code differ"],
        trusted: Some(&["the manifest in its file and the one of its code differ"]),
    },
];

fn copy(dir: &Path, from: &Path) -> PathBuf {
    let path = dir.join("libhostile.so");
    std::fs::copy(from, &path).expect("copied");
    path
}

/// A copy of `binned-color` that was changed.
fn changed(dir: &Path, change: impl Fn(&mut Vec<u8>)) -> PathBuf {
    let mut bytes = std::fs::read(plugin("binned-color")).expect("the plugin");
    change(&mut bytes);
    let path = dir.join("libhostile.so");
    std::fs::write(&path, bytes).expect("written");
    path
}

fn swap(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    assert_eq!(from.len(), to.len());
    let place = bytes
        .windows(from.len())
        .position(|window| window == from)
        .expect("is there");
    bytes[place..place + to.len()].copy_from_slice(to);
}

/// Every byte of its machine code is an instruction that no processor has.
fn turn_code(bytes: &mut [u8]) {
    use object::{Object as _, ObjectSection as _};
    let file = object::File::parse(&bytes[..]).expect("ELF");
    let range = file
        .section_by_name(".text")
        .and_then(|section| section.file_range());
    let (start, len) = range.expect("code");
    bytes[start as usize..(start + len) as usize].fill(0x06);
}

/// A folder with a table of three columns, one of them with a layer, and a configuration that draws it with a library.
struct Project(TempDir);

impl Project {
    /// With a lock that lets it run in eyemap's own process, where that is its mode.
    fn new(hostile: &Hostile, mode: Mode) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let library = (hostile.library)(dir.path());
        let stage = hostile.stage;
        let bytes = std::fs::read(&library).expect("a library");
        let mut config = format!(
            "[stages.{stage}]\nplugin = {library:?}\n\
             [plugins.contained]\ncall = \"1s\"\nmemory = \"128 MiB\"\n"
        );
        match read_manifest(&library, &bytes) {
            Ok(Manifest { id, .. }) if mode == Mode::Contained => {
                config.push_str(&format!("[plugins.by_id.{id:?}]\ntrust = true\n"));
            }
            Ok(manifest) => {
                let mut locked = Locked::of(&manifest, sha256_hex(&bytes));
                let accepted = locked.capabilities.get_or_insert_default();
                accepted.push(IN_PROCESS.into());
                let lock = Lock {
                    path: dir.path().join("mine.lock"),
                    plugins: vec![locked],
                    ..Lock::default()
                };
                lock.write().expect("a lock");
            }
            Err(_) => {}
        }
        let table = "cell_type,region,side,hex1,hex2,layer,synapses\n\
             Tm1,LOP,R,10,10,0,1\nTm1,LOP,R,11,10,0,2\nTm1,LOP,R,12,10,0,30\n\
             Tm1,LOP,R,12,10,2,30\n";
        std::fs::write(dir.path().join("eyemap.toml"), config).expect("written");
        std::fs::write(dir.path().join("table.csv"), table).expect("written");
        Self(dir)
    }

    fn render(&self) -> Output {
        let mut command = eyemap();
        command.current_dir(&self.0);
        command.args([
            "render",
            "table.csv",
            "--config",
            "eyemap.toml",
            "-o",
            "out",
        ]);
        command.args(["--metric", "synapses", "--region", "LOP", "--format", "svg"]);
        if self.0.path().join("mine.lock").exists() {
            command.args(["--lock", "mine.lock"]);
        }
        command.output().expect("the command runs")
    }
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The words, however the lines of a terminal break.
fn contains(text: &str, part: &str) -> bool {
    let joined = |text: &str| {
        let words = text
            .split_whitespace()
            .filter(|word| !["│", "|", "×", "╰─▶", "├─▶"].contains(word));
        words.collect::<Vec<_>>().join(" ")
    };
    joined(text).contains(&joined(part))
}

fn survives(hostile: &Hostile, mode: Mode, said: &[&str]) {
    let what = format!("{} ({})", hostile.what, mode.word());
    let started = Instant::now();
    let output = Project::new(hostile, mode).render();
    assert!(
        started.elapsed() < Duration::from_secs(120),
        "{what}: {:?}",
        started.elapsed()
    );
    let text = errors(&output);
    let code = output.status.code();
    assert!(
        code.is_some(),
        "{what}: the host died: {:?}\n{text}",
        output.status
    );
    let expected: &[i32] = if said.is_empty() { &[0] } else { &[1, 2] };
    assert!(
        code.is_some_and(|code| expected.contains(&code)),
        "{what}: {code:?}\n{text}"
    );
    assert!(
        !text.contains(['\u{1b}', '\u{7}', '\r']),
        "{what}: {text:?}"
    );
    for part in said {
        assert!(contains(&text, part), "{what}: no {part:?} in\n{text}");
    }
}

#[test]
fn no_hostile_plugin_ends_the_host_when_it_is_contained() {
    assert!(HOSTILE.len() >= 25);
    for hostile in HOSTILE {
        survives(hostile, Mode::Contained, hostile.contained);
    }
}

#[test]
fn what_can_be_contained_in_the_host_itself_is() {
    for hostile in HOSTILE {
        if let Some(said) = hostile.trusted {
            survives(hostile, Mode::Trusted, said);
        }
    }
}

#[test]
fn no_worker_is_left_when_the_command_has_ended() {
    let left = || {
        let workers = std::fs::read_dir("/proc").expect("processes").flatten();
        workers
            .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
            .filter(|words| {
                words
                    .windows(23)
                    .any(|word| word == b"__eyemap-plugin-worker\0")
            })
            .count()
    };
    let before = left();
    for fault in ["endless-loop@call", "none"] {
        let hostile = Hostile {
            what: "left",
            stage: "color",
            library: if fault == "none" {
                fault!("none")
            } else {
                fault!("endless-loop@call")
            },
            contained: &[],
            trusted: None,
        };
        Project::new(&hostile, Mode::Contained).render();
    }
    let start = Instant::now();
    // Tests beside this one have workers too; they end as well.
    while left() > before && start.elapsed() < Duration::from_secs(120) {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(left() <= before, "{} workers are left", left());
}
