//! Words of others in messages: bounded, in one line, and harmless to a terminal and to a shell.

use std::path::Path;

/// Longest id, name or hash in a message, in letters.
const SHORT: usize = 200;
/// Longest reason or path.
const LONG: usize = 1000;
/// Most members of a list.
const MANY: usize = 8;

/// Words of others in one line, and no longer than that. What a terminal or a reader could take for something
/// else is written as its code.
fn line(text: &str, longest: usize) -> String {
    let mut line = String::new();
    for c in text.chars().take(longest) {
        match is_hidden(c) {
            // The line breaks of a reason only part its words.
            true if c.is_whitespace() => line.push(' '),
            true => line.extend(c.escape_default()),
            false => line.push(c),
        }
    }
    if text.chars().nth(longest).is_some() {
        line.push('…');
    }
    line
}

/// Control letters, and those that turn or hide the text around them.
pub(super) fn is_hidden(c: char) -> bool {
    let marks = [
        '\u{200b}'..='\u{200f}',
        '\u{2028}'..='\u{202e}',
        '\u{2060}'..='\u{2069}',
    ];
    c.is_control()
        || c == '\u{feff}'
        || c == '\u{61c}'
        || marks.iter().any(|mark| mark.contains(&c))
}

pub(super) fn short(text: &str) -> String {
    line(text, SHORT)
}

pub(super) fn told(text: &str) -> String {
    line(text, LONG)
}

/// A path: a line break in it belongs to its name, and is shown as one.
pub(super) fn place(path: &Path) -> String {
    let text = path.display().to_string();
    line(
        &text
            .replace('\n', "\\n")
            .replace('\t', "\\t")
            .replace('\r', "\\r"),
        LONG,
    )
}

/// The first of many, parted by commas.
pub(super) fn few<T: AsRef<str>>(all: &[T]) -> String {
    let mut first: Vec<_> = all
        .iter()
        .take(MANY)
        .map(|one| short(one.as_ref()))
        .collect();
    if all.len() > MANY {
        first.push(format!("{} more", all.len() - MANY));
    }
    first.join(", ")
}

/// A path as it is typed into a shell. Whoever chose its name must not choose a command.
pub(super) fn command_word(path: &Path) -> String {
    crate::verify::shell_word(&place(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_of_a_path_is_shown_and_plain_words_stay() {
        assert_eq!(place(Path::new("/tmp/a\nb.so")), "/tmp/a\\nb.so");
        assert_eq!(line("größe ✓\n  x", 200), "größe ✓   x");
        assert_eq!(line("abcdef", 3), "abc…");
    }

    #[test]
    fn a_path_in_a_command_is_one_word_of_it() {
        assert_eq!(command_word(Path::new("/tmp/a.so")), "/tmp/a.so");
        assert_eq!(
            command_word(Path::new("/tmp/$(id) `id`;\n.so")),
            "'/tmp/$(id) `id`;\\n.so'"
        );
    }
}
