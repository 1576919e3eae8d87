//! Approving what was found: all of it, some of it, what the report's page saved; or nothing at all.

use eyemap_snapshots::desk::Desk;
use serde_json::{Value, json};

use crate::{
    ALL, TABLE, approved, approved_with, edit, fails, files_in, findings, init, paths, pending,
    succeeds, verify, words,
};

/// A range by hand, so that a value changes no other map: without it, few whole numbers have a swatch
/// each in the legends of all maps of their cell type.
const CONFIG: &str = "[range.synapses]\nwhole = [0, 90]\n";

/// A table of which values of two maps changed since it was approved, and what was found.
fn changed() -> (Desk, Value) {
    let desk = approved_with(CONFIG, &["--format", ALL, "--keep", "40"]);
    edit(
        &desk,
        "table.csv",
        "Mi1,ME,R,5,5,0,10,1",
        "Mi1,ME,R,5,5,0,30,1",
    );
    edit(
        &desk,
        "table.csv",
        "Tm3,ME,R,5,5,0,7,1",
        "Tm3,ME,R,5,5,0,40,1",
    );
    assert_eq!(verify(&desk, &[]).status.code(), Some(1));
    let found = findings(&desk);
    assert_eq!(paths(&found).len(), 8, "{:?}", paths(&found));
    (desk, found)
}

/// Writes `accept.json` as the report's page does.
pub(crate) fn decided(desk: &Desk, accept: &[&str], reject: &[&str]) -> String {
    let found = findings(desk);
    let decisions = json!({
        "form": 1, "manifest": found["manifest"], "accept": accept, "reject": reject,
    });
    let path = desk.write("accept.json", decisions.to_string());
    path.display().to_string()
}

/// All that is approved, without what comparisons leave.
fn references(desk: &Desk) -> std::collections::BTreeMap<String, Vec<u8>> {
    let mut files = files_in(&desk.path("snapshots"));
    files.retain(|name, _| !name.starts_with("report/") && !name.contains(".snap.new"));
    files
}

#[test]
fn everything_that_was_found_is_accepted() {
    let (desk, _) = changed();
    let output = verify(&desk, &["accept"]);
    succeeds(&output);
    assert_eq!(words(&output), "8 artifacts approved");
    assert_eq!(pending(&desk), [""; 0]);
    succeeds(&verify(&desk, &[]));
    // As if it had been approved like this from the beginning.
    let other = Desk::new("");
    std::fs::copy(desk.path("table.csv"), other.path("table.csv")).expect("copied");
    other.write("eyemap.toml", CONFIG);
    let config = ["--config", "eyemap.toml"];
    init(
        &other,
        &[&config[..], &["--format", ALL, "--keep", "40"]].concat(),
    );
    assert!(references(&desk) == references(&other));
}

#[test]
fn only_what_matches_is_accepted() {
    let (desk, _) = changed();
    let output = verify(&desk, &["accept", "--only", "ME_R/*/Mi1.*"]);
    succeeds(&output);
    let said = "4 artifacts approved; 4 findings are left as they are";
    assert_eq!(words(&output), said);
    assert_eq!(verify(&desk, &[]).status.code(), Some(1));
    let left = findings(&desk);
    assert!(
        paths(&left)
            .iter()
            .all(|path| path.starts_with("ME_R/synapses/Tm3."))
    );
    fails(
        &verify(&desk, &["accept", "--only", "ME_L/*/Tm4.*"]),
        2,
        &["match none of the 4 findings", "ME_R/synapses/Tm3.svg"],
    );
    fails(
        &verify(&desk, &["accept", "--only", "ME_[/*"]),
        2,
        &["--only"],
    );
    succeeds(&verify(
        &desk,
        &["accept", "--only", "*.svg", "--only", "*.{png,json}"],
    ));
    succeeds(&verify(&desk, &[]));
}

#[test]
fn decisions_of_the_page_are_carried_out() {
    let (desk, found) = changed();
    let (right, wrong): (Vec<&str>, Vec<&str>) = paths(&found)
        .into_iter()
        .partition(|path| path.ends_with(".png"));
    let from = decided(&desk, &right, &wrong);
    let output = verify(&desk, &["accept", "--from", &from, "--json"]);
    succeeds(&output);
    let done: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(done["accepted"], json!(right));
    assert_eq!(done["left"], 6);
    assert_eq!(verify(&desk, &[]).status.code(), Some(1));
    assert_eq!(paths(&findings(&desk)), wrong);
}

#[test]
fn decisions_that_cannot_be_meant_are_refused() {
    let (desk, found) = changed();
    let before = references(&desk);
    let some = paths(&found)[0];
    let of_another =
        json!({ "form": 1, "manifest": "0".repeat(32), "accept": [some], "reject": [] });
    let cases = [
        (of_another.to_string(), "it was made for another comparison"),
        (
            json!({ "form": 1, "manifest": found["manifest"], "accept": ["ME_R/x/Mi9.svg"], "reject": [] })
                .to_string(),
            "\"ME_R/x/Mi9.svg\" is not among the findings",
        ),
        (
            json!({ "form": 1, "manifest": found["manifest"], "accept": ["../../x.svg"], "reject": [] })
                .to_string(),
            "cannot be the path of an artifact",
        ),
        (
            json!({ "form": 1, "manifest": found["manifest"], "accept": [some], "reject": [some] })
                .to_string(),
            "accepts and rejects",
        ),
        (json!({ "form": 2, "things": [] }).to_string(), "form 2"),
        ("[".into(), "holds no decisions"),
    ];
    for (text, told) in cases {
        desk.write("accept.json", &text);
        fails(
            &verify(&desk, &["accept", "--from", "accept.json"]),
            2,
            &["accept.json", told, "help:"],
        );
        assert!(references(&desk) == before, "{text}");
    }
    let output = verify(&desk, &["accept", "--from", "none.json"]);
    fails(&output, 2, &["none.json", "check that the file is there"]);
}

#[test]
fn what_lies_elsewhere_is_accepted_from_there() {
    for pending in ["elsewhere", "elsewhere/pending"] {
        let (desk, _) = changed();
        assert_eq!(
            verify(&desk, &["--out", "elsewhere"]).status.code(),
            Some(1)
        );
        let waiting = files_in(&desk.path("elsewhere/pending"));
        assert_eq!(
            waiting
                .keys()
                .filter(|name| name.ends_with(".snap.new"))
                .count(),
            8
        );
        succeeds(&verify(&desk, &["accept", "--pending", pending]));
        let waiting = files_in(&desk.path("elsewhere/pending"));
        assert!(waiting.is_empty(), "{:?}", waiting.keys());
        succeeds(&verify(&desk, &[]));
    }
    let (desk, _) = changed();
    let output = verify(&desk, &["accept", "--pending", "nowhere"]);
    fails(
        &output,
        2,
        &["nowhere/findings.json", "name the directory of its --out"],
    );
}

#[test]
fn without_a_comparison_there_is_nothing_to_accept() {
    let desk = approved(TABLE, &[]);
    let output = verify(&desk, &["accept"]);
    fails(
        &output,
        2,
        &[
            "snapshots/report/findings.json",
            "run `eyemap verify` first",
        ],
    );
}

#[test]
fn orphans_are_removed_with_their_pictures() {
    let desk = approved(TABLE, &["--format", "svg", "--keep", "100"]);
    let settings = desk.path("snapshots/verify.toml");
    let text = std::fs::read_to_string(&settings).expect("settings");
    std::fs::write(&settings, format!("{text}\n[select]\nsides = [\"R\"]\n")).expect("written");
    assert_eq!(verify(&desk, &[]).status.code(), Some(4));
    let output = verify(&desk, &["accept"]);
    succeeds(&output);
    assert_eq!(words(&output), "0 artifacts approved, 8 removed");
    let left = references(&desk);
    assert!(
        left.keys().all(|name| !name.contains("_L/")),
        "{:?}",
        left.keys()
    );
    assert!(!String::from_utf8_lossy(&left["manifest.txt"]).contains("_L/"));
    succeeds(&verify(&desk, &[]));
}

#[test]
fn findings_that_are_out_of_date_are_refused() {
    let (desk, _) = changed();
    assert_eq!(verify(&desk, &["--out", "earlier"]).status.code(), Some(1));
    succeeds(
        &verify(&desk, &[])
            .status
            .code()
            .map_or(verify(&desk, &[]), |_| verify(&desk, &["accept"])),
    );
    let before = references(&desk);
    let output = verify(&desk, &["accept", "--pending", "earlier"]);
    fails(
        &output,
        2,
        &[
            "ME_R/synapses/Mi1.json was approved anew since it was compared",
            "run `eyemap verify` again",
        ],
    );
    assert!(references(&desk) == before);
}

#[test]
fn pending_files_that_were_changed_are_refused_and_nothing_is_written() {
    type Damage = fn(&[u8]) -> Vec<u8>;
    let damages: [(&str, Damage, &str); 5] = [
        (
            ".snap.new.svg",
            |bytes| bytes[..bytes.len() / 2].to_vec(),
            "was changed since it was drawn",
        ),
        (
            ".snap.new.svg",
            |_| Vec::new(),
            "was changed since it was drawn",
        ),
        (
            ".snap.new",
            |_| Vec::new(),
            "it has no line of an approved artifact",
        ),
        (".snap.new", |_| b"line: \"x y z w\"".to_vec(), "is no hash"),
        (".snap.new", |_| vec![0xff; 100], "no UTF-8"),
    ];
    for (ending, damage, told) in damages {
        let (desk, _) = changed();
        let before = references(&desk);
        let name = format!("snapshots/references/ME_R/synapses/Mi1.svg{ending}");
        let bytes = std::fs::read(desk.path(&name)).expect("pending");
        desk.write(&name, damage(&bytes));
        let output = verify(&desk, &["accept"]);
        fails(
            &output,
            2,
            &[
                "what is pending cannot be used",
                "Mi1.svg.snap.new",
                told,
                "run `eyemap verify` again",
            ],
        );
        assert!(references(&desk) == before, "{told}");
        std::fs::remove_file(desk.path(&name)).expect("removed");
        fails(
            &verify(&desk, &["accept"]),
            2,
            &["what is pending cannot be used", "Mi1.svg.snap.new"],
        );
        assert!(references(&desk) == before, "{told}");
        verify(&desk, &[]);
        succeeds(&verify(&desk, &["accept"]));
        succeeds(&verify(&desk, &[]));
    }
}

#[test]
fn findings_that_are_damaged_are_refused() {
    let (desk, _) = changed();
    let before = references(&desk);
    for (text, told) in [
        ("{", "cannot be understood"),
        ("", "cannot be understood"),
        ("{\"form\": 7}", "cannot be understood"),
    ] {
        desk.write("snapshots/report/findings.json", text);
        let output = verify(&desk, &["accept"]);
        fails(&output, 5, &["findings.json", told, "compare again"]);
        assert!(references(&desk) == before);
    }
}

#[test]
fn a_map_that_cannot_be_drawn_is_never_accepted() {
    let fixture = eyemap_snapshots::trial::example("raw_answers")
        .display()
        .to_string();
    let desk = approved(TABLE, &["--format", "svg", "--side", "R"]);
    let broken = format!(
        "[plugins.by_id.\"org.eyemap.fixture.raw-answers\"]\ntrust = true\n[stages.color]\nplugin = {fixture:?}\n[stages.color.config]\nerror = \"out of crayons\"\n"
    );
    desk.write("broken.toml", broken);
    let output = verify(&desk, &["--config", "broken.toml"]);
    fails(&output, 1, &["4 could not be drawn", "out of crayons"]);
    let found = findings(&desk);
    let before = references(&desk);
    let all = verify(&desk, &["accept"]);
    succeeds(&all);
    assert_eq!(
        words(&all),
        "0 artifacts approved; 4 findings are left as they are"
    );
    let from = decided(&desk, &paths(&found)[..1], &[]);
    let output = verify(&desk, &["accept", "--from", &from]);
    fails(&output, 2, &["cannot be accepted: it could not be drawn"]);
    assert!(references(&desk) == before);
}
