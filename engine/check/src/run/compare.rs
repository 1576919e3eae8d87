//! Whether several processes answered the same.

use crate::{Outcome, child::Answer, run::verdict, text::plain};

/// Longer lines are cut.
const LONGEST: usize = 160;

/// Compares the first answer with those of others, who are named; the next is asked only if all before it answered
/// the same.
pub(super) fn outcome(
    first: Result<Answer, Outcome>,
    others: impl Iterator<Item = (String, Result<Answer, Outcome>)>,
) -> Outcome {
    let first = match first {
        Ok(Answer::Text { answers, .. }) => answers,
        other => return verdict::outcome(other),
    };
    let mut processes = 1;
    for (whose, other) in others {
        processes += 1;
        if let Some(outcome) = differs(&first, other, &whose) {
            return outcome;
        }
    }
    let answers = first.lines().count();
    Outcome::noted(format!(
        "{answers} answers, the same in {processes} processes"
    ))
}

/// The first line that differs, or that there is no answer.
fn differs(first: &str, other: Result<Answer, Outcome>, whose: &str) -> Option<Outcome> {
    let (other, asked) = match other {
        Ok(Answer::Text { answers, asked }) => (answers, asked),
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
    let mut lines = vec![
        format!("process 1: {}", plain(a, LONGEST)),
        format!("{whose}: {}", plain(b, LONGEST)),
    ];
    if !asked.is_empty() {
        let asked = format!("it asked for {}", asked.join(", "));
        lines.push(plain(&asked, LONGEST));
    }
    let what = format!("{whose} answered otherwise than process 1, first in line {line}");
    let remedy = "look for the order of a HashMap, for addresses, time, randomness, the environment, the machine, \
                  threads or uninitialised memory";
    Some(Outcome::failed(what, remedy).with(lines))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Result<Answer, Outcome> {
        Ok(Answer::Text {
            answers: text.into(),
            asked: Vec::new(),
        })
    }

    fn texts(texts: &[&str]) -> Outcome {
        let others = texts.iter().enumerate().skip(1);
        let others = others.map(|(n, other)| (format!("process {}", n + 1), text(other)));
        outcome(text(texts[0]), others)
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
    fn who_answered_otherwise_is_named_with_what_it_asked_for() {
        let of = |other| outcome(text("a\nb"), [("elsewhere".to_owned(), other)].into_iter());
        let other = Ok(Answer::Text {
            answers: "a\nc".into(),
            asked: vec!["the time of day".into()],
        });
        let Outcome::Failed(fault) = of(other) else {
            panic!("it passed");
        };
        let expected = [
            "process 1: b",
            "elsewhere: c",
            "it asked for the time of day",
        ];
        assert_eq!(fault.details, expected);
        assert!(matches!(of(text("a\nb")), Outcome::Passed { .. }));
        assert_eq!(of(Err(Outcome::skipped("x"))), Outcome::skipped("x"));
    }
}
