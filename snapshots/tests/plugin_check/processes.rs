//! What is left of the processes of checks: nothing.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use super::*;

/// Whether a process with this number runs.
fn runs(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// Waits until it is so; two minutes are as good as never, however busy the machine is.
fn soon(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(120), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The children that a process has now.
fn children(pid: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten();
    let lists = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    let numbers: String = lists.collect::<Vec<_>>().join(" ");
    numbers
        .split_whitespace()
        .filter_map(|n| n.parse().ok())
        .collect()
}

fn start(desk: &Desk) -> std::process::Child {
    let mut command = eyemap_snapshots::eyemap();
    command
        .args(["plugin", "check", "--only", "resolve-now"])
        .arg(desk.path("libx.so"));
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("the command")
}

#[test]
fn a_child_that_never_ends_is_killed_and_reaped() {
    let desk = Desk::new(&faulty("hangs"));
    let mut check = start(&desk);
    soon("it has a child", || !children(check.id()).is_empty());
    let child = children(check.id())[0];
    assert_eq!(check.wait().expect("its end").code(), Some(1));
    assert!(!runs(child), "{child} lives on");
    assert!(
        !PathBuf::from(format!("/proc/{child}")).exists(),
        "{child} was not reaped"
    );
}

#[test]
fn a_child_ends_when_the_command_is_killed() {
    let desk = Desk::new(&faulty("hangs"));
    let mut check = start(&desk);
    soon("it has a child", || !children(check.id()).is_empty());
    let child = children(check.id())[0];
    // Started, and past the first lines of its own.
    std::thread::sleep(Duration::from_millis(300));
    check.kill().expect("killed");
    check.wait().expect("reaped");
    soon("the child ends with it", || !runs(child));
}

#[test]
fn a_plugin_can_start_no_process_while_it_is_checked() {
    let failure = Desk::new(&faulty("forks")).failure("resolve-now");
    assert!(failure.contains("exit code 7"), "{failure}");
    assert!(
        failure.contains("no process: Operation not permitted"),
        "{failure}"
    );
}

#[test]
fn in_process_says_so() {
    let desk = Desk::new(&good());
    let output = desk.run(&["--in-process", "--only", "abi-header"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("in this process"));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("a crash of the plugin ends this command")
    );
    let crash = Desk::new(&faulty("aborts")).run(&["--in-process", "--only", "resolve-now"]);
    assert_eq!(crash.status.code(), None, "it died of the signal");
}
