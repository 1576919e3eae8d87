//! Where a plugin runs, and who decides.

use eyemap_engine::plugins::{Finder, Mode, SearchDir};
use eyemap_snapshots::desk::{fails, succeeds};

use super::*;

#[test]
fn a_stranger_does_not_run_before_it_is_pinned_and_is_contained_then() {
    let project = Project::new();
    fails(
        &project.render(),
        2,
        &["is not trusted", "eyemap plugin pin"],
    );
    assert_eq!(project.runs(), "");
    project.pin();
    assert_eq!(project.runs(), "contained");
    succeeds(&project.render());
}

#[test]
fn trust_and_revoke_change_where_it_runs() {
    let project = Project::new();
    fails(
        &project.plugin(&["trust", ID]),
        2,
        &["lists no plugin", "eyemap plugin pin LIBRARY"],
    );
    project.pin();
    for (arguments, runs) in [
        (&["trust", ID][..], "in-process"),
        (&["trust", "broken", "--revoke"], "contained"),
        (&["trust", "broken"], "in-process"),
    ] {
        succeeds(&project.plugin(arguments));
        assert_eq!(project.runs(), runs, "{arguments:?}");
        succeeds(&project.render());
    }
}

/// `[plugins.by_id]` wins over the lock, but for what is not for a file to say.
#[test]
fn the_mode_of_the_configuration_decides() {
    let project = Project::new();
    project.pin();
    project.configure("mode = \"trusted\"");
    assert_eq!(project.runs(), "contained");
    succeeds(&project.plugin(&["trust", ID]));
    project.configure("mode = \"contained\"");
    assert_eq!(project.runs(), "contained");
    project.configure("mode = \"deny\"");
    assert_eq!(
        (project.runs().as_str(), &project.listed()["state"]),
        ("", &"denied".into())
    );
    fails(
        &project.render(),
        2,
        &[
            "is denied by the configuration",
            "change `mode` in [plugins.by_id.",
        ],
    );
    // It decides where, not whether.
    std::fs::remove_file(project.lock()).expect("removed");
    project.configure("mode = \"trusted\"");
    fails(&project.render(), 2, &["is not trusted"]);
}

#[test]
fn trust_without_a_lock_is_contained() {
    let project = Project::new();
    project.configure("trust = true");
    assert_eq!(project.runs(), "contained");
    succeeds(&project.render());
    project.put("plugins/libstranger.so", &rebuilt(1));
    assert_eq!(project.runs(), "contained", "every build of it");
}

/// Anybody may end an id so.
#[test]
fn nothing_is_trusted_by_the_last_segment_of_its_id() {
    let project = Project::new();
    for key in ["trust = true", "mode = \"trusted\""] {
        let text = format!("[plugins.by_id.broken]\n{key}\n");
        project.put("eyemap.toml", text.as_bytes());
        let said = [
            "is no whole id",
            "eyemap plugin list",
            "[plugins.by_id.\"org.example.broken\"]",
        ];
        fails(&project.plugin(&["list"]), 2, &said);
    }
    project.put("eyemap.toml", b"[plugins.by_id.broken]\nmode = \"deny\"\n");
    project.pin();
    assert_eq!(project.listed()["state"], "denied", "but denied");
}

#[test]
fn the_whole_id_counts_more_than_its_last_segment() {
    let project = Project::new();
    project.pin();
    // Sorted before and after the whole id.
    let text = format!(
        "[plugins.by_id.broken]\nmode = \"deny\"\n[plugins.by_id.{ID:?}]\nmode = \"contained\"\n"
    );
    project.put("eyemap.toml", text.as_bytes());
    assert_eq!(project.runs(), "contained");
    let modes = [("broken", Mode::Trusted), (ID, Mode::Contained)];
    let finder = Finder {
        dirs: vec![SearchDir {
            path: project.path("plugins"),
            origin: "the test",
        }],
        trusted: [ID.into()].into(),
        modes: modes.map(|(id, mode)| (id.into(), mode)).into(),
        ..Finder::default()
    };
    assert_eq!(finder.list()[0].trust.as_ref().ok(), Some(&Mode::Contained));
}

#[test]
fn a_name_that_two_locked_plugins_share_trusts_neither() {
    let project = Project::new();
    project.pin();
    project.put(
        "other.so",
        &patched("org.eyemap.fixture.broken", "evil.xx.yy.zzzzzzz.broken"),
    );
    succeeds(&project.plugin(&["pin", "other.so"]));
    let said = [
        "fits several ids",
        ID,
        "evil.xx.yy.zzzzzzz.broken",
        "write the whole id",
    ];
    fails(&project.plugin(&["trust", "broken"]), 2, &said);
    assert_eq!(project.runs(), "contained");
    succeeds(&project.plugin(&["trust", ID]));
    let in_process = project
        .locked()
        .iter()
        .filter(|entry| entry["capabilities"].to_string().contains("in-process"))
        .count();
    assert_eq!(in_process, 1);
}

#[test]
fn what_ships_runs_in_the_process_and_so_do_the_same_bytes_elsewhere() {
    let project = Project::new();
    std::fs::copy(eyemap_snapshots::plugin("binned-color"), project.library()).expect("copied");
    project.put("eyemap.toml", b"");
    assert_eq!(
        project.runs(),
        "in-process",
        "a hash means the same everywhere"
    );
    let mut bytes = std::fs::read(project.library()).expect("a library");
    bytes.push(0);
    project.put("plugins/libstranger.so", &bytes);
    assert_eq!(project.listed()["state"], "changed since it was locked");
}

/// A plugin that takes the place of another is refused; the one behind it does not run instead.
#[test]
fn an_unknown_file_in_an_earlier_directory_hides_and_does_not_run() {
    let project = Project::new();
    let mut bytes = std::fs::read(eyemap_snapshots::plugin("binned-color")).expect("a library");
    bytes.push(0);
    let path = project.put("plugins/libstranger.so", &bytes);
    project.put("eyemap.toml", b"");
    fails(
        &project.render(),
        2,
        &[
            "has changed since it was locked",
            &path.display().to_string(),
        ],
    );
}

#[test]
fn two_locks_together_allow_what_either_allows() {
    let project = Project::new();
    project.pin();
    succeeds(&project.run(&["plugin", "pin", "plugins/libstranger.so", "--in-process"]));
    assert!(project.path("data/eyemap").join(LOCK_FILE).exists());
    assert_eq!(project.runs(), "in-process");
}
