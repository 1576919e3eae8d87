//! Measured sections of a document: text between markers, which a program replaces.
//!
//! A section `scale` lies between `<!-- scale:begin -->` and `<!-- scale:end -->`. In it each block
//! opens with a marker of its own, such as `<!-- scale:full -->`, so that one can be measured again
//! without the others.

use std::{collections::BTreeMap, fs, path::Path};

use crate::Result;

/// Replaces blocks of a section of a file. Blocks that are in neither list stay away, blocks of `order`
/// without a new text stay as they are.
///
/// # Errors
/// When the file cannot be read or written, or has no such section.
pub fn update(
    file: &Path,
    section: &str,
    order: &[&str],
    new: &BTreeMap<&str, String>,
) -> Result<()> {
    let named = |error| format!("{}: {error}", file.display());
    let text = fs::read_to_string(file).map_err(named)?;
    let text = replaced(&text, section, order, new)
        .ok_or_else(|| format!("{}: no section {section}", file.display()))?;
    Ok(fs::write(file, text).map_err(named)?)
}

fn replaced(
    text: &str,
    section: &str,
    order: &[&str],
    new: &BTreeMap<&str, String>,
) -> Option<String> {
    let [begin, end] = ["begin", "end"].map(|word| format!("<!-- {section}:{word} -->\n"));
    let (before, rest) = text.split_once(&begin)?;
    let (inside, after) = rest.split_once(end.trim_end())?;
    let old = blocks(inside, section);
    let mut out = format!("{before}{begin}");
    for &name in order {
        if let Some(block) = new.get(name).or_else(|| old.get(name)) {
            out += &format!("<!-- {section}:{name} -->\n{}\n\n", block.trim());
        }
    }
    Some(out + end.trim_end() + after)
}

fn blocks(inside: &str, section: &str) -> BTreeMap<String, String> {
    let opening = format!("<!-- {section}:");
    let blocks = inside.split(&opening).skip(1);
    blocks
        .filter_map(|block| block.split_once(" -->"))
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_block_is_replaced_and_the_others_stay_in_their_order() {
        let text = "a\n<!-- s:begin -->\n<!-- s:two -->\nold two\n\n<!-- s:end -->\nz\n";
        let new = BTreeMap::from([("one", "new one\n".to_owned())]);
        let once = replaced(text, "s", &["one", "two"], &new);
        let expected = "a\n<!-- s:begin -->\n<!-- s:one -->\nnew one\n\n<!-- s:two -->\nold two\n\n\
            <!-- s:end -->\nz\n";
        assert_eq!(once.as_deref(), Some(expected));
        assert_eq!(replaced(expected, "s", &["one", "two"], &new), once);
        assert_eq!(replaced(text, "t", &["one"], &new), None);
    }
}
