//! Checks that look at the bytes of a file and run none of them.

use std::{io::Read as _, path::Path, time::Duration};

use crate::{Ask, Check, Fault, Of, Outcome, Subject};

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

/// The checks.
pub(crate) static CHECKS: &[Check] = &[Check {
    id: "file-readable",
    holds: "The file can be read and is no larger than a library",
    of: Of::Files,
    deadline: DEADLINE,
    ask: Ask::File(readable),
}];

/// It was read before anything was asked.
fn readable(subject: &Subject) -> Outcome {
    match read(&subject.named) {
        Err(fault) => Outcome::Failed(fault),
        Ok(_) => Outcome::noted(format!("{} bytes", subject.bytes.len())),
    }
}
