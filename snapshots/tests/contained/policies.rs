//! Cache policies in a worker: they decide as they do in this process, and a cache outlives them.

use eyemap_engine::{
    cache::{Facts, Gone, Inserted, Manner, PolicySource, Shard},
    plugins::{Finder, Mode},
};
use eyemap_snapshots::{broken::broken, policies::BUNDLED};

/// What happens to a cache that is asked for keys: which left, in order, and which were stored.
fn lived(source: &PolicySource, asked: usize) -> (Vec<String>, Option<String>) {
    let mut shard: Shard<u64, u64> = Shard::new(source, 60, Manner::default()).expect("a shard");
    let (mut told, mut state) = (Vec::new(), 7_u64);
    for tick in 0..asked as u64 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let drawn = state >> 33;
        let key = (drawn % 40).min(drawn / 40 % 40);
        let mut gone = Gone::new();
        if shard.get(&key, tick, None, &mut gone).is_none() {
            let facts = Facts::new(1 + key % 9, 1000 * (1 + key % 3));
            let stored = shard.insert(key, key + 1, facts, tick, &mut gone) == Inserted::Stored;
            told.push(format!("{key} {stored} {gone:?}"));
        }
        assert!(shard.occupied() <= shard.capacity());
    }
    (told, shard.fault().map(str::to_owned))
}

fn finder(mode: Mode) -> Finder {
    Finder {
        force: Some(mode),
        ..eyemap_snapshots::finder()
    }
}

#[test]
fn every_policy_of_the_bundle_decides_alike_in_a_worker() {
    for (name, options) in BUNDLED {
        let lived = |mode| {
            let source = PolicySource::load(&finder(mode), name, options).expect("a policy");
            lived(&source, 1500)
        };
        let (here, there) = (lived(Mode::Trusted), lived(Mode::Contained));
        assert_eq!(here, there, "{name} {options}");
        assert_eq!(here.1, None, "{name}");
        assert!(
            here.0.iter().any(|line| line.contains("(")),
            "{name}: nothing ever left"
        );
    }
}

#[test]
fn a_cache_outlives_the_worker_of_its_policy() {
    for (fault, said) in [
        ("segfault@call", "SIGSEGV"),
        ("exit@call", "exit code 0"),
        ("abort@call", "SIGABRT"),
        ("endless-loop@call", "did not answer within"),
    ] {
        let dir = tempfile::tempdir().expect("a directory");
        let path = broken(dir.path(), fault);
        let mut finder = finder(Mode::Contained);
        if fault.starts_with("endless") {
            finder.workers.limits.call = std::time::Duration::from_millis(500);
        }
        finder.trust_file(&path).expect("a plugin");
        let source = PolicySource::load(&finder, &path.to_string_lossy(), "{}").expect("a policy");
        let (told, failed) = lived(&source, 300);
        let failed = failed.unwrap_or_else(|| panic!("{fault}: it did not fail"));
        assert!(
            failed.contains("its decide failed: its worker crashed once"),
            "{fault}: {failed}"
        );
        assert!(failed.contains(said), "{fault}: {failed}");
        // Behind it stands first in, first out.
        assert!(told.len() > 50, "{fault}: {}", told.len());
    }
}
