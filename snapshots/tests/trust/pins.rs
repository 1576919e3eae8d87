//! `eyemap plugin pin` and `verify`: what a lock says, and whether it still holds.

use crate::desk::{Desk, ID, errors, fails, succeeds};

#[test]
fn what_nobody_pinned_does_not_run_and_what_is_pinned_does() {
    let desk = Desk::new();
    let refused = desk.render();
    fails(
        &refused,
        &[
            "is not trusted: no lock lists",
            "eyemap plugin check",
            "eyemap plugin pin",
            "trust = true",
        ],
    );
    desk.pin(&[]);
    succeeds(&desk.render());
    let text = desk.lock_text();
    for part in [
        "form = 1",
        &format!("id = {ID:?}"),
        "version = \"1.0.0\"",
        "capabilities = [\"eyemap.coordinate/1\", \"eyemap.color/1\"",
        "file = \"libmine.so\"",
    ] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    assert!(!text.contains("in-process"), "{text}");
}

#[test]
fn a_library_that_changes_is_refused_until_it_is_pinned_again() {
    let desk = Desk::new();
    desk.pin(&[]);
    desk.library("prints");
    fails(
        &desk.render(),
        &["has changed since it was locked", "eyemap plugin pin"],
    );
    assert_eq!(desk.verified(), (vec!["changed".into()], Some(1)));
    desk.pin(&[]);
    succeeds(&desk.render());
    assert_eq!(
        desk.lock_text().matches("sha256").count(),
        1,
        "the old hash is gone"
    );
    assert_eq!(desk.verified(), (vec!["ok".into()], Some(0)));
}

#[test]
fn a_lock_may_list_two_versions_of_one_plugin() {
    let desk = Desk::new();
    desk.pin(&[]);
    std::fs::rename(desk.path("libmine.so"), desk.path("libold.so")).expect("moved");
    // The file that was pinned is another one now, so both are kept only if each has its place.
    let old = desk.run(&["plugin", "pin", "libold.so", "--config", "eyemap.toml"]);
    succeeds(&old);
    desk.library("prints");
    desk.pin(&[]);
    assert_eq!(desk.lock_text().matches("sha256").count(), 2);
    assert_eq!(desk.verified(), (vec!["ok".into(), "ok".into()], Some(0)));
    succeeds(&desk.render());
}

#[test]
fn what_is_gone_or_spoilt_is_told() {
    let desk = Desk::new();
    desk.pin(&[]);
    std::fs::remove_file(desk.path("libmine.so")).expect("removed");
    assert_eq!(desk.verified(), (vec!["missing".into()], Some(1)));
    std::fs::write(desk.path("libmine.so"), "text").expect("written");
    assert_eq!(desk.verified(), (vec!["unusable".into()], Some(1)));
    let output = desk.run(&["plugin", "verify", "--config", "eyemap.toml"]);
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        words.contains("unusable  org.eyemap.fixture.broken"),
        "{words}"
    );
    assert!(words.contains("is not an ELF file"), "{words}");
}

#[test]
fn without_a_configuration_the_lock_is_the_users_own() {
    let desk = Desk::new();
    succeeds(&desk.run(&["plugin", "pin", "libmine.so"]));
    let lock = desk.path("data/eyemap/eyemap-plugins.lock");
    let text = std::fs::read_to_string(lock).expect("a lock");
    let file = desk.path("libmine.so").canonicalize().expect("a path");
    assert!(text.contains(&format!("file = {file:?}")), "{text}");
    succeeds(&desk.render());
}

#[test]
fn ten_at_once_lose_nothing() {
    let desk = Desk::new();
    let names: Vec<String> = (0..10).map(|n| format!("lib{n}.so")).collect();
    for (n, name) in names.iter().enumerate() {
        // Other bytes each, behind the end of what is loaded.
        let mut bytes = std::fs::read(desk.path("libmine.so")).expect("the library");
        bytes.extend(n.to_le_bytes());
        std::fs::write(desk.path(name), bytes).expect("written");
    }
    std::thread::scope(|scope| {
        for name in &names {
            scope
                .spawn(|| succeeds(&desk.run(&["plugin", "pin", name, "--config", "eyemap.toml"])));
        }
    });
    assert_eq!(desk.lock_text().matches("sha256").count(), 10);
    let left: Vec<_> = std::fs::read_dir(&desk.0)
        .expect("the desk")
        .flatten()
        .collect();
    let others = left
        .iter()
        .filter(|entry| entry.file_name().to_string_lossy().contains("lock"));
    assert_eq!(others.count(), 1, "nothing but the lock is left: {left:?}");
}

#[test]
fn bad_input_is_refused_and_leaves_the_lock_as_it_was() {
    let desk = Desk::new();
    desk.pin(&[]);
    let before = desk.lock_text();
    std::fs::write(desk.path("text.so"), "text").expect("written");
    std::fs::write(desk.path("other.lock"), "form = 7\n").expect("written");
    std::fs::write(desk.path("spoilt.lock"), "form = \n").expect("written");
    for (arguments, said) in [
        (&["text.so"][..], "is not an ELF file"),
        (&["missing.so"], "cannot read the plugin"),
        (
            &["libmine.so", "--lock", "other.lock"],
            "it has form 7, this host knows form 1",
        ),
        (&["libmine.so", "--lock", "spoilt.lock"], "is not usable"),
        (&["libmine.so", "--lock", "text.so/x.lock"], "is not usable"),
        (
            &["libmine.so", "--config", "none.toml"],
            "there is no configuration none.toml",
        ),
    ] {
        let output = desk.run(&[&["plugin", "pin"], arguments].concat());
        fails(&output, &[said, "help:"]);
    }
    assert_eq!(desk.lock_text(), before);
    let other = std::fs::read_to_string(desk.path("other.lock")).expect("a lock");
    assert_eq!(other, "form = 7\n");
    let trust = desk.run(&["plugin", "trust", "nobody", "--config", "eyemap.toml"]);
    fails(&trust, &["lists no plugin \"nobody\"", "eyemap plugin pin"]);
    assert!(!errors(&trust).is_empty());
}
