//! Answers of a plugin as text in a file, compared line by line.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// What says that a changed text is the new golden one.
const VARIABLE: &str = "EYEMAP_GOLDEN";
/// Lines of a difference that are shown.
const MAX_SHOWN: usize = 40;
/// Longest part of two texts that is aligned line by line, in lines of both, multiplied.
const MAX_ALIGNED: usize = 4_000_000;

/// Compares answers with those that were approved in a file of the crate, `golden/colors.txt`.
///
/// The text has one answer a line, `value 12.5: #a50f15`, so that a change reads well in a review. With
/// `EYEMAP_GOLDEN=accept` in the environment the file is written in place of being compared; read what
/// changed (`git diff golden`) before it is committed. `path` is relative to the crate's `Cargo.toml`.
///
/// `eyemap verify --plugin` keeps vectors of the same kind, with questions that are the same for every
/// plugin; here the author chooses what is asked.
///
/// # Panics
/// When the texts differ, with the lines that do; when there is no such file, or it cannot be read or
/// written; when `EYEMAP_GOLDEN` is set to anything but `accept`.
///
/// ```no_run
/// let answers = [0.0, 12.5].map(|value| format!("value {value}: {}\n", value > 10.0));
/// eyemap_sdk::testing::golden("golden/above.txt", &answers.concat());
/// ```
#[track_caller]
pub fn golden(path: &str, text: &str) {
    let accept = match std::env::var(VARIABLE).as_deref() {
        Ok("accept") => true,
        Err(std::env::VarError::NotPresent) | Ok("") => false,
        _ => panic!("{VARIABLE} can only be `accept`, which writes golden files anew"),
    };
    if let Err(message) = check(&in_crate(path), text, accept) {
        panic!("{message}");
    }
}

/// Cargo says at run time where the crate is that it tests.
fn in_crate(path: &str) -> PathBuf {
    let root = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    Path::new(&root).join(path)
}

fn check(path: &Path, text: &str, accept: bool) -> Result<(), String> {
    let shown = path.display();
    if accept {
        let dir = path.parent().unwrap_or(Path::new("."));
        return fs::create_dir_all(dir)
            .and_then(|()| fs::write(path, text))
            .map_err(|error| format!("cannot write {shown}: {error}"));
    }
    let approved = fs::read_to_string(path).map_err(|error| {
        format!("cannot read {shown}: {error}; {VARIABLE}=accept cargo test writes it")
    })?;
    let found = differences(&approved, text);
    if found.is_empty() {
        return Ok(());
    }
    let more = match found.len().saturating_sub(MAX_SHOWN) {
        0 => String::new(),
        more => format!("\n  and {more} more lines"),
    };
    let lines = found[..found.len().min(MAX_SHOWN)].join("\n  ");
    Err(format!(
        "the answers are not those of {shown} (- approved, + now, by line):\n  {lines}{more}\n\
         if this change is wanted, {VARIABLE}=accept cargo test writes the file anew"
    ))
}

/// Lines that only one text has, `-3: old` and `+3: new`; empty exactly if both have the same lines.
/// Line ends of Windows count as those of Unix.
fn differences(before: &str, after: &str) -> Vec<String> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let same = |pair: &(&&str, &&str)| pair.0 == pair.1;
    let head = old.iter().zip(&new).take_while(same).count();
    let (old_rest, new_rest) = (&old[head..], &new[head..]);
    let tail = old_rest
        .iter()
        .rev()
        .zip(new_rest.iter().rev())
        .take_while(same)
        .count();
    let old_rest = &old_rest[..old_rest.len() - tail];
    let new_rest = &new_rest[..new_rest.len() - tail];
    let (mut i, mut j, mut found) = (0, 0, Vec::new());
    for (kept_old, kept_new) in aligned(old_rest, new_rest)
        .into_iter()
        .chain([(old_rest.len(), new_rest.len())])
    {
        let line = |sign: char, at: usize, text: &str| format!("{sign}{}: {text}", head + at + 1);
        found.extend((i..kept_old).map(|at| line('-', at, old_rest[at])));
        found.extend((j..kept_new).map(|at| line('+', at, new_rest[at])));
        (i, j) = (kept_old + 1, kept_new + 1);
    }
    found
}

/// The longest common subsequence as pairs of indices; none where the texts are too long for it.
fn aligned(old: &[&str], new: &[&str]) -> Vec<(usize, usize)> {
    let (rows, columns) = (old.len(), new.len());
    if rows.saturating_mul(columns) > MAX_ALIGNED {
        return Vec::new();
    }
    let width = columns + 1;
    // `longest[i * width + j]`: how many lines `old[i..]` and `new[j..]` have in common.
    let mut longest = vec![0_u32; (rows + 1) * width];
    for i in (0..rows).rev() {
        for j in (0..columns).rev() {
            longest[i * width + j] = match old[i] == new[j] {
                true => longest[(i + 1) * width + j + 1] + 1,
                false => longest[(i + 1) * width + j].max(longest[i * width + j + 1]),
            };
        }
    }
    let (mut i, mut j, mut pairs) = (0, 0, Vec::new());
    while i < rows && j < columns {
        if old[i] == new[j] {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if longest[(i + 1) * width + j] >= longest[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::{check, differences};

    #[test]
    fn a_change_an_addition_and_a_removal_are_told_by_line() {
        let before = "[low]\n1: a\n2: b\n3: c\n";
        assert!(differences(before, before).is_empty());
        assert!(differences(before, &before.replace('\n', "\r\n")).is_empty());
        assert_eq!(
            differences(before, "[low]\n1: a\n2: x\n3: c\n"),
            ["-3: 2: b", "+3: 2: x"]
        );
        assert_eq!(
            differences(before, "[low]\n0: z\n1: a\n2: b\n3: c\n"),
            ["+2: 0: z"]
        );
        assert_eq!(differences(before, "[low]\n1: a\n3: c\n"), ["-3: 2: b"]);
        assert_eq!(
            differences("1\n2\n3\n4\n", "1\nx\n3\ny\n"),
            ["-2: 2", "+2: x", "-4: 4", "+4: y"]
        );
        assert_eq!(differences("", "1\n"), ["+1: 1"]);
    }

    #[test]
    fn a_file_is_written_once_it_is_accepted_and_compared_from_then_on() {
        let dir = std::env::temp_dir().join(format!("eyemap-golden-{}", std::process::id()));
        let path = dir.join("golden/colors.txt");
        let missing = check(&path, "1: a\n", false).expect_err("no file");
        assert!(
            missing.contains("EYEMAP_GOLDEN=accept cargo test"),
            "{missing}"
        );
        check(&path, "1: a\n", true).expect("written");
        check(&path, "1: a\n", false).expect("as approved");
        let changed = check(&path, "1: b\n", false).expect_err("another answer");
        assert!(
            changed.contains("  -1: 1: a\n  +1: 1: b\nif this"),
            "{changed}"
        );
        let long: String = (0..100).map(|i| format!("{i}: b\n")).collect();
        let changed = check(&path, &long, false).expect_err("other answers");
        assert!(changed.contains("and 61 more lines"), "{changed}");
        std::fs::remove_dir_all(&dir).expect("removed");
    }
}
