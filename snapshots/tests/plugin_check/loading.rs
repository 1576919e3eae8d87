//! Checks that load the library, and those of its configuration.

use eyemap_abi::root::ENTRY_SYMBOL;

use super::*;

#[test]
fn resolve_now_survives_what_a_library_does_while_it_is_loaded() {
    let id = "resolve-now";
    for (fault, said) in [
        ("crashes", "SIGSEGV, an invalid memory access"),
        ("overflows", "overflowed its stack"),
        ("aborts", "SIGABRT"),
        ("eats", "memory allocation of 268435456 bytes failed"),
        ("exits", "exit code 0, before the check was over"),
        ("prints", "printed more than 64 KiB"),
        ("hangs", "did not end within 5 s"),
    ] {
        fails(&faulty(fault), id, said);
    }
    passes(&faulty("none"), id);
}

/// Its checked bytes lie in memory, where the loader of a child finds them; whoever reads the report knows the
/// file.
#[test]
fn what_cannot_be_loaded_is_called_by_the_name_of_its_file() {
    for (name, id) in [
        ("refuses_to_start", "load-time-budget"),
        ("other_manifest", "manifest-matches-runtime"),
        ("other_layout", "contained-equals-in-process"),
    ] {
        let desk = Desk::new(&example(name));
        let (report, _) = desk.report(&["--only", id]);
        let check = report["checks"][0].to_string();
        assert!(check.contains("libx.so"), "{check}");
        assert!(!check.contains("/proc/self"), "{check}");
    }
}

#[test]
fn what_cannot_be_loaded_is_loaded_once_and_no_more() {
    let (report, code) = Desk::new(&faulty("crashes")).report(&[]);
    assert_eq!(code, 1);
    let checks = report["checks"].as_array().expect("checks");
    let of = |id: &str| {
        checks
            .iter()
            .find(|check| check["id"] == id)
            .expect("the check")
    };
    assert_eq!(of("resolve-now")["outcome"], "failed");
    assert_eq!(of("abi-header")["why"], "resolve-now does not hold");
    assert_eq!(of("config-fuzz-no-crash")["outcome"], "skipped");
}

#[test]
fn abi_header() {
    let mut bytes = good();
    let entry = patch::symbol(&bytes, ENTRY_SYMBOL);
    patch::put(&mut bytes, entry, b"another library");
    fails(&bytes, "abi-header", "the root of eyemap-abi 1");
    passes(&bytes, "resolve-now");
}

#[test]
fn manifest_matches_runtime() {
    let id = "manifest-matches-runtime";
    fails(&faulty("lies"), id, "the one of its code differ");
    fails(&example("other_manifest"), id, "the one of its code differ");
    passes(&faulty("refuses"), id);
}

#[test]
fn load_time_budget() {
    let id = "load-time-budget";
    fails(&faulty("slow"), id, "ms to load and start, more than 50 ms");
    fails(&faulty("refuses"), id, "the licence server is asleep");
    let desk = Desk::new(&faulty("refuses"));
    let failure = desk.failure(id);
    assert!(
        failure.contains("libx.so)") && !failure.contains("/proc/"),
        "{failure}"
    );
    passes(&faulty("none"), id);
}

#[test]
fn abi_layout_per_extension() {
    fails(
        &example("other_layout"),
        "abi-layout-per-extension",
        "eyemap.color/1",
    );
    // An extension that this host does not know is none of its business.
    passes(&example("too_new"), "abi-layout-per-extension");
}

#[test]
fn config_schema_valid() {
    let id = "config-schema-valid";
    fails(&faulty("no-meaning"), id, "has no description");
    fails(&faulty("no-type"), id, "has the type null");
    fails(&faulty("no-default"), id, "has no default");
    fails(
        &faulty("undescribed"),
        id,
        "does not describe its configuration",
    );
}

#[test]
fn config_defaults_work() {
    let id = "config-defaults-work";
    fails(&faulty("no-defaults"), id, "cannot be created without keys");
    passes(&faulty("none"), id);
    // Which table it wants is for its user to say.
    passes(&example("mollweide_coordinates"), id);
}

#[test]
fn config_unknown_key_rejected() {
    let id = "config-unknown-key-rejected";
    fails(&faulty("any-key"), id, "takes a key that it does not have");
    fails(&faulty("nameless"), id, "does not name it");
    fails(&faulty("wrong-kind"), id, "another kind than Config");
    passes(&faulty("none"), id);
}

#[test]
fn config_fuzz_no_crash() {
    let id = "config-fuzz-no-crash";
    fails(&faulty("panics"), id, "panics when it is created");
    fails(&faulty("unkind"), id, "as Internal");
    let crash = Desk::new(&faulty("falls")).failure(id);
    for part in ["SIGABRT", "stderr: eyemap.color/1 with"] {
        assert!(crash.contains(part), "no {part:?} in {crash}");
    }
    passes(&faulty("none"), id);
}

#[test]
fn a_failure_is_reproduced_by_the_command_that_it_prints() {
    let desk = Desk::new(&faulty("panics"));
    let said = |arguments: &[&str]| {
        let (report, _) = desk.report(arguments);
        let check = &report["checks"][0];
        (
            check["details"].clone(),
            report["seed"].clone(),
            check["again"].clone(),
        )
    };
    let only = ["--only", "config-fuzz-no-crash"];
    let (first, seed, again) = said(&only);
    let seed = seed.as_str().expect("a seed");
    let again = again.as_str().expect("a command");
    assert!(
        again.ends_with(&format!("--only config-fuzz-no-crash --reproduce {seed}")),
        "{again}"
    );
    let reproduced = said(&[&only[..], &["--reproduce", seed]].concat());
    assert_eq!(reproduced.0, first);
    // Two seeds may come upon the same fault; these do not all.
    let asked = ["1", "2", "3", "4", "5", "6"]
        .map(|seed| said(&[&only[..], &["--reproduce", seed]].concat()).0);
    assert!(
        asked.iter().any(|details| *details != asked[0]),
        "each seed asks the same: {asked:?}"
    );
}
