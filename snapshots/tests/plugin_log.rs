//! What a plugin logs with `tracing` reaches the host, inside the host's span.

use std::{
    io::Write,
    process::Output,
    sync::{Arc, Mutex, PoisonError},
};

use eyemap_engine::{
    Side,
    stage::StageName::{self, Color, Coordinate, Metadata},
};
use eyemap_snapshots::{
    eyemap,
    trial::{Trial, example, row_of_values},
};
use serde_json::json;
use tracing_subscriber::EnvFilter;

const ID: &str = "org.eyemap.fixture.misbehaving";

/// Where a subscriber writes.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Draws with the fixture under a subscriber and returns what was logged under the plugins' target.
fn logged(filter: &str, stage: StageName, config: serde_json::Value) -> Vec<String> {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        let trial = Trial::default().with(stage, "misbehaving", config);
        trial
            .draw(&row_of_values(&[1.0]), Side::Right)
            .expect("a scene");
    });
    let bytes = lines.0.lock().unwrap_or_else(PoisonError::into_inner);
    let text = String::from_utf8_lossy(&bytes);
    text.lines()
        .filter(|line| line.contains("eyemap::plugin"))
        .map(ToOwned::to_owned)
        .collect()
}

#[test]
fn an_event_arrives_with_level_id_message_and_fields_inside_the_hosts_span() {
    for (stage, span) in [(Coordinate, "coordinates"), (Color, "colors")] {
        let lines = logged("debug", stage, json!({ "at": "call", "how": "log" }));
        let warning = lines
            .iter()
            .find(|line| line.contains("WARN"))
            .expect("a warning");
        for part in [
            &format!("{span}{{plugin=\"{ID}\""),
            "asked to log",
            "step=call",
            "answer=42",
            "misbehaving.rs:",
            ID,
        ] {
            assert!(warning.contains(part), "no {part:?} in {warning}");
        }
        assert!(
            lines
                .iter()
                .any(|line| line.contains("DEBUG") && line.contains("asked to say little")),
            "{lines:?}"
        );
    }
    let lines = logged("debug", Metadata, json!({ "at": "prepare", "how": "log" }));
    assert!(
        lines
            .iter()
            .any(|line| line.contains(&format!("metadata{{plugin=\"{ID}\""))),
        "{lines:?}"
    );
}

/// The plugin is loaded once, under whatever level then holds; later levels must hold too.
#[test]
fn the_level_follows_the_host_after_the_plugin_was_loaded() {
    let config = || json!({ "at": "prepare", "how": "log" });
    assert_eq!(logged("off", Color, config()), [""; 0]);
    assert_eq!(logged("warn", Color, config()).len(), 1);
    assert_eq!(logged("debug", Color, config()).len(), 2);
    assert_eq!(logged("error", Color, config()), [""; 0]);
}

#[test]
fn a_panic_in_a_destructor_is_logged_with_its_source_line() {
    let lines = logged("error", Color, json!({ "at": "drop" }));
    let error = lines
        .iter()
        .find(|line| line.contains("ERROR"))
        .expect("an error");
    for part in ["panicked: asked to panic in drop", "misbehaving.rs:", ID] {
        assert!(error.contains(part), "no {part:?} in {error}");
    }
}

fn command(log: Option<&str>) -> Output {
    let dir = tempfile::tempdir().expect("a directory");
    let write =
        |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("written");
    write(
        "table.csv",
        "cell_type,region,side,hex1,hex2,layer,synapses\nTm1,ME,R,1,1,0,5\n",
    );
    let fixture = example("misbehaving");
    write(
        "eyemap.toml",
        &format!(
            "[stages.color]\nplugin = {fixture:?}\n[stages.color.config]\nat = \"prepare\"\nhow = \"log\"\n\
             [plugins.by_id.{ID:?}]\ntrust = true\n"
        ),
    );
    let mut command = eyemap();
    command.current_dir(&dir).args([
        "render",
        "table.csv",
        "--config",
        "eyemap.toml",
        "-o",
        "out",
    ]);
    if let Some(log) = log {
        command.env("EYEMAP_LOG", log);
    }
    command.output().expect("the command")
}

#[test]
fn eyemap_log_filters_what_plugins_log() {
    for (log, warning, debug) in [
        (None, false, false),
        (Some("eyemap::plugin=warn"), true, false),
        (Some("eyemap::plugin=debug"), true, true),
        (Some("debug,eyemap::plugin=off"), false, false),
    ] {
        let output = command(log);
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{text}");
        assert_eq!(text.contains("asked to log"), warning, "{log:?}: {text}");
        assert_eq!(
            text.contains("asked to say little"),
            debug,
            "{log:?}: {text}"
        );
    }
}
