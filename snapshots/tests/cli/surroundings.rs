//! What surrounds a run: a reader that goes away, signals that are ignored, a directory that another run
//! holds, a limit of the size of files.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{Desk, TABLE, fails, succeeds};

/// Types enough that a run does not end before it is disturbed.
fn table() -> String {
    let mut table = "cell_type,region,side,hex1,hex2,synapses\n".to_owned();
    for cell_type in 0..1500 {
        for column in 0..30 {
            let (hex1, hex2, n) = (column / 6, column % 6, column * cell_type);
            table += &format!("T{cell_type},ME,R,{hex1},{hex2},{n}\n");
        }
    }
    table
}

fn command(desk: &Desk) -> Command {
    let mut command = eyemap_snapshots::eyemap();
    command
        .args(["render", "table.csv", "-o", "out", "--format", "json"])
        .current_dir(desk.dir.path());
    command
}

/// The command, started by a shell that says something of its surroundings first.
fn after(desk: &Desk, first: &str) -> Command {
    let eyemap = command(desk);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("{first}; exec \"$0\" \"$@\"")])
        .arg(eyemap.get_program())
        .args(eyemap.get_args())
        .env("NO_COLOR", "1")
        .current_dir(desk.dir.path());
    shell
}

fn drawn(desk: &Desk) -> usize {
    let dir = std::fs::read_dir(desk.path("out/ME_R/synapses"));
    dir.map_or(0, Iterator::count)
}

/// Waits until it is so, however busy the machine is.
fn until(mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        let waited = start.elapsed();
        assert!(waited < Duration::from_secs(600), "it never came to that");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(sent.is_ok_and(|status| status.success()), "{signal}");
}

#[test]
fn a_reader_of_standard_error_that_goes_away_ends_no_run() {
    let desk = Desk::new(TABLE);
    let mut child = command(&desk)
        .env("EYEMAP_LOG", "debug")
        .stderr(Stdio::piped())
        .spawn()
        .expect("eyemap starts");
    drop(child.stderr.take());
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(0));
    let manifest = std::fs::read_to_string(desk.path("out/manifest.json")).expect("a manifest");
    assert_eq!(manifest.matches("\"cell_type\"").count(), 12, "{manifest}");
}

#[test]
fn signals_that_are_ignored_when_a_run_begins_do_not_end_it() {
    let desk = Desk::new(&table());
    let mut child = after(&desk, "trap '' HUP INT")
        .stderr(Stdio::null())
        .spawn()
        .expect("eyemap starts");
    until(|| drawn(&desk) > 0);
    send("-HUP", &child);
    send("-INT", &child);
    assert!(
        child.try_wait().expect("asked").is_none(),
        "it ended before the signals"
    );
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    assert_eq!(drawn(&desk), 1500);
    // The others still end it.
    std::fs::remove_dir_all(desk.path("out")).expect("removed");
    let mut child = after(&desk, "trap '' HUP INT")
        .stderr(Stdio::null())
        .spawn()
        .expect("eyemap starts");
    until(|| drawn(&desk) > 0);
    send("-TERM", &child);
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    assert!(drawn(&desk) < 1500);
}

/// A run that waits for a directory, and said so.
fn waiting(desk: &Desk) -> (Child, File) {
    std::fs::create_dir(desk.path("out")).expect("created");
    let held = File::create(desk.path("out/.manifest.lock")).expect("a lock");
    held.lock().expect("held");
    let mut child = command(desk)
        .stderr(Stdio::piped())
        .spawn()
        .expect("eyemap starts");
    let said = BufReader::new(child.stderr.take().expect("its words"));
    let mut lines = said.lines().map_while(Result::ok);
    let told = lines.find(|line| line.contains("waiting for another run"));
    let told = told.expect("it says that it waits");
    assert!(told.contains("out/.manifest.lock"), "{told}");
    (child, held)
}

#[test]
fn a_run_that_waits_for_another_says_so_and_ends_with_the_first_ctrl_c() {
    let desk = Desk::new(TABLE);
    let (mut child, held) = waiting(&desk);
    send("-INT", &child);
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    drop(held);
    assert_eq!(drawn(&desk), 0);
}

#[test]
fn a_run_that_waited_for_another_goes_on_when_that_has_ended() {
    let desk = Desk::new(TABLE);
    let (mut child, held) = waiting(&desk);
    drop(held);
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    assert!(desk.path("out/manifest.json").exists());
}

#[test]
fn a_limit_of_the_size_of_files_is_told() {
    let desk = Desk::new(TABLE);
    // Nothing that is larger than a few blocks can be written, plugins in memory neither.
    let output = after(&desk, "ulimit -f 4").output().expect("eyemap runs");
    fails(&output, 2, &["File too large", "ulimit -f"]);
    succeeds(&command(&desk).output().expect("eyemap runs"));
}
