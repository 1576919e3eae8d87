//! Somebody else's plugin: a crate outside of the workspace, built as its author builds it.
//!
//! Nothing is downloaded: `Cargo.lock` is the project's, or has its versions, so that cargo finds every crate
//! where the project already has it. What is built goes to `third-party` in the build directory, which all these crates share,
//! because their dependencies are the same; each has a name of its own, as libraries of one name would
//! replace each other there.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Longest that a command of cargo may take; the first one builds the SDK.
const DEADLINE: Duration = Duration::from_secs(900);

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    /// Whether it succeeded.
    pub success: bool,
    /// What it wrote, standard output first.
    pub said: String,
}

/// An empty directory in the build directory, whose path is the same in each run: what cargo built for it
/// is used again.
///
/// # Panics
/// When it cannot be made.
pub fn empty_dir(name: &str) -> PathBuf {
    let dir = third_party().join(name);
    if dir.exists() {
        fs::remove_dir_all(&dir).expect("an old directory that can be removed");
    }
    fs::create_dir_all(&dir).expect("a directory");
    dir
}

/// Where cargo puts what it builds for all of them.
///
/// # Panics
/// When it cannot be made.
pub fn shared_target() -> PathBuf {
    let shared = third_party().join("target");
    fs::create_dir_all(&shared).expect("a directory");
    shared
}

fn third_party() -> PathBuf {
    crate::build_dir().join("third-party")
}

/// Copies a crate of the project, without what was built in it, to where it has nothing around it.
///
/// # Panics
/// When it cannot be copied.
pub fn copy_of(krate: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(krate).expect("a crate").flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match from.is_dir() {
            true if entry.file_name() == "target" => {}
            true => copy_of(&from, &to),
            false => drop(fs::copy(&from, &to).expect("a file")),
        }
    }
}

/// Builds the library of a crate, and puts it where its author would find it.
///
/// # Panics
/// When it cannot be built.
pub fn build(krate: &Path, name: &str) -> PathBuf {
    let built = cargo(krate, &["build", "--release"]);
    assert!(built.success, "{}", built.said);
    let library = Path::new("target/release").join(crate::library(name));
    let (from, to) = (third_party().join(&library), krate.join(&library));
    fs::create_dir_all(krate.join("target/release")).expect("a directory");
    fs::copy(&from, &to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    to
}

/// Lets a crate that is to be built in its own `target` share what was built for others.
///
/// # Panics
/// When it cannot be made.
pub fn share_target(krate: &Path) {
    std::os::unix::fs::symlink(shared_target(), krate.join("target")).expect("a link");
}

/// Runs a script as somebody types it: `eyemap` and cargo are on the PATH, and an error ends it. Cargo is told
/// to build in `elsewhere`, where it would be of no use, and has no network.
///
/// # Panics
/// When it cannot be started, or takes longer than 15 minutes.
pub fn shell(dir: &Path, script: &str, elsewhere: &Path) -> Ended {
    let mut paths = vec![crate::build_dir()];
    paths.extend(std::env::split_paths(
        &std::env::var_os("PATH").unwrap_or_default(),
    ));
    let mut command = Command::new("sh");
    command
        .args(["-e", "-c", script])
        .current_dir(dir)
        .env("PATH", std::env::join_paths(paths).expect("a PATH"))
        .env("CARGO_TARGET_DIR", elsewhere);
    run(&mut command)
}

/// Runs cargo in a crate, without the network, and ends it when it takes too long.
///
/// # Panics
/// When it cannot be started, or takes longer than 15 minutes.
pub fn cargo(krate: &Path, arguments: &[&str]) -> Ended {
    // A new crate has a lock of its own.
    if !krate.join("vendor").is_dir() {
        fs::copy(crate::project("Cargo.lock"), krate.join("Cargo.lock")).expect("the lock");
    }
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args(arguments)
        .current_dir(krate)
        .env("CARGO_TARGET_DIR", shared_target());
    run(&mut command)
}

/// Runs a command that may start cargo, and ends both when it takes too long.
fn run(command: &mut Command) -> Ended {
    use std::os::unix::process::CommandExt as _;
    let logs = tempfile::tempdir().expect("a directory");
    let log = |name: &str| logs.path().join(name);
    let file = |name: &str| Stdio::from(fs::File::create(log(name)).expect("a file"));
    crate::outside_ci(command)
        .env("CARGO_TERM_COLOR", "never")
        .env("CARGO_NET_OFFLINE", "true")
        .env_remove("EYEMAP_GOLDEN")
        .stdin(Stdio::null())
        .stdout(file("out"))
        .stderr(file("err"))
        // A group of its own, so that its compilers end with it.
        .process_group(0);
    let mut child = command.spawn().expect("a program that starts");
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("a status") {
            break status;
        }
        if started.elapsed() > DEADLINE {
            let group = format!("-{}", child.id());
            let ended = Command::new("kill").args(["-KILL", "--", &group]).status();
            let status = child.wait();
            panic!("{command:?} takes too long: {ended:?}, {status:?}");
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let text = |name: &str| fs::read_to_string(log(name)).unwrap_or_default();
    Ended {
        success: status.success(),
        said: text("out") + &text("err"),
    }
}
