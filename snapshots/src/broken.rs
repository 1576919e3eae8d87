//! Copies of the fixture `broken`, each with a fault of its own.

use std::path::{Path, PathBuf};

use crate::trial::example;

/// What stands before the name of the fault in the library.
const MARKER: &[u8] = b"eyemap-fault:";
/// Bytes for both.
const PLACE: usize = 64;

/// A copy in `dir` that has this fault, `segfault@create`; `none` has none. The head of
/// `snapshots/fixtures/examples/broken/main.rs` says which there are.
///
/// # Panics
/// When the fixture was not built, has not one marker, or the copy cannot be written.
pub fn broken(dir: &Path, fault: &str) -> PathBuf {
    promising(dir, fault, "", "")
}

/// As [`broken`], with other promises in its manifest: `from` becomes `to`, of the same length.
///
/// # Panics
/// When the manifest does not have `from`, and as [`broken`].
pub fn promising(dir: &Path, fault: &str, from: &str, to: &str) -> PathBuf {
    let mut bytes = std::fs::read(example("broken")).unwrap_or_else(|error| panic!("{error}"));
    let places: Vec<usize> = bytes
        .windows(MARKER.len())
        .enumerate()
        .filter(|(_, window)| *window == MARKER)
        .map(|(place, _)| place)
        .collect();
    let [place] = places[..] else {
        panic!("{} markers in the fixture", places.len());
    };
    assert!(MARKER.len() + fault.len() < PLACE, "{fault:?} is too long");
    let name = &mut bytes[place + MARKER.len()..place + PLACE];
    name.fill(0);
    name[..fault.len()].copy_from_slice(fault.as_bytes());
    replace(&mut bytes, from.as_bytes(), to.as_bytes());
    let path = dir.join(format!("lib{}.so", fault.replace(['@', '-'], "_")));
    std::fs::write(&path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    path
}

/// Replaces bytes wherever they are: the manifest may be there twice.
fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    assert_eq!(from.len(), to.len(), "another length");
    if from.is_empty() {
        return;
    }
    let starts = |place: &usize| bytes[*place..].starts_with(from);
    let places: Vec<usize> = (0..bytes.len()).filter(starts).collect();
    assert!(!places.is_empty(), "it is not in the fixture");
    for place in places {
        bytes[place..place + to.len()].copy_from_slice(to);
    }
}
