//! `docs/plugin-check.md` has a row for each check, and none for another.

use eyemap_check::CHECKS;

const DOCS: &str = include_str!("../../../docs/plugin-check.md");
/// As many checks are promised.
const PROMISED: usize = 47;

/// The names in the first column, with what stands beside them.
fn rows() -> Vec<(&'static str, Vec<&'static str>)> {
    let table = DOCS.lines().filter_map(|line| line.strip_prefix("| `"));
    let rows = table.filter_map(|line| line.split_once("` |"));
    rows.filter(|(id, _)| !id.starts_with("--"))
        .map(|(id, rest)| (id, rest.split('|').map(str::trim).collect()))
        .collect()
}

fn ids() -> Vec<&'static str> {
    CHECKS.iter().copied().flatten().map(|c| c.id).collect()
}

#[test]
fn each_check_has_a_row_with_what_holds_and_what_to_do() {
    let rows = rows();
    for id in ids() {
        let row = rows.iter().find(|row| row.0 == id);
        let (_, cells) = row.unwrap_or_else(|| panic!("docs/plugin-check.md has no row for {id}"));
        assert!(
            !cells[0].is_empty() && !cells[1].is_empty(),
            "{id}: {cells:?}"
        );
    }
}

#[test]
fn no_name_is_there_twice() {
    let documented: Vec<_> = rows().into_iter().map(|row| row.0).collect();
    for names in [ids(), documented.clone()] {
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), names.len(), "{names:?}");
    }
    assert_eq!(documented.len(), PROMISED);
}

#[test]
fn each_row_is_a_check() {
    let ids = ids();
    for (id, _) in rows() {
        assert!(ids.contains(&id), "{id} is documented, and is no check");
    }
}
