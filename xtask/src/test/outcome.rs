//! What tests counted, and what they could not run.

use std::collections::BTreeMap;

use crate::Done;

/// What the test programs counted, added up.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    passed: u64,
    failed: u64,
    ignored: u64,
    /// Tests that ended at once for want of something: their names by what is missing.
    skipped: BTreeMap<String, Vec<String>>,
    /// Programs that failed, with the command that runs one again.
    again: Vec<String>,
}

impl Outcome {
    /// Reads `test result: ok. 5 passed; 0 failed; 1 ignored; ...`; whether the line is one.
    pub(super) fn read(&mut self, line: &str) -> bool {
        let Some(result) = line.strip_prefix("test result:") else {
            return false;
        };
        let words: Vec<&str> = result
            .split([' ', ';'])
            .filter(|word| !word.is_empty())
            .collect();
        for pair in words.windows(2) {
            let Ok(number) = pair[0].parse::<u64>() else {
                continue;
            };
            match pair[1] {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
        true
    }

    /// Adds the lines of tests that could not run, each `test TAB what is missing`.
    pub(super) fn read_skipped(&mut self, text: &str) {
        for line in text.lines() {
            let (test, missing) = line.split_once('\t').unwrap_or((line, "something"));
            let tests = self.skipped.entry(missing.to_owned()).or_default();
            tests.push(test.to_owned());
        }
    }

    /// Notes a program that failed.
    pub(super) fn failed(&mut self, again: String) {
        self.again.push(again);
    }

    /// Adds what others counted.
    pub(super) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
        for (missing, tests) in other.skipped {
            self.skipped.entry(missing).or_default().extend(tests);
        }
        self.again.extend(other.again);
    }

    /// Tests that passed, in words for one program.
    pub(super) fn words(&self) -> String {
        format!("{} passed, {} failed", self.passed, self.failed)
    }

    /// Prints what was skipped, what failed and the counts, and fails with a test that did.
    pub(super) fn close(mut self) -> Done {
        // A test that ended for want of something says to its program that it passed.
        let skipped: u64 = self.skipped.values().map(|tests| tests.len() as u64).sum();
        self.passed = self.passed.saturating_sub(skipped);
        for (missing, tests) in &mut self.skipped {
            tests.sort();
            println!("\nskipped, because {missing}:");
            tests.iter().for_each(|test| println!("  {test}"));
        }
        if !self.again.is_empty() {
            println!("\nfailed; each can be run again by itself:");
            self.again.iter().for_each(|again| println!("  {again}"));
        }
        let skipped = skipped + self.ignored;
        println!(
            "\n{} passed, {} failed, {skipped} skipped",
            self.passed, self.failed
        );
        if self.again.is_empty() {
            return Ok(());
        }
        Err("tests failed".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_could_not_run_is_counted_as_skipped_and_not_as_passed() {
        let mut outcome = Outcome::default();
        assert!(outcome.read("test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured"));
        assert!(!outcome.read("test a::b ... ok"));
        outcome.read_skipped("a::b\tthere is no chromium\nc\tthere is no chromium\n");
        assert_eq!(outcome.skipped["there is no chromium"], ["a::b", "c"]);
        let mut all = Outcome::default();
        all.add(outcome);
        assert_eq!((all.passed, all.ignored), (5, 1));
        assert!(all.close().is_ok());
    }

    #[test]
    fn a_program_that_failed_fails_the_run_whatever_was_counted() {
        let mut outcome = Outcome::default();
        outcome.failed("cargo test -p eyemap-engine --lib".into());
        assert!(outcome.close().is_err());
    }
}
