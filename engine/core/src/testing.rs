//! For tests that need something which a machine may not have.
//!
//! The test runner knows passed and failed. A test that cannot run notes that in the file that
//! `EYEMAP_SKIPPED` names, and `cargo xtask test` counts it as skipped and names it at the end; with
//! `EYEMAP_STRICT` it fails.

use std::{fs::File, io::Write as _};

/// Notes that the calling test cannot run, because of what is said: "there is no `chromium`". It has to
/// return then.
///
/// # Panics
/// In a strict run, and when the note cannot be written.
#[track_caller]
pub fn skipped(because: &str) {
    assert!(
        std::env::var_os("EYEMAP_STRICT").is_none(),
        "a strict run leaves nothing out: {because}"
    );
    let thread = std::thread::current();
    let place = std::panic::Location::caller();
    let test = thread.name().filter(|name| *name != "main");
    let line = match test {
        Some(test) => format!("{test} ({})\t{because}\n", place.file()),
        None => format!("{place}\t{because}\n"),
    };
    let Some(path) = std::env::var_os("EYEMAP_SKIPPED") else {
        // Without the runner of the project nobody counts it; it is at least seen.
        std::io::stderr()
            .write_all(line.as_bytes())
            .unwrap_or_default();
        return;
    };
    // One write to the end of the file: tests of several programs note at once.
    let noted = File::options()
        .append(true)
        .create(true)
        .open(&path)
        .and_then(|mut file| file.write_all(line.as_bytes()));
    noted.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// Whether a program is on the `PATH`; notes that the calling test is skipped if it is not.
#[track_caller]
pub fn has(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&paths).any(|dir| dir.join(program).is_file());
    if !found {
        skipped(&format!("there is no `{program}` on the PATH"));
    }
    found
}
