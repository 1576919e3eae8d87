//! Charts are read back as XML.

use super::*;
use crate::cache::{Counts, Replayed};

fn swept(policy: &str, capacity: u64, hits: u64) -> Swept {
    Swept {
        policy: policy.into(),
        capacity,
        replayed: Replayed {
            hits,
            hit_bytes: 0,
            hit_cost_ns: hits * 10,
            hit_bits: String::new(),
            counts: Counts::default(),
            entries: 0,
            bytes: 0,
            fault: None,
        },
    }
}

const FACTS: TraceFacts = TraceFacts {
    requests: 1000,
    keys: 100,
    footprint_bytes: 64 << 20,
    requested_bytes: 1 << 30,
    cost_ns: 10_000,
    mixed: false,
};

fn texts(svg: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(svg).unwrap_or_else(|e| panic!("{e}\n{svg}"));
    let texts = document
        .descendants()
        .filter(|node| node.has_tag_name("text"));
    texts
        .filter_map(|node| node.text().map(str::to_owned))
        .collect()
}

#[test]
fn every_policy_has_a_name_at_its_line_and_in_the_legend() {
    let names = ["lru", "<&\"\u{1}>", "c", "d", "e", "f", "g", "h", "i"];
    let mib = |n| n << 20;
    let all: Vec<_> = names
        .iter()
        .zip(1..)
        .flat_map(|(name, i)| [1, 4, 2].map(|n| swept(name, mib(n), 100 * n + i)))
        .collect();
    let svg = chart("a < b", &all, &FACTS);
    let texts = texts(&svg);
    for name in names {
        let shown = name.replace('\u{1}', "\u{fffd}");
        let times = texts.iter().filter(|text| **text == shown).count();
        // Once in the legend and once in each panel.
        assert_eq!(times, 3, "{shown} in {texts:?}");
    }
    for text in ["Cache policies on a < b", "1 MiB", "2 MiB", "4 MiB"] {
        assert!(
            texts.iter().any(|other| other == text),
            "{text} in {texts:?}"
        );
    }
    assert!(!svg.contains("<script") && !svg.contains("href"));
}

#[test]
fn without_costs_there_is_one_panel() {
    let facts = TraceFacts {
        cost_ns: 0,
        ..FACTS
    };
    let texts = texts(&chart("t", &[swept("lru", 56, 3)], &facts));
    assert!(texts.iter().any(|text| text == "56 B"), "{texts:?}");
    assert!(!texts.iter().any(|text| text.contains("time saved")));
}

#[test]
fn extremes_are_drawn() {
    for hits in [0, 1000] {
        texts(&chart(
            "t",
            &[swept("lru", 1, hits), swept("lru", u64::MAX, hits)],
            &FACTS,
        ));
    }
    texts(&chart("t", &[], &FACTS));
    texts(&chart("t", &[swept("lru", 0, 0)], &TraceFacts::default()));
}

#[test]
fn a_policy_that_failed_is_marked() {
    let mut broken = swept("broken", 2, 3);
    broken.replayed.fault = Some("it erred".into());
    let texts = texts(&chart("t", &[swept("broken", 1, 2), broken], &FACTS));
    assert_eq!(texts.iter().filter(|text| *text == "! broken").count(), 3);
}

#[test]
fn a_line_over_an_equal_one_has_gaps() {
    let svg = chart("t", &[swept("a", 1, 2), swept("b", 1, 2)], &FACTS);
    // In the legend and in both panels.
    assert_eq!(svg.matches("stroke-dasharray").count(), 3);
}
