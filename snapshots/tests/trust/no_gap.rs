//! Between check and use nothing can be exchanged: what runs is what the lock lists.

use std::{
    os::unix::fs::symlink,
    sync::atomic::{AtomicBool, Ordering},
};

use eyemap_snapshots::desk::{fails, succeeds};

use eyemap_engine::plugins::{Finder, Lock, Locked, Mode, PluginError, read_manifest, sha256_hex};

use super::*;

const FAULT: &str = "exit@load";

/// A good library, one whose first code ends the process, and a path that means one of them.
struct Swap {
    dir: TempDir,
    good: PathBuf,
    evil: PathBuf,
}

impl Swap {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let good = eyemap_snapshots::broken::broken(dir.path(), "none");
        let evil = eyemap_snapshots::broken::broken(dir.path(), FAULT);
        Self { dir, good, evil }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("libswapped.so")
    }

    /// Lets the path mean another file, without a moment in which it means none.
    fn point_at(&self, target: &Path) {
        let fresh = self.dir.path().join("fresh");
        symlink(target, &fresh).expect("a link");
        std::fs::rename(&fresh, self.path()).expect("renamed");
    }

    /// Runs in this process what has the hash of the good one.
    fn finder(&self) -> Finder {
        let bytes = std::fs::read(&self.good).expect("the library");
        let manifest = read_manifest(&self.good, &bytes).expect("its manifest");
        let lock = Lock {
            plugins: vec![Locked::of(&manifest, sha256_hex(&bytes))],
            ..Lock::default()
        };
        Finder {
            locks: vec![lock],
            modes: [(ID.into(), Mode::Trusted)].into(),
            ..Finder::default()
        }
    }
}

/// The evil one would end this process, with a code that fails the test.
#[test]
fn a_link_that_is_swapped_while_two_hundred_loads_look_at_it() {
    let swap = Swap::new();
    swap.point_at(&swap.good);
    let (finder, done) = (swap.finder(), AtomicBool::new(false));
    let path = swap.path().display().to_string();
    let (mut loaded, mut refused) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                swap.point_at(&swap.evil);
                std::thread::yield_now();
                swap.point_at(&swap.good);
                std::thread::yield_now();
            }
        });
        let good = &finder.locks[0].plugins[0].sha256;
        while loaded + refused < 200 || loaded == 0 || refused == 0 {
            match finder.load(&path) {
                Ok(plugin) => {
                    assert_eq!((&plugin.sha256, plugin.mode()), (good, Mode::Trusted));
                    loaded += 1;
                }
                Err(PluginError::Changed { found, .. }) => {
                    assert_ne!(&found, good);
                    refused += 1;
                }
                Err(error) => {
                    done.store(true, Ordering::Relaxed);
                    panic!("{error}");
                }
            }
        }
        done.store(true, Ordering::Relaxed);
    });
}

/// That the evil one is evil: accepted, it ends the process that loads it, which is a worker the first time.
#[test]
fn the_evil_library_does_end_a_process_that_accepts_it() {
    let project = Project::new();
    let swap = Swap::new();
    std::fs::copy(&swap.evil, project.library()).expect("copied");
    succeeds(&project.run(&["plugin", "pin", "plugins/libstranger.so", "--in-process"]));
    let said = [
        "its worker crashed",
        "it ended itself with exit code 0",
        "loading the library",
    ];
    fails(&project.render(), 2, &said);
    assert!(!project.path("out/.manifest.json").exists());
}

#[test]
fn a_file_that_is_overwritten_after_it_was_loaded_changes_nothing() {
    let swap = Swap::new();
    let path = swap.dir.path().join("libmine.so");
    std::fs::copy(&swap.good, &path).expect("copied");
    let finder = swap.finder();
    let plugin = finder.load(&path.display().to_string()).expect("loaded");
    // In place: with a library that is mapped from the file this would change the code that runs.
    std::fs::write(&path, vec![0xcc; 1 << 20]).expect("overwritten");
    let described = plugin.describe().expect("its code still runs");
    assert!(!described.extensions.is_empty());
}
