//! Compares golden vectors, and says what differs question by question.

use std::collections::{BTreeMap, BTreeSet};

/// One answer that is another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoldenDifference {
    /// Stage and configuration, `color.default`; empty if the text does not tell.
    pub name: String,
    /// The section and the question, `whole columns, values 1 to 30: value 12.5 has data`.
    pub question: String,
    /// The answer that was approved; none for a question that was not asked.
    pub before: Option<String>,
    /// The answer now; none for a question that is not asked any more.
    pub after: Option<String>,
}

impl GoldenDifference {
    /// It in one line: `color.default: values 1 to 30: value 12.5 has data: #ff8800ff -> #ff8801ff`.
    pub fn line(&self) -> String {
        let gap = if self.name.is_empty() { "" } else { ": " };
        format!("{}{gap}{}", self.name, self.line_without_name())
    }

    pub(super) fn line_without_name(&self) -> String {
        let side =
            |answer: &Option<String>| answer.clone().unwrap_or_else(|| "(no such line)".into());
        format!(
            "{}: {} -> {}",
            self.question,
            side(&self.before),
            side(&self.after)
        )
    }
}

/// A line: its section, its question, and how many of the same name came before.
type Key<'a> = (&'a str, &'a str, usize);

/// What differs between two texts of [`vectors`](super::vectors), in the order of the newer one; then
/// what is gone. Empty exactly if both say the same, whatever their line ends.
///
/// Any text is taken: a file that was damaged differs in what was damaged.
pub fn compare_text(before: &str, after: &str) -> Vec<GoldenDifference> {
    let (old, new) = (read(before), read(after));
    let known: BTreeMap<Key<'_>, &str> = old.iter().copied().collect();
    let name = name(after).or_else(|| name(before)).unwrap_or_default();
    let difference =
        |(section, question, _): &Key<'_>, before: Option<&str>, after: Option<&str>| {
            let gap = if section.is_empty() { "" } else { ": " };
            GoldenDifference {
                name: name.to_owned(),
                question: format!("{section}{gap}{question}"),
                before: before.map(str::to_owned),
                after: after.map(str::to_owned),
            }
        };
    let mut found: Vec<GoldenDifference> = new
        .iter()
        .filter(|(key, answer)| known.get(key) != Some(answer))
        .map(|(key, answer)| difference(key, known.get(key).copied(), Some(answer)))
        .collect();
    let kept: BTreeSet<Key<'_>> = new.iter().map(|(key, _)| *key).collect();
    let gone = old.iter().filter(|(key, _)| !kept.contains(key));
    found.extend(gone.map(|(key, answer)| difference(key, Some(answer), None)));
    found
}

/// `color.default`, from the first line.
fn name(text: &str) -> Option<&str> {
    let (name, _) = text.lines().next()?.strip_prefix("# ")?.split_once(": ")?;
    Some(name)
}

/// Questions and answers, in order. A comment is a question without an answer.
fn read(text: &str) -> Vec<(Key<'_>, &str)> {
    let mut seen: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let (mut section, mut all) = ("", Vec::new());
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            section = name;
            continue;
        }
        let (question, answer) = line.split_once(": ").unwrap_or((line, ""));
        let times = seen.entry((section, question)).or_default();
        all.push(((section, question, *times), answer));
        *times += 1;
    }
    all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BEFORE: &str = "# color.default: what a answers\n\n[values 1 to 30]\nvalue 12.5 has data: #ff8800ff\nunknown: #d9d2e9ff\n";

    fn lines(before: &str, after: &str) -> Vec<String> {
        compare_text(before, after)
            .iter()
            .map(GoldenDifference::line)
            .collect()
    }

    #[test]
    fn a_difference_is_told_by_its_question() {
        let after = BEFORE.replace("ff8800", "ff8801");
        assert_eq!(
            lines(BEFORE, &after),
            ["color.default: values 1 to 30: value 12.5 has data: #ff8800ff -> #ff8801ff"]
        );
        let after = BEFORE.replace("unknown: #d9d2e9ff", "no data: #ffffffff");
        assert_eq!(
            lines(BEFORE, &after),
            [
                "color.default: values 1 to 30: no data: (no such line) -> #ffffffff",
                "color.default: values 1 to 30: unknown: #d9d2e9ff -> (no such line)"
            ]
        );
    }

    #[test]
    fn line_ends_do_not_matter_and_everything_else_does() {
        assert!(lines(BEFORE, &BEFORE.replace('\n', "\r\n")).is_empty());
        assert_eq!(lines(BEFORE, "").len(), 3);
        assert_eq!(lines("", BEFORE).len(), 3);
        assert_eq!(lines("a: 1\na: 2", "a: 1\na: 3"), ["a: 2 -> 3"]);
    }

    proptest! {
        #[test]
        fn a_changed_answer_is_found(
            answers in proptest::collection::vec("[a-z]{0,4}", 1..20),
            which in any::<proptest::sample::Index>(),
        ) {
            let text = |answers: &[String]| -> String {
                answers.iter().enumerate().map(|(i, a)| format!("q{i}: {a}\n")).collect()
            };
            let mut changed = answers.clone();
            let i = which.index(answers.len());
            changed[i].push('!');
            let found = compare_text(&text(&answers), &text(&changed));
            prop_assert_eq!(found.len(), 1);
            prop_assert_eq!(&found[0].question, &format!("q{i}"));
            prop_assert_eq!(found[0].after.as_ref(), Some(&changed[i]));
            prop_assert!(compare_text(&text(&answers), &text(&answers)).is_empty());
        }

        #[test]
        fn any_texts_are_taken(before in "(?s).{0,80}", after in "(?s).{0,80}") {
            compare_text(&before, &after);
        }
    }
}
