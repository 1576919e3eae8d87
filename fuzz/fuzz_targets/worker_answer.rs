//! Any message and any shared memory as the answer of a worker: nothing is read that does not lie there,
//! nothing grows beyond what was sent, and every word is one line that moves no terminal.

#![no_main]

use eyemap_worker::testing::take_answer;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // The first byte says how long the message is; the shared memory follows.
    let Some((&length, rest)) = bytes.split_first() else {
        return;
    };
    let (message, shared) = rest.split_at(rest.len().min(length.into()));
    for words in take_answer(message, shared, 8) {
        let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        assert!(!words.contains(|c: char| c.is_control() || turns(c)), "{words:?}");
        assert!(words.chars().count() <= 1000, "{}", words.len());
    }
});
