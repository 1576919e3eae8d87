//! A damaged manifest, damaged settings: nothing is compared with what may not have been approved.

use std::fs;

use eyemap_snapshots::desk::Desk;

use crate::{TABLE, approved, edit, fails, files_in, pending, succeeds, verify};

const MANIFEST: &str = "snapshots/manifest.txt";
const SETTINGS: &str = "snapshots/verify.toml";

fn desk() -> Desk {
    approved(TABLE, &["--keep", "2", "--metric", "synapses"])
}

/// Changes the manifest; a comparison and an acceptance say what is wrong and write nothing.
#[track_caller]
fn damaged(damage: impl Fn(&str) -> Vec<u8>, told: &[&str]) {
    let desk = desk();
    succeeds(&verify(&desk, &["--guard", "0"]));
    let text = fs::read_to_string(desk.path(MANIFEST)).expect("a manifest");
    desk.write(MANIFEST, damage(&text));
    let before = files_in(&desk.path("snapshots"));
    let told = [&["snapshots/manifest.txt", "help:"], told].concat();
    fails(&verify(&desk, &[]), 5, &told);
    fails(&verify(&desk, &["accept"]), 5, &told);
    assert!(files_in(&desk.path("snapshots")) == before);
    assert_eq!(pending(&desk), [""; 0]);
}

#[test]
fn a_manifest_that_is_empty_or_cut_is_told_with_its_line() {
    damaged(
        |_| Vec::new(),
        &[
            "line 1: it does not begin with",
            "take the file from version control",
        ],
    );
    damaged(
        |text| text.as_bytes()[..text.len() - 30].to_vec(),
        &["it ends in the middle of a line"],
    );
    damaged(
        |text| {
            let (head, _) = text.split_at(text.len() - 30);
            format!("{head}\n").into()
        },
        &["line 7", "fields follow the path, not 4"],
    );
}

#[test]
fn lines_that_were_merged_and_disagree_are_told() {
    for mark in ["<<<<<<< HEAD", "=======", ">>>>>>> theirs"] {
        damaged(
            |text| {
                text.replacen(
                    "LO_L/synapses/Tm3",
                    &format!("{mark}\nLO_L/synapses/Tm3"),
                    1,
                )
                .into()
            },
            &[
                "line 3: two versions were merged and disagree",
                "keep the lines of one of them",
            ],
        );
    }
}

#[test]
fn a_manifest_of_another_form_is_not_guessed() {
    damaged(
        |text| text.replacen("form 1", "form 2", 1).into(),
        &["is of form \"2\"", "use the program that wrote it"],
    );
}

#[test]
fn lines_that_are_wrong_are_told() {
    let second = |text: &str| text.lines().nth(1).expect("a line").to_owned();
    damaged(
        |text| {
            text.replacen(&second(text), &format!("{0}\n{0}", second(text)), 1)
                .into()
        },
        &["line 3: LO_L/synapses/Mi1.svg is not after the line before it"],
    );
    damaged(
        |text| text.replacen("LO_L/", "../../", 1).into(),
        &["line 2: \"../../synapses/Mi1.svg\" is no name of an artifact"],
    );
    damaged(
        |text| text.replacen("LO_L/", "/etc/LO_L/", 1).into(),
        &["line 2", "is no name of an artifact"],
    );
    damaged(
        |text| {
            let mut bytes = text.as_bytes().to_vec();
            let end = bytes.len() - 3;
            bytes[end] = 0xff;
            bytes
        },
        &["line 7: it is no UTF-8 text"],
    );
    damaged(
        |text| text.replacen(" hash\n", " nothing\n", 1).into(),
        &["\"nothing\" is kept; a line keeps picture or hash"],
    );
}

#[test]
fn a_manifest_that_is_gone_is_missing_and_not_a_new_beginning() {
    let desk = desk();
    fs::remove_file(desk.path(MANIFEST)).expect("removed");
    let told = [
        "manifest.txt is gone and references/ is there",
        "from version control",
    ];
    fails(&verify(&desk, &[]), 3, &told);
    // Settings that somebody wrote are not lost by approving anew.
    let settings = fs::read(desk.path(SETTINGS)).expect("settings");
    let told = ["settings and no approved pictures", "version control"];
    fails(&verify(&desk, &["init", "table.csv"]), 2, &told);
    assert_eq!(fs::read(desk.path(SETTINGS)).ok(), Some(settings));
}

#[test]
fn settings_that_cannot_be_used_are_shown_where_they_stand() {
    let wrong = |text: &str, told: &[&str]| {
        let desk = desk();
        desk.write(SETTINGS, text);
        let told = [&["snapshots/verify.toml", "help:"], told].concat();
        fails(&verify(&desk, &[]), 2, &told);
    };
    wrong(
        "tables = [\"../table.csv\"]\nkeeps = 3\n",
        &["line 2", "unknown field `keeps`"],
    );
    wrong(
        "tables = \"../table.csv\"\n",
        &["line 1", "invalid type: string", "sequence"],
    );
    wrong(
        "tables = [\"../table.csv\"]\n[keep]\npictures = \"many\"\n",
        &["line 3", "invalid type"],
    );
    wrong(
        "tables = [\"../table.csv\"]\n[keep]\nalways = [\"[\"]\n",
        &["keep.always"],
    );
    wrong("tables = [\n", &["line 1", "unclosed array"]);
    wrong("formats = [\"gif\"]\n", &["line 1", "gif"]);
    let desk = desk();
    desk.write(SETTINGS, "");
    fails(
        &verify(&desk, &[]),
        2,
        &[
            "verify.toml names no table",
            "relative to the snapshot directory",
        ],
    );
    fs::write(desk.path(SETTINGS), [0xff, 0xfe]).expect("written");
    fails(&verify(&desk, &[]), 2, &["snapshots/verify.toml"]);
    fs::remove_file(desk.path(SETTINGS)).expect("removed");
    fails(
        &verify(&desk, &[]),
        3,
        &[
            "snapshots/verify.toml",
            "`eyemap verify init TABLE` writes it",
        ],
    );
}

#[test]
fn a_table_or_configuration_that_is_gone_is_named() {
    let desk = desk();
    fs::rename(desk.path("table.csv"), desk.path("other.csv")).expect("renamed");
    fails(&verify(&desk, &[]), 2, &["table.csv"]);
    edit(&desk, SETTINGS, "../table.csv", "../other.csv");
    succeeds(&verify(&desk, &[]));
    let output = verify(&desk, &["--config", "none.toml"]);
    fails(&output, 2, &["none.toml"]);
}
