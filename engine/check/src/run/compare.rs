//! Whether several processes answered the same.

use crate::{Outcome, child::Answer, run::verdict, text::plain};

/// Longer lines are cut.
const LONGEST: usize = 160;

/// Compares the first answer with those of more processes and then, if there is one, with that of a
/// contained plugin.
pub(super) fn outcome(
    first: Result<Answer, Outcome>,
    more: impl Iterator<Item = Result<Answer, Outcome>>,
    contained: Option<impl FnOnce() -> Result<Answer, Outcome>>,
) -> Outcome {
    let first = match first {
        Ok(Answer::Text(text)) => text,
        other => return verdict::outcome(other),
    };
    let mut processes = 1;
    for other in more {
        processes += 1;
        if let Some(outcome) = differs(&first, other, &format!("process {processes}")) {
            return outcome;
        }
    }
    let contained = contained.and_then(|ask| differs(&first, ask(), "the contained plugin"));
    contained.unwrap_or_else(|| same(&first, processes))
}

fn same(text: &str, processes: u32) -> Outcome {
    Outcome::noted(match (text.lines().count(), processes) {
        (n, 1) => format!("{n} answers"),
        (n, processes) => format!("{n} answers, the same in {processes} processes"),
    })
}

/// The first line that differs, or that there is no answer.
fn differs(first: &str, other: Result<Answer, Outcome>, whose: &str) -> Option<Outcome> {
    let other = match other {
        Ok(Answer::Text(text)) => text,
        other => return Some(verdict::outcome(other)),
    };
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
        let contained = texts.last().map(|text| || Ok(Answer::Text((*text).into())));
        outcome(first, answers, contained)
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

    #[test]
    fn a_contained_plugin_must_answer_the_same() {
        let of = |contained: Result<Answer, Outcome>| {
            let first = Ok(Answer::Text("a\nb".into()));
            outcome(first, std::iter::empty(), Some(|| contained))
        };
        let Outcome::Failed(fault) = of(Ok(Answer::Text("a\nc".into()))) else {
            panic!("it passed");
        };
        assert_eq!(fault.details[1], "the contained plugin: c");
        assert!(matches!(
            of(Ok(Answer::Text("a\nb".into()))),
            Outcome::Passed { .. }
        ));
        assert_eq!(of(Err(Outcome::skipped("x"))), Outcome::skipped("x"));
    }
}
