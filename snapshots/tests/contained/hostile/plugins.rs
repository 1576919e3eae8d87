//! Hostile plugins, one a row.

use std::path::{Path, PathBuf};

use eyemap_snapshots::{broken::broken, plugin, trial::example};

/// A hostile plugin, and what is said of it.
pub(super) struct Hostile {
    pub(super) what: &'static str,
    pub(super) stage: &'static str,
    pub(super) library: fn(&Path) -> PathBuf,
    pub(super) contained: &'static [&'static str],
    /// What is said in the host's own process; nothing where it would not survive there.
    pub(super) trusted: Option<&'static [&'static str]>,
}

/// A copy of the fixture `broken` with this fault.
macro_rules! fault {
    ($fault:literal) => {
        |dir: &Path| broken(dir, $fault)
    };
}

pub(super) const ID: &str = "org.eyemap.fixture.broken";

pub(super) const HOSTILE: &[Hostile] = &[
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
