//! Texts, lines and marks beside the hexagons, and long texts.

use std::collections::BTreeMap;

use super::{Differences, colors_differ, of_map};
use crate::verify::{
    Difference, Kind, Tolerance,
    picture::{Group, Item, Picture, SIGN_PATH},
};

/// So many letters of a long text are shown on each side of its first difference.
const AROUND: usize = 24;

/// Attributes that say where something is.
const PLACES: [&str; 5] = ["x", "y", "d", "points", "transform"];

/// Compares everything but hexagons and script.
pub(super) fn compare(
    [before, after]: [&Picture; 2],
    tolerance: Option<&Tolerance>,
    found: &mut Differences,
) {
    if before.layers != after.layers {
        let [before, after] = [&before.layers, &after.layers].map(|layers| layers.join(" "));
        found.push(of_map(Kind::Label, "of layers", before, after));
    }
    let [before, after] = [&before.items, &after.items].map(|items| grouped(items));
    let nothing = Vec::new();
    let groups: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let (signs, others): (Vec<_>, Vec<_>) =
        groups.into_iter().partition(|group| group.0 == Group::Sign);
    // Signs say again what hexagons are: they are news where no hexagon is another.
    let groups = if found.has_other_hexagons() {
        others
    } else {
        [others, signs].concat()
    };
    for group in groups {
        let sides = [&before, &after].map(|side| side.get(group).unwrap_or(&nothing));
        same_group(*group, sides, tolerance, found);
    }
}

type Groups<'a> = BTreeMap<(Group, &'a str), Vec<&'a Item>>;

fn grouped(items: &[Item]) -> Groups<'_> {
    let mut groups = Groups::new();
    for item in items {
        let group = groups.entry((item.group, item.kind.as_str())).or_default();
        group.push(item);
    }
    groups
}

/// The element that describes the whole picture in words: it changes with whatever it tells.
const DESCRIPTION: &str = "desc";

fn same_group(
    (group, element): (Group, &str),
    sides: [&Vec<&Item>; 2],
    tolerance: Option<&Tolerance>,
    found: &mut Differences,
) {
    let kind = match group {
        Group::Legend => Kind::Legend,
        Group::Title => Kind::Title,
        Group::Template => Kind::Template,
        Group::Label | Group::Sign => Kind::Label,
    };
    let [before, after] = sides;
    let says_other = |a: &Item, b: &Item| colors_differ(&a.text, &b.text, tolerance);
    let is_moved = |a: &Item, b: &Item| forms_differ(&a.form, &b.form, tolerance);
    let same = |(a, b): &(&&Item, &&Item)| !says_other(a, b) && !is_moved(a, b);
    let start = before.iter().zip(after.iter()).take_while(same).count();
    let [before, after] = [&before[start..], &after[start..]];
    let ends = before.iter().rev().zip(after.iter().rev());
    let end = ends.take_while(same).count();
    let [before, after] = [&before[..before.len() - end], &after[..after.len() - end]];
    let follows = element == DESCRIPTION;
    for k in 0..before.len().max(after.len()) {
        match (before.get(k), after.get(k)) {
            (Some(before), Some(after)) if says_other(before, after) => {
                let other = of_map(kind, &after.name, &before.text, &after.text);
                found.push_as(follows, other);
            }
            // What moved is told after what says something else: it tends to have moved for that reason.
            (Some(before), Some(after)) if is_moved(before, after) => {
                found.push_follower(moved(kind, before, after));
            }
            (Some(before), None) => {
                found.push(of_map(kind, &before.name, said(before), "nothing"));
            }
            (None, Some(after)) => found.push(of_map(kind, &after.name, "nothing", said(after))),
            _ => {}
        }
    }
}

/// What says the same and is drawn in another way or place.
fn moved(kind: Kind, before: &Item, after: &Item) -> Difference {
    let what = match after.text.as_str() {
        "" | "none" => format!("{}, how it is drawn", after.name),
        text => format!("{} {text:?}, how it is drawn", after.name),
    };
    let [then, now] = [(before, after), (after, before)].map(|(one, other)| form(one, other));
    of_map(kind, &what, then, now)
}

fn forms_differ(
    before: &[(String, String)],
    after: &[(String, String)],
    tolerance: Option<&Tolerance>,
) -> bool {
    let mut pairs = before.iter().zip(after);
    let place_px = tolerance.map_or(0.0, |tolerance| tolerance.place_px);
    let is_near = |name: &str, values: [&str; 2]| {
        // Marks follow hexagons, which are compared one by one; of their path there is a hash.
        name == SIGN_PATH || PLACES.contains(&name) && lies_near(values, place_px.ceil())
    };
    before.len() != after.len()
        || pairs.any(|(a, b)| {
            let differ = a.0 != b.0 || colors_differ(&a.1, &b.1, tolerance);
            differ && !(place_px > 0.0 && a.0 == b.0 && is_near(&a.0, [&a.1, &b.1]))
        })
}

/// Whether two values of an attribute are the same but for numbers, which are so many px apart at most.
/// What stands beside a map stands at whole px.
fn lies_near(values: [&str; 2], px: f64) -> bool {
    let is_of_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-');
    let parts = values.map(|text| {
        // In path data a number may begin right after another: `l3-5.2`.
        let apart = text.replace('-', " -");
        let numbers = apart
            .split(|c: char| !is_of_number(c))
            .filter(|n| !n.is_empty());
        let numbers: Option<Vec<f64>> = numbers.map(|n| n.parse().ok()).collect();
        numbers.map(|numbers| (text.replace(is_of_number, ""), numbers))
    });
    match parts {
        [Some((words, before)), Some((others, after))] => {
            let mut pairs = before.iter().zip(&after);
            words == others
                && before.len() == after.len()
                && pairs.all(|(before, after)| (before - after).abs() <= px)
        }
        _ => false,
    }
}

fn said(item: &Item) -> String {
    if item.text.is_empty() {
        form(item, item)
    } else {
        item.text.clone()
    }
}

/// Attributes of an item that another has not; all of its own.
fn form(item: &Item, other: &Item) -> String {
    let is_own = |one: &&(String, String)| std::ptr::eq(item, other) || !other.form.contains(one);
    let own = item.form.iter().filter(is_own);
    own.map(|(name, value)| format!("{name} {value}"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// What two long texts have around their first difference, if there is one.
pub(crate) fn first_difference(before: &str, after: &str) -> Option<[String; 2]> {
    if before == after {
        return None;
    }
    let same = before.chars().zip(after.chars());
    let same = same.take_while(|(a, b)| a == b).count();
    let excerpt = |text: &str| {
        let from = same.saturating_sub(AROUND);
        let shown: String = text.chars().skip(from).take(2 * AROUND).collect();
        let dots = if from > 0 { "..." } else { "" };
        match text.chars().count() {
            0 => "nothing".to_owned(),
            n => format!("{dots}{shown} (letter {} of {n})", same + 1),
        }
    };
    Some([excerpt(before), excerpt(after)])
}

#[cfg(test)]
mod tests {
    use super::lies_near;

    #[test]
    fn places_in_path_data_lie_near_also_where_signs_part_the_numbers() {
        assert!(lies_near(["M1 2l3-5.2-7h4", "M1 2l3-5.3-7h4"], 0.2));
        assert!(!lies_near(["M1 2l3-5.2-7h4", "M1 2l3-5.6-7h4"], 0.2));
        assert!(!lies_near(["M1 2l3-5.2", "M1 2h3-5.2"], 0.2));
        assert!(!lies_near(["M1 2l3-5.2", "M1 2l3 5.2"], 0.2));
    }
}
