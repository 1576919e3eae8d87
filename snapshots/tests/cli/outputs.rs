//! What a command reads it never writes over, whatever name the file has.

use std::os::unix::fs::symlink;

use crate::{Desk, TABLE, fails, succeeds};

const CONFIG: &str = "[atlas]\nfile = \"atlas.csv\"\n";
const ATLAS: &str = "region,side,hex1,hex2\nME,R,5,5\nME,R,5,6\nME,R,6,6\nME,L,5,5\nLO,L,5,7\n";

/// A desk with all that a run may read, under more than one name.
fn desk() -> Desk {
    let desk = Desk::new(TABLE);
    desk.write("eyemap.toml", CONFIG);
    desk.write("atlas.csv", ATLAS);
    std::fs::hard_link(desk.path("table.csv"), desk.path("hard.csv")).expect("linked");
    symlink("table.csv", desk.path("soft.csv")).expect("linked");
    std::fs::hard_link(desk.path("table.csv"), desk.path("hard.json")).expect("linked");
    desk
}

#[test]
fn an_output_that_is_an_input_is_refused_and_stays_as_it_is() {
    let desk = desk();
    let run = |arguments: &str| {
        let mut command = eyemap_snapshots::eyemap();
        let command = command.args(arguments.split(' '));
        command
            .current_dir(desk.dir.path())
            .output()
            .expect("it runs")
    };
    let inputs = [
        "table.csv",
        "eyemap.toml",
        "atlas.csv",
        "plan.json",
        "trace.csv",
    ];
    succeeds(&run("plan table.csv --config eyemap.toml -o plan.json"));
    succeeds(&run("render table.csv -o other --record-trace trace.csv"));
    let all = || inputs.map(|name| std::fs::read(desk.path(name)).expect(name));
    let before = all();
    let plan = "plan table.csv --config eyemap.toml -o";
    let render = "render table.csv -o out --config eyemap.toml";
    for (arguments, option) in [
        (format!("{plan} table.csv"), "-o table.csv"),
        (format!("{plan} ./hard.csv"), "-o ./hard.csv"),
        (format!("{plan} soft.csv"), "-o soft.csv"),
        (format!("{plan} eyemap.toml"), "-o eyemap.toml"),
        (format!("{plan} atlas.csv"), "-o atlas.csv"),
        (
            format!("{render} --record-trace table.csv"),
            "--record-trace",
        ),
        (
            format!("{render} --record-trace atlas.csv"),
            "--record-trace",
        ),
        (format!("{render} --trace hard.json"), "--trace hard.json"),
        (
            format!("{render} --trace eyemap.toml"),
            "--trace eyemap.toml",
        ),
        (format!("{render} --report hard.json"), "--report hard.json"),
        (
            "render --plan plan.json -o out --report plan.json".to_owned(),
            "--report plan.json",
        ),
        (
            "cache simulate --trace trace.csv --policy lru --chart trace.csv".to_owned(),
            "--chart trace.csv",
        ),
    ] {
        let output = run(&arguments);
        fails(
            &output,
            2,
            &[option, "this command reads that file", "another file"],
        );
        assert!(all() == before, "{arguments}");
    }
    assert!(!desk.path("out").exists());
}

#[test]
fn two_outputs_are_not_one_file() {
    let desk = Desk::new(TABLE);
    for arguments in [
        ["--report", "x.json", "--trace", "./x.json"],
        ["--report", "out/manifest.json", "--format", "svg"],
    ] {
        std::fs::create_dir_all(desk.path("out")).expect("created");
        fails(&desk.render(&arguments), 2, &["writes the same file"]);
    }
}
