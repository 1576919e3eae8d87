//! What a locked plugin may be used for.

use eyemap_snapshots::desk::{fails, succeeds};

use super::*;

/// Writes the lock by hand, with these words of what was accepted.
fn accept(project: &Project, capabilities: &str) {
    let hash = sha256_hex(&sound());
    let text = format!(
        "form = 1\n[[plugin]]\nid = {ID:?}\nversion = \"1.0.0\"\nsha256 = {hash:?}\n{capabilities}\n"
    );
    project.put(LOCK_FILE, text.as_bytes());
}

#[test]
fn what_was_not_accepted_is_refused_with_the_way_to_accept_it() {
    let project = Project::new();
    accept(&project, "capabilities = [\"eyemap.coordinate/1\"]");
    let said = [
        "may not be used as eyemap.color/1",
        "its lock does not accept that",
        "eyemap plugin pin",
    ];
    fails(&project.render(), 2, &said);
    accept(&project, "capabilities = [\"eyemap.color/1\"]");
    succeeds(&project.render());
    // Pinning it again accepts what it exports.
    accept(&project, "capabilities = []");
    fails(&project.render(), 2, &["may not be used as eyemap.color/1"]);
    project.pin();
    succeeds(&project.render());
}

#[test]
fn the_same_holds_in_this_process() {
    let project = Project::new();
    accept(
        &project,
        "capabilities = [\"eyemap.coordinate/1\", \"in-process\"]",
    );
    succeeds(&project.run(&["plugin", "trust", LOCK_FILE]));
    assert_eq!(project.runs(), "in-process");
    fails(&project.render(), 2, &["may not be used as eyemap.color/1"]);
}

#[test]
fn unknown_words_grant_nothing() {
    let project = Project::new();
    for words in [
        "[\"*\", \"all\", \"In-Process\", \"in-process \", \"eyemap.color/2\", \"eyemap.color\", \"\"]",
        "[\"eyemap.color/1\\u001b\", \"../eyemap.color/1\", \"eyemap.COLOR/1\"]",
    ] {
        accept(&project, &format!("capabilities = {words}"));
        assert_eq!(project.runs(), "contained", "{words}");
        fails(&project.render(), 2, &["may not be used as eyemap.color/1"]);
    }
}

#[test]
fn a_lock_from_before_capabilities_accepts_all_extensions_contained() {
    let project = Project::new();
    accept(&project, "");
    assert_eq!(project.runs(), "contained");
    succeeds(&project.render());
    // Taking back what was never given takes no extension away.
    succeeds(&project.plugin(&["trust", ID, "--revoke"]));
    succeeds(&project.render());
}

/// Saying that it may run here must not take away what it was used for.
#[test]
fn a_lock_from_before_capabilities_still_accepts_all_when_it_is_trusted() {
    let project = Project::new();
    accept(&project, "");
    succeeds(&project.plugin(&["trust", ID]));
    assert_eq!(project.runs(), "in-process");
    succeeds(&project.render());
}
