//! Full disks and Ctrl-C: what is there is complete, and the same command goes on.

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{Desk, succeeds};

/// Many types, so that a run takes seconds.
fn large_table(types: usize) -> String {
    let mut table = "cell_type,region,side,hex1,hex2,synapses\n".to_owned();
    for cell_type in 0..types {
        for column in 0..30 {
            table += &format!(
                "T{cell_type},ME,R,{},{},{}\n",
                column / 6,
                column % 6,
                column * cell_type
            );
        }
    }
    table
}

/// Every file of the manifest is there with its size, and nothing is half-written.
fn is_whole(desk: &Desk) -> usize {
    let files = desk.files();
    assert!(
        files.keys().all(|name| !name.ends_with(".tmp")),
        "{:?}",
        files.keys()
    );
    let manifest: serde_json::Value =
        serde_json::from_slice(&files["manifest.json"]).expect("a manifest");
    let maps = manifest["maps"].as_array().expect("maps");
    for map in maps {
        let path = map["path"].as_str().expect("a path");
        assert_eq!(
            Some(files[path].len() as u64),
            map["bytes"].as_u64(),
            "{path}"
        );
    }
    maps.len()
}

/// Waits until it is so, however busy the machine is.
fn until(mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(
            start.elapsed() < Duration::from_secs(600),
            "it never came to that"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn ended(child: &mut Child) -> bool {
    child.try_wait().expect("asked").is_some()
}

/// Whether a first picture is complete.
fn holds_a_picture(desk: &Desk) -> bool {
    let dir = std::fs::read_dir(desk.path("out/ME_R/synapses"));
    dir.into_iter().flatten().flatten().next().is_some()
}

/// Maps in the journal of a run.
fn noted(desk: &Desk) -> usize {
    let journal = std::fs::read_to_string(desk.path("out/.manifest.journal.jsonl"));
    journal.unwrap_or_default().matches('\n').count()
}

/// Whether a file that is not complete has bytes.
fn is_writing(desk: &Desk) -> bool {
    let files = crate::files_in(&desk.path("out/.eyemap-tmp"));
    files.values().any(|bytes| !bytes.is_empty())
}

fn interrupt(pid: u32) {
    let sent = Command::new("kill")
        .args(["-INT", &pid.to_string()])
        .status();
    assert!(sent.is_ok_and(|status| status.success()));
}

#[test]
fn ctrl_c_leaves_whole_files_and_the_same_command_draws_the_rest() {
    let desk = Desk::new(&large_table(3000));
    let mut command = eyemap_snapshots::eyemap();
    command.args(["render", "table.csv", "-o", "out", "--format", "png,json"]);
    command.args(["--report", "run.json", "--trace", "trace.json"]);
    let mut child = command
        .current_dir(desk.dir.path())
        .stderr(Stdio::null())
        .spawn()
        .expect("eyemap starts");
    until(|| holds_a_picture(&desk) || ended(&mut child));
    interrupt(child.id());
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(130));
    let drawn = is_whole(&desk);
    assert!(0 < drawn && drawn < 6000, "{drawn} of 6000 were drawn");
    let json = |name: &str| -> serde_json::Value {
        let bytes = std::fs::read(desk.path(name)).expect(name);
        serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    let report = json("run.json");
    assert_eq!(report["run"]["outcome"], "interrupted");
    assert_eq!(report["output"]["files"], drawn);
    assert!(
        json("trace.json")
            .as_array()
            .is_some_and(|events| events.len() > drawn)
    );
    succeeds(&desk.render(&["--format", "png,json"]));
    assert_eq!(is_whole(&desk), 6000);
}

#[test]
fn a_kill_loses_nothing_that_was_noted() {
    let desk = Desk::new(&large_table(2000));
    let mut command = eyemap_snapshots::eyemap();
    command.args(["render", "table.csv", "-o", "out", "--format", "png"]);
    command.args(["--trace", "trace.json"]);
    let mut child = command
        .current_dir(desk.dir.path())
        .stderr(Stdio::null())
        .spawn()
        .expect("eyemap starts");
    until(|| noted(&desk) > 0 || ended(&mut child));
    child.kill().expect("killed");
    child.wait().expect("it ends");
    let trace = std::fs::read_to_string(desk.path("trace.json")).expect("a timeline");
    let lines: Vec<&str> = trace.lines().skip(1).collect();
    let event =
        |line: &&&str| serde_json::from_str::<serde_json::Value>(line.trim_end_matches(','));
    let whole = lines.iter().take_while(|line| event(line).is_ok()).count();
    assert!(whole > 0, "no event in {trace}");
    // The line that was being written, and the end.
    assert!(lines.len() - whole <= 2, "{:?}", &lines[whole..]);
    let journal = desk
        .files()
        .into_iter()
        .find(|(name, _)| name.contains("journal"))
        .expect("the journal of the killed run");
    let noted = journal.1.iter().filter(|&&byte| byte == b'\n').count();
    assert!(
        noted > 0,
        "it was killed before it had noted a map, or after its end"
    );
    // The next run draws one type only, and still lists all that the killed one had noted.
    succeeds(&desk.render(&["--format", "png", "--type", "T1999"]));
    let files = desk.files();
    let manifest: serde_json::Value =
        serde_json::from_slice(&files["manifest.json"]).expect("a manifest");
    let listed = manifest["maps"].as_array().map_or(0, Vec::len);
    assert!(listed >= noted, "{listed} listed of {noted} noted");
    assert!(files.keys().all(|name| !name.contains("journal")));
}

#[test]
fn a_full_disk_is_named_and_what_is_there_is_whole() {
    let desk = Desk::new(&large_table(400));
    let script = "mkdir -p out && mount -t tmpfs -o size=300k none out && \
        \"$EYEMAP\" render table.csv -o out --format json; code=$?; \
        find out -name '*.tmp' -o -name .eyemap-tmp | wc -l > leftovers; \
        cat out/.manifest.journal.jsonl > journal 2>/dev/null; cp -r out copy; exit $code";
    let Some(output) = crate::on_a_small_disk(&desk, script, "leftovers") else {
        return;
    };
    crate::fails(&output, 2, &["cannot", "No space left on device", "space"]);
    let read = |name: &str| std::fs::read_to_string(desk.path(name)).unwrap_or_default();
    assert_eq!(read("leftovers").trim(), "0");
    for line in read("journal").lines() {
        let Ok(entry) = serde_json::from_str::<serde_json::Value>(line) else {
            continue;
        };
        let path = desk
            .path("copy")
            .join(entry["path"].as_str().expect("a path"));
        let size = std::fs::metadata(&path).expect("a complete file").len();
        assert_eq!(Some(size), entry["bytes"].as_u64(), "{}", path.display());
    }
}

#[test]
fn ctrl_c_ends_a_single_huge_map_in_its_middle_and_leaves_nothing_of_it() {
    let mut table = "cell_type,region,side,hex1,hex2,synapses\n".to_owned();
    for column in 0..200_000 {
        table += &format!(
            "Wide,ME,R,{},{},{}\n",
            column / 450,
            column % 450,
            column % 97
        );
    }
    let desk = Desk::new(&table);
    let mut command = eyemap_snapshots::eyemap();
    command.args(["render", "table.csv", "-o", "out", "--format", "png"]);
    command.args(["--scale", "4"]);
    let mut child = command
        .current_dir(desk.dir.path())
        .stderr(Stdio::null())
        .spawn()
        .expect("eyemap starts");
    // It is in the middle of its picture once there are bytes in a file that is not complete.
    until(|| is_writing(&desk) || ended(&mut child));
    interrupt(child.id());
    let status = child.wait().expect("it ends");
    // Had it gone on to the end of the picture, that would be there.
    assert_eq!(status.code(), Some(130));
    assert_eq!(is_whole(&desk), 0);
    assert!(!desk.path("out/.eyemap-tmp").exists());
}
