//! What a document prints as code.

use std::fs;

/// A block of code.
#[derive(Debug, Clone)]
pub(crate) struct Fence {
    /// `sh`, `toml`, ...
    pub(crate) language: String,
    /// Its line in the document.
    pub(crate) line: usize,
    /// What is in it.
    pub(crate) text: String,
}

impl Fence {
    /// Its first line, by which it is known.
    pub(crate) fn first_line(&self) -> &str {
        self.text.lines().next().unwrap_or_default()
    }
}

/// The text of a file of the project.
pub(crate) fn text(path: &str) -> String {
    let path = eyemap_snapshots::project(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All blocks of a document. One in a list is moved in, and is moved back here.
pub(crate) fn fences(text: &str) -> Vec<Fence> {
    let mut fences = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some((indent, language)) = line.split_once("```") else {
            continue;
        };
        if !indent.trim().is_empty() {
            continue;
        }
        let inner = lines.by_ref().map(|(_, line)| line);
        let inner: Vec<_> = inner
            .take_while(|line| line.trim() != "```")
            .map(|line| line.strip_prefix(indent).unwrap_or(line))
            .collect();
        fences.push(Fence {
            language: language.to_owned(),
            line: number + 1,
            text: inner.join("\n"),
        });
    }
    fences
}

/// Code within sentences that begins with a word.
pub(crate) fn spans<'a>(text: &'a str, start: &str) -> Vec<&'a str> {
    let outside = text.split("```").step_by(2);
    let spans = outside.flat_map(|text| text.split('`').skip(1).step_by(2));
    spans.filter(|span| span.starts_with(start)).collect()
}

#[test]
fn blocks_and_spans_are_found() {
    let text = "a `eyemap x` b\n\n```sh\neyemap one \\\n    two\n```\n1. c\n\n   ```toml\n   [a]\n     b = 1\n   ```\n";
    let found = fences(text);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(
        (found[0].line, found[0].text.as_str()),
        (3, "eyemap one \\\n    two")
    );
    assert_eq!(
        (found[1].language.as_str(), found[1].text.as_str()),
        ("toml", "[a]\n  b = 1")
    );
    assert_eq!(spans(text, "eyemap "), ["eyemap x"]);
}
