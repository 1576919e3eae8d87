//! Few threads, few open files: less at once, or an error that names the limit.

use std::process::Output;

use eyemap_snapshots::{
    desk::{Desk, stderr},
    limits::{Form, Size, write_table},
};

const PARTS: Size = Size {
    parts: 24,
    edge: 3,
    layers: 1,
    seed: 1,
};

/// Draws a table of many parts on as many threads, behind a command that sets a limit.
fn limited(form: Form, by: &[&str]) -> (Desk, Output) {
    let desk = Desk::new("");
    write_table(&desk.path("parts"), form, PARTS);
    let eyemap = eyemap_snapshots::eyemap();
    let mut command = std::process::Command::new(by[0]);
    command.args(&by[1..]).arg(eyemap.get_program());
    command.args(["render", "parts", "-o", "out", "--jobs", "24"]);
    command.env("NO_COLOR", "1").current_dir(desk.dir.path());
    let output = command.output().expect("it runs");
    (desk, output)
}

#[track_caller]
fn all_are_drawn(desk: &Desk, output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
    let maps = desk
        .files()
        .keys()
        .filter(|name| name.ends_with(".svg"))
        .count();
    assert_eq!(maps, PARTS.parts);
}

#[test]
fn where_few_files_may_be_open_fewer_threads_work() {
    if !eyemap_snapshots::has("prlimit") {
        return;
    }
    for form in Form::ALL {
        let (desk, output) = limited(form, &["prlimit", "--nofile=30"]);
        all_are_drawn(&desk, &output);
    }
}

#[test]
fn where_not_even_one_thread_can_open_its_files_the_limit_is_named() {
    if !eyemap_snapshots::has("prlimit") {
        return;
    }
    let (_desk, output) = limited(Form::Parquet, &["prlimit", "--nofile=10"]);
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(
        told.contains("only 10 files may be open at a time"),
        "{told}"
    );
    assert!(told.contains("ulimit -n"), "{told}");
}

#[test]
fn where_no_thread_can_be_started_one_draws_all() {
    if !eyemap_snapshots::has("prlimit") || !eyemap_snapshots::has("setpriv") {
        return;
    }
    let desk = Desk::new("");
    // Whoever is root is not bound by the limit: somebody else is, who may write here.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(desk.dir.path(), open).expect("permissions");
    write_table(&desk.path("parts"), Form::Csv, PARTS);
    let program = copied(&desk);
    let run = |arguments: &[&str]| {
        let somebody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
        let mut command = std::process::Command::new("setpriv");
        command.args(somebody).args(arguments);
        command.env("NO_COLOR", "1").env("HOME", desk.dir.path());
        command
            .current_dir(desk.dir.path())
            .output()
            .expect("it runs")
    };
    let limited = ["prlimit", "--nproc=1", &program];
    let render = ["render", "parts", "-o", "out", "--jobs", "24"];
    let output = run(&[limited.as_slice(), &render].concat());
    all_are_drawn(&desk, &output);
}

/// The command and its plugins where somebody else may run them, wherever they were built.
fn copied(desk: &Desk) -> String {
    let (eyemap, plugins) = (desk.path("eyemap"), desk.path("plugins"));
    std::fs::copy(eyemap_snapshots::eyemap().get_program(), &eyemap).expect("copied");
    std::fs::create_dir(&plugins).expect("a directory");
    for entry in std::fs::read_dir(eyemap_snapshots::build_dir().join("plugins")).expect("plugins")
    {
        let entry = entry.expect("an entry");
        std::fs::copy(entry.path(), plugins.join(entry.file_name())).expect("copied");
    }
    eyemap.to_string_lossy().into_owned()
}
