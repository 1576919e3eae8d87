//! Which fault makes which check fail, and what the check then says.

/// A fault of the fixture `broken`.
pub(crate) struct Fault {
    pub(crate) check: &'static str,
    pub(crate) fault: &'static str,
    /// Part of what the check says.
    pub(crate) words: &'static str,
    /// What its manifest promises, and what it promises in place of that; empty if it is as it was.
    pub(crate) promise: [&'static str; 2],
}

const fn fault(check: &'static str, fault: &'static str, words: &'static str) -> Fault {
    Fault {
        check,
        fault,
        words,
        promise: [""; 2],
    }
}

/// A promise that the fixture does not need.
const MINDS_BATCHES: [&str; 2] = [r#""chunk_invariant": true"#, r#""chunk_invariant":false"#];

const ELSEWHERE: &str = "contained-equals-in-process";

/// What a check must not blame: a plugin that does this is a good one.
pub(crate) const GOOD: &[Fault] = &[
    Fault {
        promise: MINDS_BATCHES,
        ..fault("thread-invariance", "minds-batch", "")
    },
    fault("no-leak-or-allocation-growth", "slow@prepare", ""),
    fault("call-panic-contained", "slow@prepare", ""),
    // The checks of policies say so.
    fault("call-panic-contained", "refuses-to-decide", ""),
];

/// The checks that are tried here.
pub(crate) const NAMES: &[&str] = &[
    "config-schema-valid",
    "constructor-panic-contained",
    "call-panic-contained",
    "empty-batch",
    "batch-sizes-1-to-1M",
    "unaligned-tail-lengths",
    "length-mismatch-rejected",
    "nan-inf-subnormal",
    "extreme-coordinates",
    "guard-page-overrun",
    "inputs-unmodified",
    "all-outputs-written",
    "deterministic-repeat",
    "deterministic-across-processes",
    "chunk-invariance",
    "thread-invariance",
    "contained-equals-in-process",
    "no-stdout-no-exit-no-signal-change",
    "no-leak-or-allocation-growth",
    "cost-hint-honest",
    "victims-resident",
    "victims-sufficient",
    "victims-no-duplicates",
    "model-trace-equivalence",
    "clock-monotone-only",
    "hostile-trace-terminates",
];

const UNTOUCHED: &str = "no-stdout-no-exit-no-signal-change";

pub(crate) const FAULTS: &[Fault] = &[
    fault(
        "constructor-panic-contained",
        "panic@create",
        "panicked: asked to panic",
    ),
    fault(
        "constructor-panic-contained",
        "uncaught-panic@create",
        "the process crashed: SIGABRT",
    ),
    fault("constructor-panic-contained", "segfault@create", "SIGSEGV"),
    fault("constructor-panic-contained", "abort@create", "SIGABRT"),
    fault(
        "constructor-panic-contained",
        "stack-overflow@create",
        "the process crashed: SIG",
    ),
    fault(
        "constructor-panic-contained",
        "exit@load",
        "ended the process with exit code 0",
    ),
    fault(
        "call-panic-contained",
        "panic@call",
        "asked to panic (at snapshots/fixtures/examples/broken/process.rs",
    ),
    fault(
        "call-panic-contained",
        "panic@prepare",
        "`prepare`: panicked: asked to panic",
    ),
    fault(
        "call-panic-contained",
        "panic@describe",
        "`describe`: panicked: asked to panic",
    ),
    fault(
        "call-panic-contained",
        "uncaught-panic@call",
        "ended the process with exit code 1",
    ),
    fault(
        "call-panic-contained",
        "non-utf8-label",
        "the description is not UTF-8 from its byte 10 on",
    ),
    fault("call-panic-contained", "segfault@drop", "SIGSEGV"),
    fault(
        "empty-batch",
        "refuses-empty",
        "of no columns: 0 columns are not to be done",
    ),
    fault(
        "batch-sizes-1-to-1M",
        "refuses-large",
        "`place` of 1000000 columns: 1000000 columns are not to be done",
    ),
    fault("batch-sizes-1-to-1M", "nan", "it is placed at NaN,"),
    fault(
        "unaligned-tail-lengths",
        "forgets-tail",
        "`color` of 1 columns answers otherwise",
    ),
    fault(
        "unaligned-tail-lengths",
        "write-past-end",
        "writes beside `rgba`",
    ),
    fault(
        "length-mismatch-rejected",
        "ignores-lengths",
        "`color` with 9 elements in `values` and 10 in the others is answered",
    ),
    fault(
        "nan-inf-subnormal",
        "nan-spreads",
        "value NaN, has data) changes the answer for column 0 of 7",
    ),
    fault("extreme-coordinates", "overflows", "a sum of 32 bits"),
    fault(
        "guard-page-overrun",
        "write-past-end",
        "writes 1 bytes past the end of `rgba` (SIGSEGV)",
    ),
    fault(
        "guard-page-overrun",
        "write-before-start",
        "writes 4 bytes before `rgba` (SIGSEGV)",
    ),
    fault(
        "guard-page-overrun",
        "read-past-end",
        "reads 1 bytes past the end of `values` (SIGSEGV)",
    ),
    fault(
        "guard-page-overrun",
        "exit@call",
        "ends the process with code 0",
    ),
    fault(
        "guard-page-overrun",
        "victims-past-end",
        "writes 1 bytes past the end of `out_victims` (SIGSEGV)",
    ),
    fault("inputs-unmodified", "changes-inputs", "changes `values[0]`"),
    fault(
        "all-outputs-written",
        "leaves-unwritten",
        "`color` does not write `rgba[",
    ),
    fault(
        "all-outputs-written",
        "wrong-lengths",
        "1 layer labels for 0 layers",
    ),
    fault(
        "deterministic-repeat",
        "counts-calls",
        "answers otherwise when asked for time 2, for column 0",
    ),
    fault(
        "deterministic-across-processes",
        "panic@call",
        "panicked: asked to panic",
    ),
    fault(
        "deterministic-across-processes",
        "minds-process",
        "answered otherwise than process 1",
    ),
    fault(
        "chunk-invariance",
        "minds-batch",
        "in a batch of columns 0 to",
    ),
    fault(
        "thread-invariance",
        "minds-threads",
        "answers otherwise while other threads ask",
    ),
    fault(
        "contained-equals-in-process",
        "minds-containment",
        "the contained plugin answered otherwise",
    ),
    fault(
        "contained-equals-in-process",
        "threads-used@call",
        "failed to spawn thread",
    ),
    fault(
        ELSEWHERE,
        "minds-home",
        "it asked for the environment variable \"HOME\"",
    ),
    fault(
        ELSEWHERE,
        "minds-setting",
        "it asked for the environment variable \"EYEMAP_FIXTURE_PALETTE\"",
    ),
    fault(ELSEWHERE, "minds-day", "it asked for the time of day"),
    fault(
        ELSEWHERE,
        "minds-machine",
        "it asked for the name of the machine",
    ),
    fault(
        ELSEWHERE,
        "minds-directory",
        "answered otherwise than process 1",
    ),
    fault(
        ELSEWHERE,
        "minds-zone",
        "a process elsewhere answered otherwise than process 1",
    ),
    fault(
        ELSEWHERE,
        "reads-quietly@prepare",
        "it opens \"/etc/hostname\"",
    ),
    fault(
        ELSEWHERE,
        "chdir@create",
        "it changes the current directory of its process to \"/usr/lib\"",
    ),
    fault(
        "no-leak-or-allocation-growth",
        "grows",
        "about 4 bytes an insert",
    ),
    Fault {
        promise: [r#""cost_hint_ns":    10"#, r#""cost_hint_ns":900000"#],
        ..fault("cost-hint-honest", "none", "(`cost_hint_ns` 900000)")
    },
    fault(
        "config-schema-valid",
        "schema-of-another-type",
        "the key \"few\" has the default \"3\"",
    ),
    fault(
        "call-panic-contained",
        "slices-names",
        "take letters and not bytes of a name",
    ),
    fault(
        "batch-sizes-1-to-1M",
        "crashes-near-1001",
        "the process crashed: SIGSEGV",
    ),
    fault(
        "victims-sufficient",
        "refuses-to-decide",
        "it gives no answer",
    ),
    fault(UNTOUCHED, "prints", "it prints: \"a plugin prints\\n"),
    fault(UNTOUCHED, "prints@load", "it prints: \"a plugin prints\\n"),
    fault(UNTOUCHED, "exit@call", "ended the process with exit code 0"),
    fault(
        UNTOUCHED,
        "signal-handler@load",
        "another handler of SIGSEGV",
    ),
    fault(
        UNTOUCHED,
        "signal-handler@prepare",
        "another handler of SIGSEGV",
    ),
    fault(UNTOUCHED, "threads-left@create", "threads are left running"),
    fault(
        "no-leak-or-allocation-growth",
        "leak@call",
        "bytes more are in use after 200 rounds",
    ),
    fault(
        "no-leak-or-allocation-growth",
        "leak@create",
        "bytes more are in use after",
    ),
    fault(
        "cost-hint-honest",
        "dear",
        "times what the manifest states (`cost_hint_ns` 10)",
    ),
    fault(
        "victims-resident",
        "victim-not-resident",
        "it names a slot that never held an entry",
    ),
    fault(
        "victims-resident",
        "victim-gone",
        "it names a slot whose entry had left",
    ),
    fault(
        "victims-sufficient",
        "victims-too-few",
        "it names too few victims although there are more",
    ),
    fault(
        "victims-no-duplicates",
        "victim-twice",
        "it names a slot twice in a decision",
    ),
    fault(
        "model-trace-equivalence",
        "minds-calls",
        "it decides otherwise in calls of",
    ),
    fault(
        "model-trace-equivalence",
        "loses-order",
        "when its state is written and read after every",
    ),
    fault(
        "clock-monotone-only",
        "minds-ticks",
        "when the clock begins a tick later",
    ),
    fault(
        "hostile-trace-terminates",
        "endless-at-nothing",
        "it did not end within",
    ),
    // What asks the system for something says whether it got it.
    fault(
        "call-panic-contained",
        "network@call",
        "panicked: network: refused",
    ),
    fault(
        "call-panic-contained",
        "reads-files@prepare",
        "panicked: reads-files: refused",
    ),
    fault(
        "call-panic-contained",
        "writes-files@describe",
        "panicked: writes-files: refused",
    ),
    fault(
        "constructor-panic-contained",
        "spawns@create",
        "panicked: spawns: refused",
    ),
    fault(
        "constructor-panic-contained",
        "fork@create",
        "panicked: fork: refused",
    ),
    fault("empty-batch", "endless-loop@call", "it did not end within"),
    fault("empty-batch", "sleep@create", "it did not end within"),
];
