//! Checks that look at the bytes of a file and run none of them.

#[path = "file/elf.rs"]
mod elf_file;
mod manifest;
mod needs;
mod shape;

use std::{io::Read as _, path::Path, time::Duration};

use crate::{Ask, Check, Fault, Of, Outcome, Subject};
use elf_file::Library;

/// Libraries are a few megabytes; this keeps a mistake from filling the memory.
const MAX_FILE_BYTES: u64 = 256 << 20;

/// Looking at bytes takes milliseconds.
const DEADLINE: Duration = Duration::from_secs(10);

/// Reads the file once.
///
/// # Errors
/// When it cannot be read, or is nothing that can be a library.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    let fault = |what: String| Fault {
        what,
        details: Vec::new(),
        remedy: "name the library that `cargo build` made, such as target/release/libNAME.so"
            .into(),
    };
    let unreadable = |error: std::io::Error| fault(format!("it cannot be read: {error}"));
    // Looked at before it is opened: opening a pipe waits for its other end.
    let about = std::fs::metadata(path).map_err(unreadable)?;
    if !about.is_file() {
        return Err(fault(
            "it is no file: a directory, a pipe or a device".into(),
        ));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    match bytes.len() as u64 {
        0 => Err(fault("it is empty".into())),
        n if n > MAX_FILE_BYTES => Err(fault(format!(
            "it has more than {} MiB",
            MAX_FILE_BYTES >> 20
        ))),
        _ => Ok(bytes),
    }
}

/// A check of this kind.
const fn check(id: &'static str, holds: &'static str, ask: fn(&Subject) -> Outcome) -> Check {
    Check {
        id,
        holds,
        of: Of::Files,
        deadline: DEADLINE,
        ask: Ask::File(ask),
    }
}

/// The checks.
pub(crate) static CHECKS: &[Check] = &[
    check(
        "file-readable",
        "The file can be read and is no larger than a library",
        shape::readable,
    ),
    check(
        "elf-well-formed",
        "It is a 64-bit shared library whose tables can be read",
        shape::well_formed,
    ),
    check(
        "elf-segments-in-file",
        "Each segment lies in the file and fits into memory",
        shape::segments_in_file,
    ),
    check(
        "arch-matches",
        "It is for the processor of this machine",
        shape::arch,
    ),
    check(
        "glibc-floor",
        "It needs no newer C library than this machine has",
        needs::glibc_floor,
    ),
    check(
        "needed-libs-allowlist",
        "It loads no library but those of the system",
        needs::needed_libs,
    ),
    check(
        "exports-only-entry",
        "It exports the entry of a plugin and nothing else",
        needs::exports_only_entry,
    ),
    check(
        "no-platform-math",
        "It computes with the functions of the SDK and not with those of the machine",
        needs::no_platform_math,
    ),
    check(
        "no-extra-constructors",
        "Nothing of its own runs while it is loaded",
        needs::no_extra_constructors,
    ),
    check(
        "manifest-section-present",
        "Its manifest can be read without running it",
        manifest::present,
    ),
    check(
        "manifest-schema",
        "Its manifest has all keys, with values that mean something",
        manifest::schema,
    ),
    check(
        "panic-strategy-unwind",
        "A panic in it can be caught",
        needs::panic_unwinds,
    ),
    check(
        "ids-unique",
        "It exports no extension twice, and no file beside it has its id",
        manifest::ids_unique,
    ),
];

/// The file's tables; what is wrong with them is told by `elf-well-formed`.
fn library(subject: &Subject) -> Result<Library<'_>, Outcome> {
    Library::read(&subject.bytes).map_err(Outcome::skipped)
}

/// What it needs, for a message of one that cannot be loaded.
pub(crate) fn needed(subject: &Subject) -> Option<String> {
    let names = Library::read(&subject.bytes).and_then(|library| library.needed());
    Some(format!("it needs: {}", names.ok()?.join(", ")))
}
