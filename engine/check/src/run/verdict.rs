//! What the end of a child says about the check.

use std::time::Duration;

use super::process::{End, Ended, MAX_ANSWER_BYTES, MAX_PRINTED_BYTES};
use eyemap_worker::{is_out_of_memory, signal_words};

use crate::{
    Outcome,
    child::{Answer, MAX_MEMORY_BYTES},
    text::plain,
};

/// So many of the last lines of standard error explain a crash.
const LAST_LINES: usize = 4;
/// Longer lines are cut.
const LONGEST: usize = 160;

/// What the child answered, or the failure that its end is.
pub(super) fn answer(ended: Ended, deadline: Duration) -> Result<Answer, Outcome> {
    let what = match ended.how {
        End::Exited(0) => match serde_json::from_slice(&ended.answer) {
            Ok(answer) => return Ok(answer),
            Err(_) if ended.answer.is_empty() => {
                "the plugin ended the process with exit code 0, before the check was over".into()
            }
            Err(error) => format!("the check's answer cannot be read: {error}"),
        },
        End::Exited(code) => format!("the plugin ended the process with exit code {code}"),
        End::Signal(signal) if no_memory(signal, &ended.stderr) => {
            let most = MAX_MEMORY_BYTES >> 30;
            format!("the process ran out of memory: a check may use {most} GiB")
        }
        End::Signal(signal) => format!("the process crashed: {}", signal_words(signal)),
        End::TooLong => format!("it did not end within {} s", deadline.as_secs_f64()),
        End::PrintedTooMuch => format!("it printed more than {} KiB", MAX_PRINTED_BYTES / 1024),
        End::AnsweredTooMuch => format!(
            "its answers have more than {} MiB together, which is more than a host can use",
            MAX_ANSWER_BYTES >> 20
        ),
    };
    let after = match ended.how {
        End::TooLong => String::new(),
        _ => format!(", after {:.1} ms", ended.took.as_secs_f64() * 1e3),
    };
    let remedy = match ended.how {
        End::Signal(signal) if no_memory(signal, &ended.stderr) => {
            "take no more than the columns of a batch need, whatever the configuration says"
        }
        how => remedy(how),
    };
    Err(Outcome::failed(format!("{what}{after}"), remedy).with(last_lines(&ended.stderr)))
}

fn no_memory(signal: i32, stderr: &[u8]) -> bool {
    is_out_of_memory(Some(signal), &String::from_utf8_lossy(stderr))
}

/// The outcome of a check that compares nothing.
pub(super) fn outcome(answer: Result<Answer, Outcome>) -> Outcome {
    match answer {
        Ok(Answer::Outcome(outcome)) | Err(outcome) => outcome,
        Ok(Answer::Text { .. }) => Outcome::failed("the check answered a text", "report it"),
    }
}

fn remedy(how: End) -> &'static str {
    match how {
        End::Exited(_) => "return an error; a plugin never ends the process of its host",
        End::Signal(_) => {
            "run it in a debugger: `gdb --args eyemap plugin check LIB.so --in-process --only ID`"
        }
        End::TooLong => {
            "look for an endless loop, a lock that is held twice, or work that grows too fast"
        }
        End::PrintedTooMuch => "log with `eyemap_sdk::tracing`; a plugin never prints",
        End::AnsweredTooMuch => "give shorter descriptions and tooltips",
    }
}

/// The end of what it wrote, made harmless.
fn last_lines(stderr: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
    last.iter()
        .map(|line| format!("stderr: {}", plain(line, LONGEST)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(how: End, answer: &str, stderr: &str) -> (String, Vec<String>) {
        let ended = Ended {
            how,
            answer: answer.into(),
            stdout: Vec::new(),
            stderr: stderr.into(),
            took: Duration::from_micros(1500),
        };
        match self::answer(ended, Duration::from_secs(2)) {
            Err(Outcome::Failed(fault)) => (fault.what, fault.details),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_end_is_told_in_words() {
        let what = |how| failure(how, "", "").0;
        assert_eq!(
            what(End::Signal(11)),
            "the process crashed: SIGSEGV, an invalid memory access, or a stack that is too deep, after 1.5 ms"
        );
        assert_eq!(what(End::TooLong), "it did not end within 2 s");
        assert!(what(End::Exited(0)).contains("exit code 0, before the check was over"));
        assert!(what(End::Exited(7)).contains("exit code 7"));
        assert!(what(End::PrintedTooMuch).contains("printed more than 64 KiB"));
        assert!(what(End::AnsweredTooMuch).contains("answers have more than 64 MiB"));
        let no_memory = failure(End::Signal(6), "", "memory allocation of 99 bytes failed\n").0;
        assert!(
            no_memory.contains("ran out of memory: a check may use 4 GiB"),
            "{no_memory}"
        );
        assert!(
            failure(End::Exited(0), "{", "")
                .0
                .contains("cannot be read")
        );
    }

    #[test]
    fn the_last_lines_are_shown_and_harmless() {
        let stderr = "1\n2\n3\n\n4\n\u{1b}[31mred\u{202e}\n";
        let details = failure(End::Exited(1), "", stderr).1;
        assert_eq!(details.len(), LAST_LINES);
        assert_eq!(details[3], "stderr: \\u{1b}[31mred\\u{202e}");
    }
}
