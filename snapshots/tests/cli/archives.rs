//! Archives hold what files would, and are drawn again only where something changed.

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Output, Stdio},
    time::Duration,
};

use crate::{Desk, files_in, succeeds};

const MAPS: &str = "--archive-maps=7";

fn table(types: usize) -> String {
    let mut table = "cell_type,region,side,hex1,hex2,synapses\n".to_owned();
    for cell_type in 0..types {
        for column in 0..12 {
            let n = column * cell_type + 1;
            table += &format!("T{cell_type},ME,R,{},{},{n}\n", column / 4, column % 4);
        }
    }
    table + "T1,LO,L,2,2,9\n"
}

fn members(name: &str, bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut take = |name: String, from: &mut dyn std::io::Read| {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).expect("a member");
        found.push((name, bytes));
    };
    if name.ends_with(".zip") {
        let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("a zip");
        for i in 0..zip.len() {
            let mut member = zip.by_index(i).expect("a member");
            let name = member.name().expect("a name").into_owned();
            take(name, &mut member);
        }
    } else {
        for member in tar::Archive::new(bytes).entries().expect("a tar") {
            let mut member = member.expect("a member");
            let name = member.path().expect("a path").display().to_string();
            take(name, &mut member);
        }
    }
    found
}

/// All members of all archives of a directory.
fn all_members(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let archives = files_in(dir).into_iter();
    let archives = archives.filter(|(name, _)| name.starts_with("archives/"));
    archives
        .flat_map(|(name, bytes)| members(&name, &bytes))
        .collect()
}

fn render(desk: &Desk, out: &str, more: &[&str]) -> Output {
    let mut command = eyemap_snapshots::eyemap();
    let arguments = [
        "render",
        "table.csv",
        "-o",
        out,
        "--format",
        "svg,json",
        MAPS,
    ];
    command
        .args(arguments)
        .args(more)
        .current_dir(desk.dir.path());
    command.output().expect("eyemap runs")
}

#[test]
fn archives_hold_what_files_would_whatever_the_threads() {
    let desk = Desk::new(&table(20));
    succeeds(&render(&desk, "files", &[]));
    let mut files = files_in(&desk.path("files"));
    files.retain(|name, _| name.contains('/'));
    for kind in ["tar", "zip"] {
        succeeds(&render(&desk, kind, &["--archive", kind, "--jobs", "1"]));
        let other = format!("{kind}-4");
        succeeds(&render(&desk, &other, &["--archive", kind, "--jobs", "4"]));
        let archives = files_in(&desk.path(kind));
        assert!(
            archives == files_in(&desk.path(&other)),
            "{kind} with other threads"
        );
        assert!(archives.contains_key(&format!("archives/maps-00005.{kind}")));
        assert!(all_members(&desk.path(kind)) == files, "{kind}");
        let manifest = String::from_utf8(archives["manifest.json"].clone()).expect("text");
        let plain = files_in(&desk.path("files"))["manifest.json"].clone();
        let lines = manifest
            .lines()
            .map(|line| match line.find(",\"archive\"") {
                Some(cut) => {
                    line[..cut].to_owned() + &line[line.rfind('}').expect("an end")..] + "\n"
                }
                None => line.to_owned() + "\n",
            });
        assert_eq!(lines.collect::<String>().into_bytes(), plain);
    }
}

#[test]
fn a_changed_map_draws_its_archive_again_and_no_other() {
    let desk = Desk::new(&table(20));
    let fixed = ["--archive", "tar", "--range", "synapses=0:300"];
    succeeds(&render(&desk, "out", &fixed));
    let times = || -> BTreeMap<String, std::time::SystemTime> {
        let names = files_in(&desk.path("out")).into_keys();
        let names = names.filter(|name| name.starts_with("archives/"));
        let time = |name: &String| {
            let metadata = std::fs::metadata(desk.path("out").join(name)).expect("it is there");
            metadata.modified().expect("a time")
        };
        names.map(|name| (name.clone(), time(&name))).collect()
    };
    let before = times();
    std::thread::sleep(Duration::from_millis(150));
    succeeds(&render(&desk, "out", &fixed));
    assert_eq!(times(), before, "nothing to do");
    // Without the note every map is looked at.
    std::fs::remove_file(desk.path("out/.manifest.run")).ok();
    let again = render(&desk, "out", &fixed);
    succeeds(&again);
    assert!(
        crate::words(&again).contains("40 maps unchanged"),
        "{}",
        crate::words(&again)
    );
    assert_eq!(times(), before, "nothing changed");
    let text = std::fs::read_to_string(desk.path("table.csv")).expect("a table");
    desk.write(
        "table.csv",
        text.replace("T8,ME,R,2,3,89", "T8,ME,R,2,3,90"),
    );
    succeeds(&render(&desk, "out", &fixed));
    let changed = times()
        .into_iter()
        .filter(|(name, time)| before.get(name) != Some(time));
    assert_eq!(changed.count(), 1);
    succeeds(&render(&desk, "fresh", &fixed));
    assert!(files_in(&desk.path("fresh")) == desk.files());
}

#[test]
fn shards_of_archives_merge_to_one_run() {
    let desk = Desk::new(&table(20));
    succeeds(&render(&desk, "out", &["--archive", "zip"]));
    let mut merge = eyemap_snapshots::eyemap();
    merge
        .args(["merge", "-o", "joined"])
        .current_dir(desk.dir.path());
    for i in 1..=3 {
        let (shard, part) = (format!("{i}/3"), format!("part-{i}"));
        succeeds(&render(
            &desk,
            &part,
            &["--archive", "zip", "--shard", &shard],
        ));
        merge.arg(part);
    }
    succeeds(&merge.output().expect("eyemap runs"));
    assert!(files_in(&desk.path("joined")) == desk.files());
    succeeds(&merge.output().expect("eyemap runs"));
    assert!(files_in(&desk.path("joined")) == desk.files());
}

#[test]
fn a_killed_run_of_archives_and_the_same_command_leave_what_one_run_leaves() {
    let desk = Desk::new(&table(400));
    let arguments = [
        "render",
        "table.csv",
        "--archive",
        "tar",
        "--archive-maps",
        "50",
        "-o",
    ];
    let command = |out: &str| {
        let mut command = eyemap_snapshots::eyemap();
        command
            .args(arguments)
            .arg(out)
            .current_dir(desk.dir.path())
            .stderr(Stdio::null());
        command
    };
    succeeds(&command("undisturbed").output().expect("eyemap runs"));
    let expected = files_in(&desk.path("undisturbed"));
    let mut hit = 0;
    for wait in [20, 120, 250, 400, 600] {
        let mut child = command("out").spawn().expect("eyemap starts");
        while !desk.path("out/.eyemap-tmp").exists() && child.try_wait().expect("it").is_none() {
            std::thread::sleep(Duration::from_millis(2));
        }
        std::thread::sleep(Duration::from_millis(wait));
        hit += u32::from(child.try_wait().expect("a process").is_none());
        child.kill().expect("killed");
        child.wait().expect("it ends");
        succeeds(&command("out").output().expect("eyemap runs"));
        assert!(desk.files() == expected, "after {wait} ms");
        std::fs::remove_dir_all(desk.path("out")).expect("removed");
    }
    assert!(hit > 0, "no kill hit");
}

#[test]
fn an_archive_that_stays_tells_of_its_clipped_maps_too() {
    let desk =
        Desk::new("cell_type,region,side,hex1,hex2,synapses\nMi1,ME,R,1,1,5\nMi1,ME,R,1,2,900\n");
    let clipped = ["--archive", "tar", "--range", "synapses=1:100"];
    let told = |output: &Output| {
        succeeds(output);
        let said = crate::words(output);
        assert!(said.contains("cuts off 1 column above 100"), "{said}");
    };
    told(&desk.render(&clipped));
    let again = desk.render(&clipped);
    assert!(
        crate::words(&again).contains("1 map unchanged"),
        "{}",
        crate::words(&again)
    );
    told(&again);
}
