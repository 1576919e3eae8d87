//! Any bytes as a lock: what is read is read again from what would be written, and what is refused is refused
//! with a reason that can be shown.

#![no_main]

use std::path::Path;

use eyemap_engine::plugins::Lock;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = Path::new("eyemap-plugins.lock");
    match Lock::parse(path, bytes) {
        Ok(lock) => {
            let text = lock.text().expect("what was read can be written");
            let again = Lock::parse(path, text.as_bytes()).expect("what was written can be read");
            assert_eq!(again.text().expect("a text"), text);
            assert_eq!(again.plugins.len(), lock.plugins.len());
            for locked in &lock.plugins {
                assert!(again.plugins.contains(locked), "{locked:?} is not in {text}");
            }
        }
        Err(error) => {
            let text = error.to_string();
            assert!(text.contains("eyemap-plugins.lock"), "{text}");
            let control = |c: char| c.is_control() && c != '\n';
            assert!(!text.contains(control), "{text:?}");
            assert!(text.lines().count() <= 12, "{text}");
        }
    }
});
