//! Any bytes as an approved picture or a line of the manifest: they are read or refused, a picture that
//! is read equals itself, and a line is written as it was read.

#![no_main]

use eyemap_engine::{draw::Format, verify::test_reading};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for format in Format::ALL {
        test_reading::is_picture(format, bytes);
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Some(line) = test_reading::line(text)
    {
        assert_eq!(line, text);
    }
});
