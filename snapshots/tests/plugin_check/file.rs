//! Checks that look at the file.

use eyemap_abi::root::ENTRY_SYMBOL;

use super::*;

#[test]
fn a_file_that_cannot_be_read_fails_one_check_and_the_others_say_so() {
    let desk = Desk::new(b"");
    let (report, code) = desk.report(&[]);
    assert_eq!(
        (code, &report["failed"], &report["passed"]),
        (1, &1.into(), &0.into())
    );
    assert!(desk.failure("file-readable").contains("it is empty"));
    std::fs::remove_file(desk.path("libx.so")).expect("removed");
    std::fs::create_dir(desk.path("libx.so")).expect("a directory");
    assert!(
        desk.failure("file-readable")
            .contains("no file: a directory")
    );
}

#[test]
fn a_text_file_fails_once_and_is_not_loaded() {
    let (report, code) = Desk::new(b"#!/bin/sh\necho hello\n").report(&[]);
    assert_eq!((code, &report["failed"]), (1, &1.into()), "{report:#}");
    for check in report["checks"].as_array().expect("checks") {
        if check["runs_code"] == true {
            assert_eq!(check["outcome"], "skipped", "{check:#}");
            assert_eq!(check["why"], "elf-well-formed does not hold");
        }
    }
}

#[test]
fn elf_well_formed() {
    fails(b"#!/bin/sh\n", "elf-well-formed", "no ELF file");
    fails(&good()[..40], "elf-well-formed", "no whole header");
    let half = good().len() / 2;
    fails(&good()[..half], "elf-well-formed", "truncated");
    let mut object = good();
    patch::put(&mut object, 16, &1_u16.to_le_bytes());
    fails(&object, "elf-well-formed", "no shared library");
}

#[test]
fn elf_segments_in_file() {
    let loaded = patch::segments(&good(), object::elf::PT_LOAD.0)[1];
    let with = |place: usize, value: u64| {
        let mut bytes = good();
        patch::put(&mut bytes, loaded + place, &value.to_le_bytes());
        bytes
    };
    let id = "elf-segments-in-file";
    fails(&with(32, 1 << 40), id, "the file at byte");
    fails(&with(8, u64::MAX - 5), id, "beyond what a file can have");
    fails(&with(40, 1), id, "and 1 in memory");
    fails(&with(40, 1 << 40), id, "bytes of memory, more than");
    fails(&with(16, 12345), id, "not aligned");
}

#[test]
fn arch_matches() {
    let mut bytes = good();
    patch::put(&mut bytes, 18, &243_u16.to_le_bytes());
    fails(&bytes, "arch-matches", "ELF machine 243");
}

#[test]
fn glibc_floor() {
    let bytes = patch::replace(&good(), b"\0GLIBC_2.34\0", b"\0GLIBC_2.99\0");
    fails(&bytes, "glibc-floor", "needs glibc 2.99 for ");
}

#[test]
fn no_platform_math() {
    let id = "no-platform-math";
    fails(
        &example("platform_math"),
        id,
        "it takes sin from the C library",
    );
    passes(&good(), id);
}

#[test]
fn needed_libs_allowlist() {
    let bytes = patch::replace(&good(), b"\0libgcc_s.so.1\0", b"\0libfft_s.so.1\0");
    fails(&bytes, "needed-libs-allowlist", "libfft_s.so.1");
    fails(&bytes, "resolve-now", "libfft_s.so.1");
}

#[test]
fn exports_only_entry() {
    // A symbol that it used becomes one that it provides.
    let mut bytes = good();
    let entry = patch::symbol_entry(&bytes, "_Unwind_Backtrace");
    patch::put(&mut bytes, entry + 6, &9_u16.to_le_bytes());
    fails(&bytes, "exports-only-entry", "_Unwind_Backtrace");
    let other = ENTRY_SYMBOL.replace("root", "ROOT");
    let bytes = patch::replace(&good(), ENTRY_SYMBOL.as_bytes(), other.as_bytes());
    fails(&bytes, "exports-only-entry", "does not export the entry");
}

#[test]
fn no_extra_constructors() {
    fails(&faulty("none"), "no-extra-constructors", "3 functions run");
    let mut bytes = good();
    let size = patch::dynamic(&bytes, object::elf::DT_INIT_ARRAYSZ.0 as u64);
    patch::put(&mut bytes, size, &40_u64.to_le_bytes());
    fails(&bytes, "no-extra-constructors", "5 functions run");
}

#[test]
fn manifest_section_present() {
    let id = "manifest-section-present";
    let renamed = patch::replace(&good(), b".eyemap.manifest\0", b".eyemap.manifesto");
    fails(&renamed, id, "it has no section .eyemap.manifest");
    let broken = patch::replace(&good(), b"{\"id\":\"org.", b"[\"id\":\"org.");
    fails(&broken, id, "is no JSON");
}

#[test]
fn manifest_schema() {
    let id = "manifest-schema";
    let with = |from: &str, to: &str| patch::replace(&good(), from.as_bytes(), to.as_bytes());
    fails(
        &with("\"version\":\"0.1.0\"", "\"version\":\"0.1.x\""),
        id,
        "a version such as 1.2.3",
    );
    fails(
        &with("\"license\":\"MIT\"", "\"license\":\"   \""),
        id,
        "an SPDX expression",
    );
    fails(
        &with("\"license\":", "\"licence\":"),
        id,
        r#"the key \"license\" is missing"#,
    );
    fails(
        &with("\"thread_safety\":\"sync\"", "\"thread_safety\":\"sink\""),
        id,
        "sync or exclusive",
    );
    fails(
        &with("\"pure\":true", "\"pure\":1234"),
        id,
        r#"the key \"pure\" is no true or false"#,
    );
    fails(
        &with("\"id\":\"org.eyemap", "\"id\":\"org eyemap"),
        id,
        "reverse-DNS",
    );
    let unknown = with("eyemap.cache/1\",\"eyemap.d", "eyemap.other/7\",\"eyemap.d");
    passes(&unknown, id);
}

#[test]
fn panic_strategy_unwind() {
    let id = "panic-strategy-unwind";
    let said = patch::replace(&good(), b"\"panic\":\"unwind\"", b"\"panic\":\"abort\" ");
    fails(&said, id, "says panic =");
    // It says that it unwinds, and cannot: as a library built with `-C panic=abort` that lies.
    let cannot = patch::replace(
        &good(),
        b"_Unwind_RaiseException\0",
        b"_Unwind_ForcedUnwind__\0",
    );
    fails(&cannot, id, "nothing in it starts to unwind");
}

#[test]
fn ids_unique() {
    let twice = patch::replace(&good(), b"\"eyemap.describe/1\"", b"\"eyemap.cache/1\"   ");
    fails(&twice, "ids-unique", "exports eyemap.cache/1 twice");
    let desk = Desk::new(&good());
    std::fs::write(desk.path("other.so"), b"no library").expect("a file");
    std::fs::hard_link(desk.path("libx.so"), desk.path("libx-1.so")).expect("a link");
    passes(&good(), "ids-unique");
    assert_eq!(desk.report(&["--only", "ids-unique"]).1, 0);
    std::fs::write(desk.path("twin.so"), good()).expect("a copy");
    assert!(desk.failure("ids-unique").contains("twin.so has the id"));
}
