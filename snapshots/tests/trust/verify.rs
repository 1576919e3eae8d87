//! `eyemap plugin verify`: what became of the files that locks list.

use eyemap_snapshots::desk::{fails, succeeds};

use super::*;

/// The states of all entries of project and user, with the exit code.
fn verified(project: &Project) -> (Option<i32>, Vec<(String, Value)>) {
    let output = project.plugin(&["verify", "--json"]);
    let all: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let own = |one: &&Value| {
        let lock = one["lock"].as_str().expect("a path");
        Path::new(lock).starts_with(project.dir.path())
    };
    let plugins = all["plugins"].as_array().expect("a list").iter();
    let states = plugins.filter(own).map(|one| {
        let state = one["state"].as_str().expect("a state").to_owned();
        (state, one.clone())
    });
    (output.status.code(), states.collect())
}

fn is(project: &Project, state: &str) -> Value {
    let (code, states) = verified(project);
    let [(found, one)] = &states[..] else {
        panic!("{states:?}")
    };
    assert_eq!(found, state);
    assert_eq!(code, Some(i32::from(state != "ok")));
    one.clone()
}

#[test]
fn every_state_is_told_with_its_exit_code() {
    let project = Project::new();
    project.pin();
    let one = is(&project, "ok");
    assert_eq!(one["locked"]["id"], ID);
    project.put("plugins/libstranger.so", &rebuilt(1));
    is(&project, "changed");
    project.put("plugins/libstranger.so", b"no longer a library");
    let one = is(&project, "unusable");
    assert!(
        one["why"]
            .as_str()
            .is_some_and(|why| why.contains("not an ELF file")),
        "{one}"
    );
    std::fs::remove_file(project.library()).expect("removed");
    assert_eq!(is(&project, "missing")["file"], Value::Null);
    let output = project.plugin(&["verify"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&output.stdout)
            .contains("missing   org.eyemap.fixture.broken 1.0.0 (no file)")
    );
}

#[test]
fn the_same_bytes_elsewhere_in_the_search_path_are_as_good() {
    let project = Project::new();
    project.pin();
    std::fs::rename(project.library(), project.path("plugins/libmoved.so")).expect("moved");
    is(&project, "ok");
}

#[cfg(unix)]
#[test]
fn a_file_that_others_may_write_to_is_unusable() {
    let project = Project::new();
    project.pin();
    permissions::mode(&project.library(), 0o666);
    let one = is(&project, "unusable");
    assert!(
        one["why"]
            .as_str()
            .is_some_and(|why| why.contains("everybody may write")),
        "{one}"
    );
}

#[test]
fn entries_of_several_locks_are_told_each() {
    let project = Project::new();
    project.pin();
    succeeds(&project.run(&["plugin", "pin", "plugins/libstranger.so"]));
    let (code, states) = verified(&project);
    assert_eq!((code, states.len()), (Some(0), 2), "{states:?}");
    assert_ne!(states[0].1["lock"], states[1].1["lock"]);
    project.put("plugins/libstranger.so", &rebuilt(1));
    project.pin();
    let (code, states) = verified(&project);
    let words: Vec<_> = states.iter().map(|(state, _)| state.as_str()).collect();
    assert_eq!((code, words), (Some(1), vec!["ok", "changed"]));
}

#[test]
fn a_damaged_lock_is_an_error_and_no_state() {
    let project = Project::new();
    project.put("eyemap-plugins.lock", b"form = 1\nplugin = 3\n");
    fails(
        &project.plugin(&["verify"]),
        2,
        &["is not usable", "line 2", "help:"],
    );
}
