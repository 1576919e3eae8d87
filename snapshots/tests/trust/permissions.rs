//! Files that others than their user may change do not run, whatever a lock says of them.

use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

use eyemap_snapshots::desk::{fails, succeeds};

use super::*;

pub(super) fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("changed");
}

/// Gives a file away, which only root can.
#[track_caller]
fn given(path: &Path, user: Option<u32>, group: Option<u32>) -> bool {
    let given = chown(path, user, group).is_ok();
    if !given {
        eyemap_snapshots::skipped("only root can give a file to another user or group");
    }
    given
}

/// It is refused for this, pinned or with `trust = true`, when it is used and when it is pinned.
#[track_caller]
fn refused(project: &Project, why: &str) {
    for by_id in ["", "trust = true"] {
        project.configure(by_id);
        fails(&project.render(), 2, &["is not used", why, "`chmod go-w "]);
        assert_eq!(project.runs(), "", "{by_id}");
    }
}

fn pinned() -> Project {
    let project = Project::new();
    project.pin();
    project
}

#[test]
fn a_file_that_everybody_may_write_to() {
    let project = pinned();
    mode(&project.library(), 0o646);
    refused(&project, "everybody may write to it");
    fails(
        &project.plugin(&["pin", "plugins/libstranger.so"]),
        2,
        &["is not used"],
    );
    mode(&project.library(), 0o644);
    succeeds(&project.render());
}

#[test]
fn a_directory_that_everybody_may_write_to() {
    let project = pinned();
    mode(&project.path("plugins"), 0o777);
    // The directory has a lock of its own place, which is not there and says nothing.
    refused(&project, "everybody may write to it");
    // In such a directory nobody replaces a file of somebody else's.
    mode(&project.path("plugins"), 0o1777);
    project.configure("");
    succeeds(&project.render());
    mode(&project.library(), 0o666);
    refused(&project, "everybody may write to it");
}

#[test]
fn a_lock_that_everybody_may_write_to() {
    let project = pinned();
    let before = std::fs::read(project.lock()).expect("the lock");
    mode(&project.lock(), 0o666);
    fails(
        &project.render(),
        2,
        &["eyemap-plugins.lock is not used", "`chmod go-w "],
    );
    fails(
        &project.plugin(&["pin", "plugins/libstranger.so"]),
        2,
        &["eyemap-plugins.lock is not used"],
    );
    assert_eq!(std::fs::read(project.lock()).expect("the lock"), before);
    mode(&project.lock(), 0o600);
    mode(project.dir.path(), 0o777);
    fails(
        &project.render(),
        2,
        &["is not used: everybody may write to it"],
    );
}

/// A shared folder without plugins is no danger, and maps are drawn there.
#[test]
fn a_shared_directory_without_a_lock_is_no_error() {
    let project = Project::new();
    std::fs::remove_dir_all(project.path("plugins")).expect("removed");
    project.put("eyemap.toml", b"");
    mode(project.dir.path(), 0o777);
    succeeds(&project.render());
}

#[test]
fn another_group_that_may_write() {
    let project = pinned();
    if !given(&project.library(), None, Some(4321)) {
        return;
    }
    succeeds(&project.render());
    mode(&project.library(), 0o664);
    refused(&project, "the group 4321 may write to it");
}

#[test]
fn a_file_a_directory_or_a_link_of_another_user() {
    for what in ["plugins/libstranger.so", "plugins"] {
        let project = pinned();
        if !given(&project.path(what), Some(4321), None) {
            return;
        }
        refused(&project, "it belongs to the user 4321");
    }
    let project = pinned();
    std::fs::rename(project.library(), project.path("real.so")).expect("moved");
    symlink(project.path("real.so"), project.library()).expect("a link");
    succeeds(&project.render());
    std::os::unix::fs::lchown(project.library(), Some(4321), None).expect("given");
    refused(&project, "it belongs to the user 4321");
}

#[test]
fn a_link_into_a_directory_that_everybody_may_write_to() {
    let project = pinned();
    std::fs::create_dir(project.path("open")).expect("a directory");
    std::fs::rename(project.library(), project.path("open/real.so")).expect("moved");
    symlink(project.path("open/real.so"), project.library()).expect("a link");
    succeeds(&project.render());
    mode(&project.path("open"), 0o777);
    refused(&project, "open is not used: everybody may write to it");
}

/// A configuration that others may write to may say how a map looks, but not which code runs.
#[test]
fn a_configuration_that_others_may_write_to_names_no_code() {
    let project = pinned();
    let file = project.path("eyemap.toml");
    let harmless = "[map]\nhex_size_px = 5.0\n[plugins.contained]\n";
    let decides = [
        format!("[stages.color]\nplugin = {ID:?}\n"),
        "[plugins]\npath = [\"plugins\"]\n".into(),
        format!("[plugins.by_id.{ID:?}]\ntrust = true\n"),
        "[plugins.contained]\nmemory = \"2 GiB\"\n".into(),
        "[cache]\npolicy = \"lru\"\n".into(),
        "[cache.colors]\npolicy = \"lru\"\n".into(),
    ];
    for text in &decides {
        project.put("eyemap.toml", text.as_bytes());
        mode(&file, 0o644);
        succeeds(&project.render());
        mode(&file, 0o646);
        let said = [
            "eyemap.toml is not used: everybody may write to it",
            "`chmod go-w ",
        ];
        fails(&project.render(), 2, &said);
    }
    project.put("eyemap.toml", harmless.as_bytes());
    succeeds(&project.render());
    // Nor one that others may put another in the place of.
    std::fs::remove_file(project.lock()).expect("removed");
    mode(&file, 0o644);
    mode(project.dir.path(), 0o777);
    succeeds(&project.render());
    project.put("eyemap.toml", decides[4].as_bytes());
    fails(
        &project.render(),
        2,
        &["is not used: everybody may write to it"],
    );
}

/// A colleague's configuration is used, as its owner is no secret.
#[test]
fn a_configuration_of_another_user_may_be_used() {
    let project = pinned();
    let file = project.path("eyemap.toml");
    if given(&file, Some(4321), Some(4321)) {
        succeeds(&project.render());
        mode(&file, 0o664);
        fails(&project.render(), 2, &["the group 4321 may write to it"]);
    }
}
