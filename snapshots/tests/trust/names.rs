//! What a configuration says of plugins by their names and paths.

use eyemap_snapshots::desk::{fails, succeeds, words};

use super::*;

/// A word about nobody, such as `deny` under a mistyped id, would let the plugin run.
#[test]
fn an_id_that_nobody_has_is_an_error_with_the_nearest() {
    let project = Project::new();
    project.pin();
    for name in ["org.eyemap.fixture.brokn", "brokn"] {
        for key in ["mode = \"deny\"", "mode = \"contained\"", ""] {
            let text =
                format!("[stages.color]\nplugin = {ID:?}\n[plugins.by_id.{name:?}]\n{key}\n");
            project.put("eyemap.toml", text.as_bytes());
            let said = [
                &format!("no plugin is called \"{name}\""),
                &format!("did you mean \"{ID}\"?"),
                "eyemap.toml:3",
            ];
            fails(&project.render(), 2, &said.map(|part| part as &str));
        }
    }
    project.put(
        "eyemap.toml",
        b"[plugins.by_id.binned-color]\nmode = \"contained\"\n",
    );
    succeeds(&project.render());
}

#[test]
fn an_id_is_known_by_its_lock_or_by_the_path_of_its_file() {
    let project = Project::new();
    let lock = std::fs::read(project.lure("away.lock")).expect("a lock");
    std::fs::rename(project.library(), project.path("mine.so")).expect("moved");
    let text =
        format!("[stages.color]\nplugin = \"./mine.so\"\n[plugins.by_id.{ID:?}]\ntrust = true\n");
    project.put("eyemap.toml", text.as_bytes());
    succeeds(&project.render());
    // A library that is not there yet may have the id: that it is not there is what is wrong.
    std::fs::remove_file(project.path("mine.so")).expect("removed");
    fails(&project.render(), 2, &["cannot read the plugin", "mine.so"]);
    project.put(
        "eyemap.toml",
        format!("[plugins.by_id.{ID:?}]\nmode = \"deny\"\n").as_bytes(),
    );
    fails(&project.render(), 2, &["no plugin is called"]);
    project.put(LOCK_FILE, &lock);
    succeeds(&project.render());
}

#[test]
fn pinning_says_that_a_configuration_undoes_it() {
    let project = Project::new();
    project.configure("trust = true");
    let output = project.plugin(&["pin", "plugins/libstranger.so"]);
    succeeds(&output);
    let said = "`trust = true` in [plugins.by_id.\"org.eyemap.fixture.broken\"] of eyemap.toml undoes this";
    assert!(words(&output).contains(said), "{}", words(&output));
    project.configure("");
    let output = project.plugin(&["pin", "plugins/libstranger.so"]);
    assert!(!words(&output).contains("undoes"), "{}", words(&output));
}

/// A run that failed with these words, wherever its lines were broken.
#[track_caller]
fn fails_with(output: &Output, said: &[&str]) {
    fails(output, 2, &[]);
    let whole = |text: &str| text.split_whitespace().collect::<String>();
    let all = whole(&words(output));
    for part in said {
        assert!(
            all.contains(&whole(part)),
            "{part:?} is not in: {}",
            words(output)
        );
    }
}

/// What the help says is typed as it is.
#[test]
fn the_help_pins_into_the_lock_of_the_project_and_what_is_mine_into_mine() {
    let project = Project::new();
    let lock = project.lock().display().to_string();
    let help = format!(
        "`eyemap plugin pin {} --lock {lock}`",
        project.library().display()
    );
    fails_with(&project.render(), &["is not trusted", &help]);
    let library = project.library().display().to_string();
    succeeds(&project.run(&["plugin", "pin", &library, "--lock", &lock]));
    succeeds(&project.render());
    project.put("plugins/libstranger.so", &rebuilt(1));
    fails_with(
        &project.render(),
        &["has changed since it was locked", &help],
    );

    let own = project.path("data/eyemap/plugins");
    std::fs::create_dir_all(&own).expect("a directory");
    std::fs::remove_file(project.lock()).expect("removed");
    std::fs::rename(project.library(), own.join("libmine.so")).expect("moved");
    let help = format!("`eyemap plugin pin {}`", own.join("libmine.so").display());
    fails_with(&project.render(), &["is not trusted", &help]);
}

/// Whoever chose a file's name must not have chosen a command that is pasted into a shell.
#[test]
fn a_path_in_the_help_is_one_word_of_a_shell() {
    let project = Project::new();
    let odd = project.path("plugins/lib$(touch owned).so");
    std::fs::rename(project.library(), &odd).expect("moved");
    let help = format!("eyemap plugin pin '{}' --lock", odd.display());
    fails_with(&project.render(), &["is not trusted", &help]);
}

#[test]
fn a_policy_that_is_named_by_its_path_is_listed_and_replayed() {
    let project = Project::new();
    std::fs::rename(project.library(), project.path("mine.so")).expect("moved");
    let text = format!("[cache]\npolicy = \"./mine.so\"\n[plugins.by_id.{ID:?}]\ntrust = true\n");
    project.put("eyemap.toml", text.as_bytes());
    let output = project.plugin(&["list", "--json", "--schema"]);
    succeeds(&output);
    let all: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let mut plugins = all["plugins"].as_array().expect("a list").iter();
    let mine = plugins
        .find(|plugin| plugin["manifest"]["id"] == ID)
        .expect("listed");
    assert_eq!(
        [&mine["origin"], &mine["state"]],
        ["[cache] policy", "ready"]
    );
    assert!(mine["description"]["extensions"].is_array(), "{mine}");
    let output = project.plugin(&["list", "--schema"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("as eyemap.cache/1"), "{text}");
    project.put("trace.csv", b"time,key,size\n1,1,10\n2,2,10\n3,1,10\n");
    let simulate = [
        "cache",
        "simulate",
        "--trace",
        "trace.csv",
        "--capacity",
        "50%",
    ];
    let output = project.run(&[&simulate[..], &["--config", "eyemap.toml", "--json"]].concat());
    succeeds(&output);
    let replayed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        replayed.contains("mine.so") && replayed.contains("sieve"),
        "{replayed}"
    );
}

/// The loader knows a library by where its bytes lie in memory.
#[test]
fn a_message_of_the_loader_names_the_file() {
    let project = Project::new();
    let mut bytes = sound();
    // A name that no library has, in the place of one that the C library has.
    let (from, to) = (b"\0getenv\0", b"\0getenw\0");
    let place = bytes.windows(from.len()).position(|window| window == from);
    let place = place.expect("it looks at the environment");
    bytes[place..place + to.len()].copy_from_slice(to);
    project.put("plugins/libstranger.so", &bytes);
    project.pin();
    let output = project.render();
    fails(&output, 2, &["undefined symbol: getenw", "libstranger.so"]);
    assert!(!words(&output).contains("/proc/self"), "{}", words(&output));
}
