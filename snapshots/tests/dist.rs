//! The archive of a release, on a machine that has nothing.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use eyemap_engine::testing::has;
use eyemap_snapshots::{
    build_dir,
    desk::succeeds,
    project,
    stranger::{share_target, shell},
};

/// Packs what was built for the tests.
fn packed(out: &Path) -> PathBuf {
    let mut dist = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    dist.args(["xtask", "dist", "--from"])
        .arg(build_dir())
        .arg("-o")
        .arg(out)
        .current_dir(project("."));
    succeeds(&dist.output().expect("cargo starts"));
    let files: Vec<_> = fs::read_dir(out).expect("a directory").flatten().collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].path()
}

/// A program that knows nothing of this machine.
fn bare(program: &Path, dir: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().current_dir(dir);
    command
}

#[test]
fn the_archive_draws_on_a_machine_without_rust_and_makes_plugins_on_one_with_it() {
    if !has("tar") {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let archive = packed(&dir.path().join("dist"));
    let name = archive.file_name().expect("a name").to_string_lossy();
    let stem = name.strip_suffix(".tar.gz").expect("a compressed tar");
    let (_, glibc) = stem.split_once("-linux-glibc").expect("the oldest glibc");
    assert!(glibc.starts_with("2."), "{name}");

    let home = dir.path().join("home");
    fs::create_dir(&home).expect("a directory");
    let mut tar = Command::new("tar");
    tar.arg("-xzf").arg(&archive).current_dir(&home);
    succeeds(&tar.output().expect("tar starts"));
    let root = home.join(stem);
    for file in [
        "plugins/eyemap-plugins.lock",
        "man/eyemap.1",
        "man/eyemap-render.1",
        "completions/eyemap.bash",
        "completions/_eyemap",
        "completions/eyemap.fish",
        "LICENSE",
        "README.md",
        "docs/input.md",
        "engine/core/assets/OFL.txt",
    ] {
        let size = fs::metadata(root.join(file)).map_or(0, |file| file.len());
        assert!(size > 0, "{file}");
    }
    let platform = fs::read_to_string(root.join("PLATFORM")).expect("a text");
    assert!(
        platform.contains(&format!("glibc {glibc} or newer")),
        "{platform}"
    );

    let eyemap = root.join("eyemap");
    succeeds(
        &bare(&eyemap, &home)
            .args(["plugin", "verify"])
            .output()
            .expect("it runs"),
    );
    let sample = project("engine/scaffold/src/shared/table.csv");
    fs::copy(sample, home.join("table.csv")).expect("a table");
    let mut render = bare(&eyemap, &home);
    render.args(["render", "table.csv", "-o", "maps", "--format", "svg,png"]);
    succeeds(&render.output().expect("it runs"));
    let svg = fs::read_to_string(home.join("maps/ME_R/synapses/Tm3.svg")).expect("a map");
    assert!(svg.starts_with("<svg"), "{svg}");
    assert!(home.join("maps/ME_R/synapses/Tm3.png").is_file());
    a_new_plugin_builds(&root, &home);
}

/// With cargo and what was installed, far from eyemap's sources.
fn a_new_plugin_builds(root: &Path, home: &Path) {
    let mut new = bare(&root.join("eyemap"), home);
    new.args(["plugin", "new", "rose-archive", "--stage", "color"]);
    let made = new.output().expect("it runs");
    succeeds(&made);
    let said = String::from_utf8_lossy(&made.stdout);
    let (_, next) = said.split_once("From here to a map:\n").expect("commands");
    let next: Vec<&str> = next.lines().take_while(|line| !line.is_empty()).collect();
    share_target(&home.join("rose-archive"));
    let script = format!("PATH='{}':$PATH\n{}", root.display(), next.join("\n"));
    let ended = shell(home, &script, &home.join("elsewhere"));
    assert!(ended.success, "{script}\n{}", ended.said);
    assert!(
        home.join("rose-archive/maps/ME_R/synapses/Tm3.svg")
            .is_file()
    );
}
