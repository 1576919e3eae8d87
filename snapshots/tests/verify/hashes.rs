//! Where hashes alone are kept: less is known, and what is known is told.

use eyemap_snapshots::desk::Desk;
use serde_json::Value;

use crate::{
    ALL, TABLE, edit, files_in, finding, findings, init, kinds, listed, pending, succeeds, verify,
};

const CONFIG: &str = "[range.synapses]\nwhole = [0, 90]\nlayer = [0, 90]\n";

fn after(change: impl FnOnce(&Desk)) -> (Desk, Value) {
    let desk = Desk::new(TABLE);
    desk.write("eyemap.toml", CONFIG);
    let arguments = [
        "--config",
        "eyemap.toml",
        "--format",
        ALL,
        "--metric",
        "synapses",
    ];
    init(&desk, &[&arguments[..], &["--keep", "0"]].concat());
    let kept = files_in(&desk.path("snapshots/references"));
    assert!(kept.is_empty(), "{:?}", kept.keys());
    succeeds(&verify(&desk, &[]));
    change(&desk);
    let output = verify(&desk, &[]);
    assert_eq!(output.status.code(), Some(1));
    let found = findings(&desk);
    (desk, found)
}

#[track_caller]
fn told<'f>(found: &'f Value, path: &str) -> (Vec<&'f str>, &'f str) {
    let finding = finding(found, path);
    (kinds(finding), finding["message"].as_str().unwrap_or(""))
}

#[test]
fn a_legend_is_named() {
    let (_desk, found) =
        after(|desk| edit(desk, "eyemap.toml", "whole = [0, 90]", "whole = [0, 99]"));
    let said = "other than approved: legend (only hashes are kept of this map)";
    for format in ["svg", "json"] {
        let path = format!("ME_L/synapses/Tm3.{format}");
        assert_eq!(told(&found, &path), (vec!["legend"], said));
    }
    let (kinds, message) = told(&found, "ME_L/synapses/Tm3.static.svg");
    assert_eq!(kinds, ["value", "title"]);
    assert_eq!(
        message,
        "other than approved: values, title or labels (only hashes are kept of this map)"
    );
    let (kinds, message) = told(&found, "ME_L/synapses/Tm3.png");
    assert_eq!(kinds, ["pixels"]);
    assert!(
        message.starts_with("other pixels than approved"),
        "{message}"
    );
}

#[test]
fn a_value_is_named() {
    let (_desk, found) = after(|desk| edit(desk, "table.csv", "5,5,0,10,1", "5,5,0,11,1"));
    for format in ["svg", "json"] {
        let (kinds, message) = told(&found, &format!("ME_R/synapses/Mi1.{format}"));
        assert_eq!(kinds[0], "value", "before what follows from it");
        assert!(message.contains("values"), "{message}");
    }
    // It stays in its bin, so nothing else can show it.
    assert_eq!(listed(&found).len(), 2, "{found}");
}

#[test]
fn a_value_in_another_bin_is_named_with_its_colour_and_without_its_place() {
    let (_desk, found) = after(|desk| edit(desk, "table.csv", "5,5,0,10,1", "5,5,0,50,1"));
    let (kinds, message) = told(&found, "ME_R/synapses/Mi1.static.svg");
    assert_eq!(kinds, ["value", "color"], "{message}");
    let (kinds, _) = told(&found, "ME_R/synapses/Mi1.svg");
    assert_eq!(kinds, ["value", "color"]);
}

#[test]
fn a_tooltip_is_named() {
    let toml = format!("{CONFIG}[stages.metadata.config]\nhas_data = \"{{label}} {{value}}\"\n");
    let (_desk, found) = after(|desk| {
        desk.write("eyemap.toml", toml);
    });
    assert!(!listed(&found).is_empty());
    for finding in listed(&found) {
        let said = "other than approved: tooltips (only hashes are kept of this map)";
        assert_eq!(finding["message"], said);
        assert_eq!(kinds(finding), ["template"]);
    }
}

#[test]
fn what_is_new_is_shown_though_only_its_hash_will_be_kept() {
    let (desk, found) = after(|desk| edit(desk, "table.csv", "5,5,0,10,1", "5,5,0,50,1"));
    let finding = finding(&found, "ME_R/synapses/Mi1.png");
    assert_eq!(finding["pending"], "pictures/ME_R/synapses/Mi1.png");
    let picture = desk.path("snapshots/report/pictures/ME_R/synapses/Mi1.png");
    assert!(std::fs::read(picture).is_ok_and(|bytes| bytes.starts_with(b"\x89PNG")));
    // Pending are headers alone.
    let waiting = pending(&desk);
    assert!(
        waiting.iter().all(|name| name.ends_with(".snap.new")),
        "{waiting:?}"
    );
    succeeds(&verify(&desk, &["accept"]));
    succeeds(&verify(&desk, &[]));
    assert!(files_in(&desk.path("snapshots/references")).is_empty());
    let pictures = files_in(&desk.path("snapshots/report/pictures"));
    assert!(pictures.is_empty(), "{:?}", pictures.keys());
}
