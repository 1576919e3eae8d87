//! Any two names, one a line: files are plain and short, and differ in more than case.

#![no_main]

use eyemap_engine::name::file_stem;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (a, b) = text.split_once('\n').unwrap_or((text, ""));
    for name in [a, b] {
        let stem = file_stem(name);
        assert!(stem.len() <= 120, "{stem}");
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_'(),+%~".contains(&b);
        assert!(stem.bytes().all(plain), "{stem}");
    }
    if a != b {
        assert_ne!(
            file_stem(a).to_lowercase(),
            file_stem(b).to_lowercase(),
            "{a:?} and {b:?}"
        );
    }
});
