//! Any bytes as a plugin's file: its manifest is read and its structure checked without running it,
//! and what is refused is refused with a reason that can be shown.

#![no_main]

use std::path::Path;

use eyemap_engine::plugins::{PluginError, check_file, read_manifest};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = Path::new("plugin.so");
    match read_manifest(path, bytes) {
        Ok(manifest) => assert!(manifest.id.contains('.') && manifest.id.is_ascii()),
        Err(error) => check_error(&error),
    }
    if let Err(error) = check_file(path, bytes) {
        check_error(&error);
    }
});

fn check_error(error: &PluginError) {
    let text = error.to_string();
    assert!(text.contains("plugin.so"), "{text}");
    assert!(
        !text.contains(|c: char| c.is_control() && c != '\n'),
        "{text:?}"
    );
}
