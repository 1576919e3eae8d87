//! Whether several processes answered the same.

use crate::{Outcome, child::Answer, run::verdict, text::plain};

/// Longer lines are cut.
const LONGEST: usize = 160;

/// Compares the first answer with those of more processes and, if there is one, of a contained plugin.
pub(super) fn outcome(
    first: Result<Answer, Outcome>,
    more: impl Iterator<Item = Result<Answer, Outcome>>,
    contained: Option<impl FnOnce() -> Result<String, Outcome>>,
) -> Outcome {
    let first = match first {
        Ok(Answer::Text(text)) => text,
        other => return verdict::outcome(other),
    };
    let mut processes = 1;
    for other in more {
        processes += 1;
        let other = match other {
            Ok(Answer::Text(text)) => text,
            other => return verdict::outcome(other),
        };
        if let Some(outcome) = differs(&first, &other, &format!("process {processes}")) {
            return outcome;
        }
    }
    if let Some(contained) = contained {
        return match contained() {
            Ok(other) => differs(&first, &other, "the contained plugin")
                .unwrap_or_else(|| same(&first, processes)),
            Err(outcome) => outcome,
        };
    }
    same(&first, processes)
}

fn same(text: &str, processes: u32) -> Outcome {
    Outcome::noted(match (text.lines().count(), processes) {
        (n, 1) => format!("{n} answers"),
        (n, processes) => format!("{n} answers, the same in {processes} processes"),
    })
}

/// The first line that differs.
fn differs(first: &str, other: &str, whose: &str) -> Option<Outcome> {
    if first == other {
        return None;
    }
    let (mut a, mut b) = (first.lines(), other.lines());
    let mut line = 0;
    let (a, b) = loop {
        line += 1;
        match (a.next(), b.next()) {
            // Only the ends of lines differ.
            (None, None) => break ("", ""),
            (a, b) if a == b => {}
            (a, b) => break (a.unwrap_or("(nothing)"), b.unwrap_or("(nothing)")),
        }
    };
    let lines = [
        format!("process 1: {}", plain(a, LONGEST)),
        format!("{whose}: {}", plain(b, LONGEST)),
    ];
    let what = format!("{whose} answered otherwise than process 1, first in line {line}");
    let remedy = "look for the order of a HashMap, for addresses, time, randomness, threads or uninitialised memory";
    Some(Outcome::failed(what, remedy).with(lines))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Outcome {
        let mut answers = texts.iter().map(|text| Ok(Answer::Text((*text).into())));
        let first = answers.next().expect("a text");
        outcome(first, answers, None::<fn() -> Result<String, Outcome>>)
    }

    #[test]
    fn the_first_line_that_differs_is_shown() {
        assert!(matches!(texts(&["a\nb", "a\nb"]), Outcome::Passed { .. }));
        let Outcome::Failed(fault) = texts(&["a\nb\nc", "a\nb\nc", "a\nx\ny"]) else {
            panic!("it passed");
        };
        assert!(
            fault.what.starts_with("process 3 answered otherwise"),
            "{}",
            fault.what
        );
        assert!(fault.what.ends_with("line 2"), "{}", fault.what);
        assert_eq!(fault.details, ["process 1: b", "process 3: x"]);
        assert!(matches!(texts(&["a", "a\nb"]), Outcome::Failed(_)));
        assert!(matches!(texts(&["a", "a\n"]), Outcome::Failed(_)));
    }
}
