//! Where a plugin runs: what ships with eyemap here, all others in a worker, and who can change that.

use serde_json::Value;

use crate::desk::{Desk, ID, fails, ran, succeeds};

/// A desk whose library tells by its failure whether it could use the network.
fn telling() -> Desk {
    let desk = Desk::new();
    desk.library("network@prepare");
    desk
}

fn by_id(line: &str) -> String {
    format!("[plugins.by_id.{ID:?}]\n{line}\n")
}

#[test]
fn a_pinned_plugin_is_contained_until_it_is_trusted_and_again_after() {
    let desk = telling();
    desk.pin(&[]);
    assert_eq!(ran(&desk), "contained");
    let trust = desk.run(&["plugin", "trust", "broken", "--config", "eyemap.toml"]);
    succeeds(&trust);
    let words = String::from_utf8_lossy(&trust.stdout).into_owned();
    assert!(words.contains("it can do all that you can do"), "{words}");
    assert_eq!(ran(&desk), "in-process");
    succeeds(&desk.run(&["plugin", "trust", ID, "--revoke", "--config", "eyemap.toml"]));
    assert_eq!(ran(&desk), "contained");
    desk.pin(&["--in-process"]);
    assert_eq!(ran(&desk), "in-process");
    // Other bytes are another decision.
    desk.library("network@describe");
    desk.pin(&[]);
    assert_eq!(ran(&desk), "contained");
}

#[test]
fn toml_decides_over_every_lock() {
    let desk = telling();
    desk.pin(&["--in-process"]);
    desk.configure(&by_id("mode = \"contained\""));
    assert_eq!(ran(&desk), "contained");
    desk.configure("[plugins.by_id.broken]\nmode = \"trusted\"\n");
    assert_eq!(ran(&desk), "in-process");
    desk.configure(&by_id("mode = \"deny\""));
    fails(
        &desk.render(),
        &["is denied by the configuration", "change `mode`"],
    );
    // Nothing undoes a refusal, whichever of the two names it has.
    desk.configure(&format!(
        "{}[plugins.by_id.broken]\nmode = \"trusted\"\n",
        by_id("mode = \"deny\"")
    ));
    fails(&desk.render(), &["is denied by the configuration"]);
    desk.configure(&by_id("mode = \"maybe\""));
    fails(&desk.render(), &["mode", "trusted"]);
}

#[test]
fn what_is_trusted_whatever_its_hash_is_contained_too() {
    let desk = telling();
    desk.configure(&by_id("trust = true"));
    assert_eq!(ran(&desk), "contained");
    desk.configure(&by_id("trust = true\nmode = \"trusted\""));
    assert_eq!(ran(&desk), "in-process");
    // A mode is no permission.
    desk.configure(&by_id("mode = \"trusted\""));
    fails(&desk.render(), &["is not trusted"]);
}

#[test]
fn a_lock_says_what_a_plugin_may_be_used_for() {
    let desk = Desk::new();
    desk.pin(&[]);
    let text = desk.lock_text();
    let only = |capabilities: &str| {
        let start = text.find("capabilities").expect("capabilities");
        let end = start + text[start..].find('\n').expect("a line");
        let lock = format!("{}{capabilities}{}", &text[..start], &text[end..]);
        std::fs::write(desk.lock(), lock).expect("written");
        desk.render()
    };
    fails(
        &only("capabilities = [\"eyemap.coordinate/1\", \"everything\"]"),
        &["may not be used as eyemap.color/1", "eyemap plugin pin"],
    );
    succeeds(&only(
        "capabilities = [\"eyemap.color/1\", \"something-new\"]",
    ));
    // An older lock has no such key.
    succeeds(&only(""));
}

#[test]
fn a_file_does_not_say_of_itself_where_it_runs() {
    let desk = Desk::new();
    let path = desk.path("libmine.so");
    let mut bytes = std::fs::read(&path).expect("the library");
    let (from, to) = (b"\"eyemap.describe/1\"", b"\"in-process\"       ");
    let mut places = Vec::new();
    for (place, window) in bytes.windows(from.len()).enumerate() {
        if window == from {
            places.push(place);
        }
    }
    assert!(!places.is_empty(), "it has a manifest");
    for place in places {
        bytes[place..place + to.len()].copy_from_slice(to);
    }
    std::fs::write(&path, bytes).expect("written");
    let pinned = desk.run(&["plugin", "pin", "libmine.so", "--config", "eyemap.toml"]);
    fails(
        &pinned,
        &["its extensions are no ids such as eyemap.color/1"],
    );
    assert!(!desk.lock().exists());
}

#[test]
fn a_list_says_where_each_plugin_runs() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("plugins")).expect("a directory");
    std::fs::rename(desk.path("libmine.so"), desk.path("plugins/libmine.so")).expect("moved");
    let runs = || {
        let output = desk.run(&["plugin", "list", "--config", "eyemap.toml", "--json"]);
        let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let all = document["plugins"].as_array().expect("a list").clone();
        let of = |id: &str| {
            let found = all.iter().find(|one| one["manifest"]["id"] == id);
            found.map(|one| one["runs"].as_str().expect("a word").to_owned())
        };
        (of(ID), of("org.eyemap.binned-color"))
    };
    assert_eq!(runs(), (Some(String::new()), Some("in-process".into())));
    succeeds(&desk.run(&[
        "plugin",
        "pin",
        "plugins/libmine.so",
        "--config",
        "eyemap.toml",
    ]));
    assert_eq!(runs().0.as_deref(), Some("contained"));
    succeeds(&desk.run(&["plugin", "trust", "broken", "--config", "eyemap.toml"]));
    assert_eq!(runs().0.as_deref(), Some("in-process"));
}
