//! Nothing leads out, whatever lies in between.

use std::{
    io::{Read as _, Write as _},
    os::unix::fs::symlink,
};

use super::*;

/// A directory of ours, and one of somebody else with a file.
struct Two {
    ours: tempfile::TempDir,
    theirs: tempfile::TempDir,
    dir: Dir,
}

fn two() -> Two {
    let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(theirs.path().join("file"), "theirs").unwrap();
    let dir = Dir::open(ours.path()).unwrap();
    Two { ours, theirs, dir }
}

impl Two {
    fn link(&self, name: &str, to: &str) {
        symlink(self.theirs.path().join(to), self.ours.path().join(name)).unwrap();
    }

    /// Whether the other directory is as it was.
    fn is_untouched(&self) -> bool {
        let names = std::fs::read_dir(self.theirs.path()).unwrap().count();
        names == 1 && std::fs::read(self.theirs.path().join("file")).unwrap() == b"theirs"
    }
}

fn refused(error: io::Error) -> String {
    assert!(Refused::of(&error).is_some(), "{error:?}");
    error.to_string()
}

#[test]
fn what_is_written_is_read_listed_and_removed() {
    let two = two();
    two.dir.write("a/b/map", b"one").unwrap();
    two.dir.write("a/b/map", b"whole").unwrap();
    assert_eq!(two.dir.read("a/b/map", 5).unwrap(), b"whole");
    let below = two.dir.dir("a/b").unwrap();
    assert_eq!(below.entries().unwrap(), [("map".into(), Kind::File)]);
    assert_eq!(two.dir.entries().unwrap(), [("a".into(), Kind::Dir)]);
    let look = two.dir.look("a/b/map").unwrap().unwrap();
    let seen = std::fs::metadata(two.ours.path().join("a/b/map")).unwrap();
    assert_eq!((look.kind, look.bytes), (Kind::File, seen.len()));
    two.dir.rename("a/b/map", &two.dir, "c/map").unwrap();
    assert_eq!(two.dir.look("a/b/map").unwrap(), None);
    two.dir.remove("c/map").unwrap();
    two.dir.remove("c/map").unwrap();
    two.dir.remove_dir("c").unwrap();
    assert_eq!(two.dir.look("c").unwrap(), None);
}

#[test]
fn appended_lines_follow_each_other_and_are_read_back() {
    let two = two();
    for line in ["one\n", "two\n"] {
        let mut log = two.dir.append("log").unwrap();
        log.write_all(line.as_bytes()).unwrap();
    }
    let mut text = String::new();
    let mut log = two.dir.update("log").unwrap();
    log.read_to_string(&mut text).unwrap();
    assert_eq!(text, "one\ntwo\n");
    let error = two.dir.create_new("log").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
}

#[test]
fn a_link_in_place_of_a_directory_is_named_and_nothing_behind_it_is_touched() {
    let two = two();
    two.link("out", "");
    two.dir.write("mine", b"mine").unwrap();
    let tries = [
        two.dir.write("out/file", b"ours"),
        two.dir.read("out/file", 100).map(drop),
        two.dir.append("out/file").map(drop),
        two.dir.update("out/file").map(drop),
        two.dir.create_new("out/new").map(drop),
        two.dir.rename("mine", &two.dir, "out/file"),
        two.dir.rename("out/file", &two.dir, "stolen"),
        two.dir.link(&two.ours.path().join("mine"), "out/new"),
        two.dir.link_to("out/file", &two.dir, "stolen"),
        two.dir.remove("out/file"),
        two.dir.look("out/file").map(drop),
        two.dir.make_dir("out/new").map(drop),
        two.dir.dir("out").map(drop),
    ];
    for (number, tried) in tries.into_iter().enumerate() {
        let error = refused(tried.expect_err(&number.to_string()));
        assert!(
            error.contains("out is a symbolic link"),
            "{number}: {error}"
        );
    }
    assert!(two.is_untouched());
}

#[test]
fn a_link_in_place_of_a_file_is_replaced_by_a_file_and_never_written_through() {
    let two = two();
    two.link("file", "file");
    for tried in [
        two.dir.read("file", 100).map(drop),
        two.dir.append("file").map(drop),
        two.dir.update("file").map(drop),
    ] {
        let error = refused(tried.unwrap_err());
        assert!(error.contains("file is a symbolic link"), "{error}");
    }
    two.dir.write("file", b"ours").unwrap();
    assert_eq!(two.dir.read("file", 4).unwrap(), b"ours");
    two.link("gone", "file");
    two.dir.remove("gone").unwrap();
    assert!(two.is_untouched());
}

#[test]
fn the_directory_itself_may_be_reached_through_a_link() {
    let two = two();
    let link = two.ours.path().join("link");
    symlink(two.theirs.path(), &link).unwrap();
    let dir = Dir::create(&link).unwrap();
    assert_eq!(dir.read("file", 10).unwrap(), b"theirs");
}

#[test]
fn names_that_lead_out_are_refused() {
    let two = two();
    for name in ["", "..", "../x", "a/../../x", "/etc/passwd", "."] {
        let error = refused(two.dir.read(name, 1).unwrap_err());
        assert!(error.contains("leads out of"), "{name}: {error}");
    }
}

#[test]
fn a_fifo_or_a_directory_in_place_of_a_file_is_named_without_waiting() {
    let two = two();
    rustix::fs::mkfifoat(CWD, two.ours.path().join("fifo"), Mode::RWXU).unwrap();
    std::fs::create_dir_all(two.ours.path().join("dir/full")).unwrap();
    for (name, told) in [("fifo", "is a FIFO"), ("dir", "is a directory")] {
        for tried in [
            two.dir.read(name, 100).map(drop),
            two.dir.append(name).map(drop),
            two.dir.update(name).map(drop),
        ] {
            let error = refused(tried.unwrap_err());
            assert!(error.contains(told), "{name}: {error}");
        }
    }
    let error = refused(two.dir.write("dir", b"x").unwrap_err());
    assert!(error.contains("dir is a directory"), "{error}");
    assert_eq!(
        two.dir.entries().unwrap().len(),
        2,
        "nothing is left behind"
    );
    let error = refused(two.dir.write("fifo/map", b"x").unwrap_err());
    assert!(error.contains("a directory belongs there"), "{error}");
}
