//! Damaged kept pictures: told by name, never taken for an approved picture, and mended by accepting.

use std::fs;

use eyemap_snapshots::desk::Desk;

use crate::{
    TABLE, approved, edit, fails, files_in, finding, findings, paths, succeeds, verify, words,
};

const PNG: &str = "ME_R/synapses/Mi1.png";
const SVG: &str = "ME_R/synapses/Mi1.svg";

fn desk() -> Desk {
    approved(
        TABLE,
        &[
            "--format", "svg,png", "--keep", "100", "--metric", "synapses",
        ],
    )
}

fn kept(path: &str, ending: &str) -> String {
    format!("snapshots/references/{path}.snap{ending}")
}

/// Damages one file of a picture that is drawn as it was approved.
#[track_caller]
fn damaged(path: &str, ending: &str, damage: impl Fn(Vec<u8>) -> Vec<u8>, told: &str) {
    let desk = desk();
    let before = files_in(&desk.path("snapshots/references"));
    let name = kept(path, ending);
    let bytes = fs::read(desk.path(&name)).expect("a kept file");
    desk.write(&name, damage(bytes));
    let output = verify(&desk, &["--guard", "0"]);
    let file = format!("references/{path}.snap{ending}");
    let same = "the picture that is drawn is as approved";
    fails(
        &output,
        5,
        &["1 has a damaged reference", &file, told, same],
    );
    let found = findings(&desk);
    assert_eq!(paths(&found), [path]);
    let finding = finding(&found, path);
    assert_eq!(finding["verdict"], "damaged");
    assert!(
        finding["message"]
            .as_str()
            .is_some_and(|message| message.contains(told))
    );
    // What is drawn takes its place.
    succeeds(&verify(&desk, &["accept"]));
    succeeds(&verify(&desk, &["--guard", "0"]));
    assert!(files_in(&desk.path("snapshots/references")) == before);
}

#[test]
fn a_picture_that_was_emptied_cut_or_changed_is_told() {
    let not_approved = "is not the picture that was approved";
    damaged(PNG, ".png", |_| Vec::new(), "is empty");
    damaged(
        SVG,
        ".svg",
        |bytes| bytes[..bytes.len() / 2].to_vec(),
        not_approved,
    );
    let flipped = |mut bytes: Vec<u8>| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        bytes
    };
    damaged(PNG, ".png", flipped, not_approved);
    damaged(SVG, ".svg", flipped, not_approved);
}

#[test]
fn a_picture_of_another_program_is_told() {
    let not_approved = "is not the picture that was approved";
    let other = |_| {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 2, 2);
        encoder.set_color(png::ColorType::Grayscale);
        let mut writer = encoder.write_header().expect("a header");
        writer.write_image_data(&[0, 80, 160, 240]).expect("pixels");
        writer.finish().expect("an end");
        bytes
    };
    damaged(PNG, ".png", other, not_approved);
    let svg =
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><circle r="4"/></svg>"#;
    damaged(SVG, ".svg", |_| svg.into(), not_approved);
}

#[test]
fn a_header_that_cannot_be_understood_is_told() {
    damaged(
        PNG,
        "",
        |_| Vec::new(),
        "it has no line of an approved artifact",
    );
    damaged(
        PNG,
        "",
        |_| b"---\nline: \"all is well\"\n".to_vec(),
        "fields follow the path",
    );
    damaged(SVG, "", |_| vec![0xff; 64], "it is no UTF-8 text");
    damaged(
        SVG,
        "",
        |_| vec![b'-'; 70 << 10],
        "it is too large for a header",
    );
}

#[test]
fn a_picture_that_is_gone_is_missing() {
    for ending in ["", ".png"] {
        let desk = desk();
        let name = kept(PNG, ending);
        fs::remove_file(desk.path(&name)).expect("removed");
        let output = verify(&desk, &[]);
        let told = format!("references/{PNG}.snap{ending} is gone");
        fails(
            &output,
            3,
            &["1 has no reference", &told, "eyemap verify accept"],
        );
        assert_eq!(finding(&findings(&desk), PNG)["verdict"], "missing");
        succeeds(&verify(&desk, &["accept"]));
        assert!(desk.path(&name).exists());
        succeeds(&verify(&desk, &[]));
    }
}

#[test]
fn a_file_that_belongs_to_nothing_is_an_orphan() {
    let desk = desk();
    fs::create_dir_all(desk.path("snapshots/references/old")).expect("a directory");
    desk.write("snapshots/references/old/notes \u{202e}<b>.md", "mine");
    desk.write(
        "snapshots/references/ME_R/synapses/Old.svg.snap.svg",
        "<svg/>",
    );
    let output = verify(&desk, &[]);
    fails(&output, 4, &["2 are orphaned"]);
    let found = findings(&desk);
    for path in paths(&found) {
        let message = &finding(&found, path)["message"];
        assert_eq!(message, "a file that belongs to no approved artifact");
    }
    succeeds(&verify(&desk, &["accept", "--only", "*Old.svg*"]));
    assert!(
        !desk
            .path("snapshots/references/ME_R/synapses/Old.svg.snap.svg")
            .exists()
    );
    fails(&verify(&desk, &[]), 4, &["1 is orphaned"]);
    succeeds(&verify(&desk, &["accept"]));
    succeeds(&verify(&desk, &[]));
}

#[test]
fn of_several_faults_the_worst_decides_the_exit_code() {
    let desk = desk();
    desk.write("snapshots/references/stray.txt", "");
    fails(&verify(&desk, &["--guard", "0"]), 4, &["1 is orphaned"]);
    fs::remove_file(desk.path(&kept("ME_L/synapses/Tm3.svg", ""))).expect("removed");
    fails(
        &verify(&desk, &["--guard", "0"]),
        3,
        &["1 has no reference, 1 is orphaned"],
    );
    desk.write(&kept(PNG, ".png"), "");
    fails(
        &verify(&desk, &["--guard", "0"]),
        5,
        &["1 has a damaged reference, 1 has no reference, 1 is orphaned"],
    );
    edit(
        &desk,
        "table.csv",
        "Mi1,ME,R,5,5,0,10,1",
        "Mi1,ME,R,5,5,0,12,1",
    );
    let output = verify(&desk, &["--guard", "0"]);
    fails(&output, 1, &["2 differ", "damaged reference"]);
    // What differs is told of a damaged picture too: by its hashes.
    let found = findings(&desk);
    let both = finding(&found, PNG);
    assert_eq!(both["verdict"], "differs");
    let message = both["message"].as_str().unwrap_or_default();
    assert!(
        message.contains("other pixels") && message.contains("is empty"),
        "{message}"
    );
    fails(&verify(&desk, &["--jobs", "many"]), 2, &["--jobs"]);
    succeeds(&verify(&desk, &["accept"]));
    succeeds(&verify(&desk, &["--guard", "0"]));
}

#[test]
fn what_cannot_be_written_is_named_and_nothing_is_approved() {
    // A file where a directory has to be stops everybody, root as well.
    let desk = desk();
    desk.write("snapshots/report", "mine");
    let output = verify(&desk, &[]);
    fails(
        &output,
        2,
        &[
            "snapshots/report is a file, and a directory belongs there",
            "elsewhere with --out",
        ],
    );
    succeeds(&verify(&desk, &["--out", "elsewhere"]));
    fs::remove_file(desk.path("snapshots/report")).expect("removed");
    edit(
        &desk,
        "table.csv",
        "Tm3,LO,L",
        "Tx,LOP,R,5,5,0,4,1\nTm3,LO,L",
    );
    desk.write("snapshots/references/LOP_R", "mine");
    let manifest = fs::read(desk.path("snapshots/manifest.txt")).expect("it");
    let output = verify(&desk, &[]);
    fails(
        &output,
        2,
        &[
            "cannot write snapshots/references/LOP_R/",
            "write elsewhere with --out",
        ],
    );
    assert_eq!(
        verify(&desk, &["--out", "elsewhere"]).status.code(),
        Some(3)
    );
    let output = verify(
        &desk,
        &["accept", "--pending", "elsewhere", "--only", "LOP_R/**"],
    );
    fails(&output, 2, &["cannot write snapshots/references/LOP_R/"]);
    assert_eq!(
        fs::read(desk.path("snapshots/manifest.txt")).expect("it"),
        manifest
    );
    let desk = Desk::new(TABLE);
    desk.write("snapshots", "mine");
    let output = verify(&desk, &["init", "table.csv"]);
    fails(
        &output,
        2,
        &[
            "cannot write snapshots",
            "choose another directory with --snapshots",
        ],
    );
    assert!(!words(&output).contains("approved in"));
}
