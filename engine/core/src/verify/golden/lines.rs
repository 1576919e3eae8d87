//! How questions and answers are written: `question: answer` lines below `[section]` lines.

use std::fmt::Write as _;

use eyemap_abi::ErrorKind;

use super::{super::ci::plain, FORM};
use crate::{draw::value_text, stage::StageError};

/// Texts of a plugin are written up to so many characters, then their length and hash.
const LONGEST: usize = 300;

/// A question that has no golden answer.
pub(super) enum Unanswered {
    /// A stage failed.
    Stage(StageError),
    /// A policy failed.
    Policy(String),
}

impl From<StageError> for Unanswered {
    fn from(error: StageError) -> Self {
        Self::Stage(error)
    }
}

/// The lines so far.
pub(super) struct Lines {
    text: String,
    section: String,
    /// Values that go to a stage in one call, at most.
    pub(super) batch: usize,
}

impl Lines {
    pub(super) fn new(name: &str, id: &str, batch: usize) -> Self {
        let id = plain(id, LONGEST);
        let text = format!(
            "# {name}: what {id} answers to fixed questions, form {FORM}.\n\
             # Written by `eyemap verify`; a line that changes is a change of behaviour.\n"
        );
        Self {
            text,
            section: "its configuration".into(),
            batch,
        }
    }

    /// Begins a section.
    pub(super) fn section(&mut self, name: &str) {
        self.section = name.to_owned();
        // Writing into a String cannot fail, here and below.
        let _ = write!(self.text, "\n[{name}]\n");
    }

    /// A question and its answer; a question is once in its section and has no `: `.
    pub(super) fn answer(&mut self, question: &str, answer: &str) {
        let _ = writeln!(self.text, "{question}: {answer}");
    }

    /// What a stage gave, or a line that says why it refused.
    ///
    /// # Errors
    /// Where the stage did not refuse but fail.
    pub(super) fn or_refused<T>(
        &mut self,
        answer: Result<T, StageError>,
    ) -> Result<Option<T>, Unanswered> {
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(error) => {
                let refusal = refusal(&error).ok_or(Unanswered::Stage(error))?;
                self.answer("refused", &refusal);
                Ok(None)
            }
        }
    }

    /// What is being asked.
    pub(super) fn question(&self) -> String {
        self.section.clone()
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    /// Ranges of at most a batch, `0..7`, `7..9`; one empty range for nothing, as the host asks too.
    pub(super) fn batches(&self, n: usize) -> impl Iterator<Item = std::ops::Range<usize>> + use<> {
        let batch = self.batch;
        let starts = (0..n.max(1)).step_by(batch.min(n.max(1)));
        starts.map(move |start| start..n.min(start.saturating_add(batch)))
    }
}

/// A refusal in the plugin's words; none for a fault.
fn refusal(error: &StageError) -> Option<String> {
    let StageError::Plugin { error, .. } = error else {
        return None;
    };
    let at = match error.at.as_str() {
        "" => String::new(),
        at => format!(" at {}", quoted(at)),
    };
    let what = match error.kind {
        ErrorKind::Config => "configuration",
        ErrorKind::Input => "input",
        ErrorKind::Panic | ErrorKind::Internal => return None,
    };
    Some(format!("{what}{at}, {}", quoted(&error.message)))
}

/// Text in quotes on one line, in which nothing is hidden. What is long is cut, and told by its length
/// and its hash.
pub(super) fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    if text.chars().count() <= LONGEST {
        // Escapes at most double the characters.
        return format!("\"{}\"", plain(&escaped, 2 * LONGEST));
    }
    let hash = &blake3::hash(text.as_bytes()).to_hex()[..16];
    format!(
        "\"{}\" {} bytes, BLAKE3 {hash}",
        plain(&escaped, LONGEST),
        text.len()
    )
}

/// The word that a value without fields has in the JSON of the contract: `flat_top`.
pub(super) fn word(value: &impl serde::Serialize) -> String {
    let word = serde_json::to_value(value).unwrap_or_default();
    word.as_str().unwrap_or_default().to_owned()
}

/// A number, exactly: as ECMAScript writes it where that reads back as the same bits.
pub(super) fn number(value: f64) -> String {
    if value.is_finite() && (value != 0.0 || value.is_sign_positive()) {
        value_text(value)
    } else if value == 0.0 {
        "-0".into()
    } else {
        format!("{value} (bits {:016x})", value.to_bits())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_keep_their_bits() {
        let texts = [0.0, -0.0, 12.5, 1e300, 5e-324].map(number);
        assert_eq!(texts, ["0", "-0", "12.5", "1e+300", "5e-324"]);
        assert_eq!(number(f64::NEG_INFINITY), "-inf (bits fff0000000000000)");
    }

    #[test]
    fn batches_cover_everything_once() {
        let starts = |batch, n| {
            let batches = Lines::new("a.b", "c", batch).batches(n);
            batches
                .map(|range| (range.start, range.end))
                .collect::<Vec<_>>()
        };
        assert_eq!(starts(7, 9), [(0, 7), (7, 9)]);
        assert_eq!(starts(usize::MAX, 9), [(0, 9)]);
        assert_eq!(starts(1, 9).len(), 9);
        assert_eq!(starts(7, 0), [(0, 0)]);
    }

    #[test]
    fn a_long_text_differs_also_where_it_is_cut() {
        let (a, b) = ("x".repeat(1000) + "a", "x".repeat(1000) + "b");
        assert_ne!(quoted(&a), quoted(&b));
        assert!(quoted(&a).contains("1001 bytes"));
    }

    proptest! {
        #[test]
        fn finite_numbers_are_read_back(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            prop_assert_eq!(number(value).parse::<f64>().unwrap().to_bits(), bits);
        }

        #[test]
        fn any_text_stays_on_its_line(text in "(?s).{0,400}") {
            let quoted = quoted(&text);
            prop_assert!(!quoted.contains(char::is_control));
            prop_assert!(quoted.starts_with('"'));
        }
    }
}
