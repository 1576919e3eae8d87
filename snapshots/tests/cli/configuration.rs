//! The configuration file: every key has an effect. How a wrong one is shown is in `cases/errors`.

use serde_json::Value;

use crate::{Desk, TABLE, fails, succeeds};

fn with_config(table: &str, toml: &str) -> (Desk, std::process::Output) {
    let desk = Desk::new(table);
    desk.write("eyemap.toml", toml);
    let output = desk.render(&["--config", "eyemap.toml"]);
    (desk, output)
}

/// Draws `TABLE` as JSON under a configuration.
#[track_caller]
fn drawn(toml: &str) -> Desk {
    let desk = Desk::new(TABLE);
    desk.write("eyemap.toml", toml);
    succeeds(&desk.render(&["--config", "eyemap.toml", "--format", "json"]));
    desk
}

fn mi1(desk: &Desk) -> Value {
    desk.scene("ME_R/synapses/Mi1.json")
}

#[test]
fn keys_of_the_table_are_obeyed() {
    let table = TABLE
        .replace("cell_type,", "type,")
        .replace("Mi1,ME,R,6,6,0,,1", "Mi1,ME,R,,6,0,3,1");
    let desk = Desk::new(&table);
    desk.write(
        "eyemap.toml",
        "[table]\nskip_unplaced = true\n[table.columns]\ncell_type = \"type\"\n",
    );
    let output = desk.render(&["--config", "eyemap.toml"]);
    succeeds(&output);
    assert!(
        crate::words(&output).contains("1 of 10 rows"),
        "{}",
        crate::words(&output)
    );
}

#[test]
fn keys_of_the_atlas_are_obeyed() {
    let desk = Desk::new(TABLE);
    desk.write(
        "atlas.csv",
        "roi,side,hex1,hex2,class\nME,R,5,5,pale\nME,R,5,6,yellow\nME,R,9,9,pale\n",
    );
    let atlas = "[atlas]\nfile = \"atlas.csv\"\n[atlas.columns]\nregion = \"roi\"\n";
    desk.write("eyemap.toml", atlas);
    fails(
        &desk.render(&["--config", "eyemap.toml"]),
        2,
        &["table.csv, line 7", "unlisted = \"add\""],
    );
    let tooltip = "\n[stages.metadata.config]\ncolumn = \"{hex1},{hex2} is {class}\"\n";
    desk.write(
        "eyemap.toml",
        atlas.replace("[atlas]\n", "[atlas]\nunlisted = \"add\"\n") + tooltip,
    );
    succeeds(&desk.render(&["--config", "eyemap.toml", "--format", "json"]));
    let scene = mi1(&desk);
    let hexagons = scene["hexagons"].as_array().expect("hexagons");
    assert_eq!(
        hexagons.last().map(|h| &h["status"]),
        Some(&"no_data".into())
    );
    assert!(
        hexagons[0]["tooltip"]
            .as_str()
            .is_some_and(|t| t.starts_with("5,5 is pale\n"))
    );
}

#[test]
fn regions_and_metrics_are_data() {
    let table =
        "cell_type,region,side,hex1,hex2,layer,depth\nMi1,AME,R,1,1,1,-0.5\nMi1,AME,R,1,1,2,2.75\n";
    let toml = "[[regions]]\nname = \"AME\"\nlayers = [\"in\", \"out\"]\n[metrics.depth]\nkind = \"number\"\nsum_layers = true\n";
    let desk = Desk::new(table);
    desk.write("eyemap.toml", toml);
    succeeds(&desk.render(&["--config", "eyemap.toml", "--format", "json"]));
    let scene = desk.scene("AME_R/depth/Mi1.json");
    assert_eq!(
        scene["layer_labels"],
        serde_json::json!(["AMEin", "AMEout"])
    );
    assert_eq!(scene["hexagons"][0]["value"], 2.25);
    assert_eq!(scene["legend"]["title"], "Depth");
    assert_eq!(
        scene["subtitle"],
        "depth per column, all layers · 1 of 1 column with data"
    );
    desk.write("eyemap.toml", toml.replace("\"number\"", "\"count\""));
    fails(
        &desk.render(&["--config", "eyemap.toml"]),
        2,
        &["line 2, column depth", "-0.5"],
    );
}

#[test]
fn keys_of_the_map_are_obeyed() {
    let plain = mi1(&drawn(""));
    let number = |scene: &Value, key: &str| scene[key].as_f64().expect("a number");
    let x = |scene: &Value, i: usize| number(&scene["hexagons"][i], "x");
    let none = mi1(&drawn("[map]\norientation = \"none\"\n"));
    assert!(
        (x(&plain, 1) - x(&plain, 0)) * (x(&none, 1) - x(&none, 0)) < 0.0,
        "mirrored"
    );
    let wide = mi1(&drawn("[map]\nspacing = 2.2\n"));
    assert!((x(&wide, 1) - x(&wide, 0)).abs() > 1.9 * (x(&plain, 1) - x(&plain, 0)).abs());
    let large = mi1(&drawn(
        "[map]\nhex_size_px = 60\nmin_width_px = 0\nmin_height_px = 0\n",
    ));
    assert!(number(&large, "width") < 380.0 && number(&large, "width") > 200.0);
    let canvas = mi1(&drawn(
        "[map]\nmargin_px = 25\nmin_width_px = 700\nmin_height_px = 555\n",
    ));
    assert_eq!(
        (number(&canvas, "width"), number(&canvas, "height")),
        (700.0, 555.0)
    );
    let left = |scene: &Value| (0..3).map(|i| x(scene, i)).fold(f64::INFINITY, f64::min);
    assert!((left(&canvas) - left(&plain) - 30.0).abs() < 0.02);
}

#[test]
fn keys_of_the_range_and_the_stages_are_obeyed() {
    let ticks = |desk: &Desk, key: &str| mi1(desk)["legend"][key].clone();
    let range = drawn("[range.synapses]\nwhole = [0, 50]\nlayer = [0, 10]\n");
    assert_eq!(
        ticks(&range, "ticks"),
        serde_json::json!([0, 10, 20, 30, 40, 50])
    );
    assert_eq!(
        ticks(&range, "layer_ticks"),
        serde_json::json!([0, 2, 4, 6, 8, 10])
    );
    let config = drawn(
        "[stages.color]\nplugin = \"org.eyemap.binned-color\"\nconfig = { palette = \"viridis\", bins = 2 }\n",
    );
    assert_eq!(mi1(&config)["hexagons"][0]["fill"], "#440154");
    assert_eq!(ticks(&config, "ticks").as_array().map(Vec::len), Some(3));
    let texts = drawn("[stages.metadata.config.labels]\nsynapses = { title = \"PSDs\" }\n");
    assert_eq!(ticks(&texts, "title"), "PSDs");
    let subtitle = mi1(&texts)["subtitle"].clone();
    assert!(
        subtitle
            .as_str()
            .is_some_and(|line| line.starts_with("PSDs per column")),
        "{subtitle}"
    );
    let desk = Desk::new(TABLE);
    desk.write(
        "eyemap.toml",
        "[stages.coordinate.tables]\ndirections = \"missing.csv\"\n",
    );
    fails(
        &desk.render(&["--config", "eyemap.toml"]),
        2,
        &["side table \"directions\"", "missing.csv"],
    );
}

#[test]
fn keys_of_selection_and_output_are_obeyed() {
    let toml = "[select]\ntypes = [\"Tm*\"]\nregions = [\"ME\"]\nsides = [\"L\"]\nmetrics = [\"cells\"]\n\
        [output]\nformats = [\"png\"]\nscale = 2\nindex = true\n[run]\njobs = 1\n";
    let (desk, output) = with_config(TABLE, toml);
    succeeds(&output);
    let files = desk.files();
    let names: Vec<&str> = files
        .keys()
        .map(String::as_str)
        .filter(|name| !name.starts_with('.'))
        .collect();
    assert_eq!(
        names,
        [
            "ME_L/cells/Tm3.png",
            "ME_L/cells/Tm3.static.svg",
            "index.html",
            "manifest.json"
        ]
    );
    // The width stands in the header of a PNG.
    assert_eq!(files["ME_L/cells/Tm3.png"][16..20], 760u32.to_be_bytes());
}

#[test]
fn keys_of_the_plugins_are_obeyed() {
    let elsewhere = tempfile::tempdir().expect("a directory");
    let file = eyemap_snapshots::library("binned-color");
    std::fs::copy(
        eyemap_snapshots::plugin("binned-color"),
        elsewhere.path().join(&file),
    )
    .expect("a copy");
    let desk = Desk::new(TABLE);
    let path = format!("[plugins]\npath = [{:?}]\n", elsewhere.path());
    let list = |toml: &str| {
        desk.write("eyemap.toml", toml);
        let config = desk.path("eyemap.toml");
        let output = eyemap_snapshots::run(&[
            "plugin",
            "list",
            "--config",
            config.to_str().expect("a path"),
        ]);
        succeeds(&output);
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let listed = list(&path);
    assert!(listed.contains("shadowed by"), "{listed}");
    assert!(listed.contains("[plugins] path"), "{listed}");
    // The bundle's lock does not cover a plugin under another id; a lock of the user's own does.
    desk.write("none.lock", "form = 1\n");
    assert!(list(&format!("{path}locks = [\"none.lock\"]\n")).contains("ready"));
    desk.write("broken.lock", "form = 9\n");
    desk.write("eyemap.toml", "[plugins]\nlocks = [\"broken.lock\"]\n");
    fails(
        &desk.render(&["--config", "eyemap.toml"]),
        2,
        &["broken.lock", "form 9"],
    );
}

#[test]
fn the_printed_configuration_is_the_default() {
    let output = eyemap_snapshots::run(&["config"]);
    succeeds(&output);
    let desk = Desk::new(TABLE);
    desk.write("eyemap.toml", &output.stdout);
    succeeds(&desk.render(&["--config", "eyemap.toml"]));
    let with = desk.files();
    std::fs::remove_dir_all(desk.path("out")).expect("removed");
    succeeds(&desk.render(&[]));
    assert_eq!(desk.files(), with);
}
