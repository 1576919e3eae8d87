//! Files that others may change, and files that are exchanged between check and use.

use std::{
    os::unix::fs::{MetadataExt as _, chown, symlink},
    sync::atomic::{AtomicBool, Ordering},
};

use eyemap_engine::plugins::{Finder, Lock, Locked, Mode, sha256_hex};
use eyemap_snapshots::{broken::broken, trial::example};

use crate::desk::{Desk, ID, fails, mode, succeeds};

/// Refused, whoever said that it is trusted.
fn refused(desk: &Desk, said: &[&str]) {
    for more in ["", &format!("[plugins.by_id.{ID:?}]\ntrust = true\n")] {
        desk.configure(more);
        fails(&desk.render(), &[said, &["chmod go-w"]].concat());
    }
}

#[test]
fn what_everybody_may_write_to_is_not_used() {
    let desk = Desk::new();
    desk.pin(&[]);
    mode(&desk.path("libmine.so"), 0o757);
    refused(
        &desk,
        &["libmine.so is not used: everybody may write to it"],
    );
    assert_eq!(desk.verified(), (vec!["unusable".into()], Some(1)));
    mode(&desk.path("libmine.so"), 0o755);
    mode(desk.0.path(), 0o777);
    refused(&desk, &["is not used: everybody may write to it"]);
    // In such a directory nobody replaces what is not theirs.
    mode(desk.0.path(), 0o1777);
    succeeds(&desk.render());
    mode(desk.0.path(), 0o700);
    mode(&desk.lock(), 0o666);
    fails(
        &desk.render(),
        &["eyemap-plugins.lock is not used: everybody may write to it"],
    );
}

#[test]
fn the_target_of_a_link_counts_and_so_does_its_directory() {
    let desk = Desk::new();
    let open = desk.path("open");
    std::fs::create_dir(&open).expect("a directory");
    std::fs::rename(desk.path("libmine.so"), open.join("lib.so")).expect("moved");
    symlink(open.join("lib.so"), desk.path("libmine.so")).expect("a link");
    desk.pin(&[]);
    succeeds(&desk.render());
    mode(&open, 0o777);
    refused(&desk, &["open is not used: everybody may write to it"]);
}

#[test]
fn what_belongs_to_another_user_or_group_is_not_used() {
    let desk = Desk::new();
    desk.pin(&[]);
    let library = desk.path("libmine.so");
    let own = std::fs::metadata(&library).expect("a file").gid();
    mode(&library, 0o775);
    succeeds(&desk.render());
    if chown(&library, None, Some(own + 4711)).is_err() {
        // Only the administrator can give a file away; the rest cannot be tried by others.
        return;
    }
    mode(&library, 0o775);
    refused(&desk, &["libmine.so is not used: the group"]);
    mode(&library, 0o755);
    desk.configure("");
    succeeds(&desk.render());
    chown(&library, Some(4711), None).expect("given away");
    refused(
        &desk,
        &["libmine.so is not used: it belongs to the user 4711"],
    );
}

#[test]
fn what_is_exchanged_between_check_and_use_never_runs() {
    let dir = tempfile::tempdir().expect("a directory");
    let good = broken(dir.path(), "none");
    let evil = example("misbehaving");
    let name = dir.path().join("libplugin.so");
    symlink(&good, &name).expect("a link");
    let sha256 = sha256_hex(&std::fs::read(&good).expect("the library"));
    let locked = Locked {
        id: ID.into(),
        sha256: sha256.clone(),
        ..Locked::default()
    };
    let finder = Finder {
        locks: vec![Lock {
            plugins: vec![locked],
            ..Lock::default()
        }],
        force: Some(Mode::Trusted),
        ..Finder::default()
    };
    let done = AtomicBool::new(false);
    let (mut loaded, mut refused) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let other = dir.path().join("next");
            while !done.load(Ordering::Relaxed) {
                for target in [&evil, &good] {
                    symlink(target, &other).expect("a link");
                    std::fs::rename(&other, &name).expect("swapped");
                }
            }
        });
        for _ in 0..200 {
            match finder.load(&name.to_string_lossy()) {
                Ok(plugin) => {
                    assert_eq!((plugin.manifest.id.as_str(), &plugin.sha256), (ID, &sha256));
                    loaded += 1;
                }
                Err(error) => {
                    let text = error.to_string();
                    assert!(text.contains("misbehaving is not trusted"), "{text}");
                    refused += 1;
                }
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(
        loaded > 10 && refused > 10,
        "{loaded} loaded, {refused} refused"
    );
}
