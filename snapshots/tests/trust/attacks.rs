//! What somebody else's folder can make a machine do. The library in it leaves a mark when its constructor
//! runs in eyemap's own process; each test ends with the same library accepted, as proof that it would.

use eyemap_snapshots::{
    desk::{fails, succeeds, words},
    trial::example,
};

use super::*;

/// What a cloned folder may hold.
struct Lure {
    what: &'static str,
    write: fn(&Project),
}

/// Each says in another way that the library is to run in the process of whoever uses the folder.
const LURES: [Lure; 6] = [
    Lure {
        what: "a lock beside the configuration",
        write: |project| {
            project.lure(LOCK_FILE);
            project.configure("");
        },
    },
    Lure {
        what: "a lock in plugins/",
        write: |project| {
            project.lure("plugins/eyemap-plugins.lock");
            project.configure("");
        },
    },
    Lure {
        what: "a lock that the configuration names",
        write: |project| {
            project.lure("any.lock");
            let text =
                format!("[stages.color]\nplugin = {ID:?}\n[plugins]\nlocks = [\"any.lock\"]\n");
            project.put("eyemap.toml", text.as_bytes());
        },
    },
    Lure {
        what: "a lock in a directory that the configuration names",
        write: |project| {
            project.lure("plugins/eyemap-plugins.lock");
            project.lure(LOCK_FILE);
            let text =
                format!("[stages.color]\nplugin = {ID:?}\n[plugins]\npath = [\"plugins\"]\n");
            project.put("eyemap.toml", text.as_bytes());
        },
    },
    Lure {
        what: "trust and a mode in the configuration",
        write: |project| {
            project.configure("trust = true\nmode = \"trusted\"");
        },
    },
    Lure {
        what: "a path in the configuration, with all of that",
        write: |project| {
            project.lure(LOCK_FILE);
            let text = format!(
                "[stages.color]\nplugin = \"./plugins/libstranger.so\"\n\
             [cache]\nmode = \"on\"\npolicy = \"./plugins/libstranger.so\"\n\
             [plugins.by_id.{ID:?}]\ntrust = true\nmode = \"trusted\"\n"
            );
            project.put("eyemap.toml", text.as_bytes());
        },
    },
];

/// A folder with approved pictures, whose files then say what a lure says.
fn approved() -> Project {
    let project = Project::new();
    project.put("eyemap.toml", b"");
    let init = ["verify", "init", "table.csv", "--config", "eyemap.toml"];
    succeeds(&project.run(&[&init[..], &["--format", "svg", "--region", "LOP"]].concat()));
    project
}

/// Commands that somebody types in a folder that they have cloned.
const COMMANDS: [&[&str]; 6] = [
    &["verify"],
    &[
        "render",
        "table.csv",
        "--config",
        "eyemap.toml",
        "-o",
        "out",
        "--force",
    ],
    &[
        "plan",
        "table.csv",
        "--config",
        "eyemap.toml",
        "-o",
        "plan.json",
    ],
    &["plugin", "list", "--schema", "--config", "eyemap.toml"],
    &[
        "cache",
        "simulate",
        "--trace",
        "trace.csv",
        "--capacity",
        "10%",
        "--config",
        "eyemap.toml",
    ],
    &["render", "--plan", "plan.json", "-o", "planned"],
];

#[test]
fn no_file_of_a_folder_lets_its_library_run_in_the_process() {
    let project = approved();
    project.put("trace.csv", b"time,key,size\n1,1,10\n2,2,10\n3,1,10\n");
    for Lure { what, write } in LURES {
        write(&project);
        for command in COMMANDS {
            let output = project.run(command);
            assert!(!project.ran_here(), "{what}: {command:?}");
            // It was not refused: it runs in a worker. What `verify` sees is another plugin's colours.
            let code = output.status.code();
            assert!(
                matches!(code, Some(0 | 1)),
                "{what}: {command:?}: {}",
                words(&output)
            );
        }
    }
    project.lure("mine.lock");
    for command in COMMANDS {
        project.run(&[command, &["--lock", "mine.lock"]].concat());
        assert!(project.ran_here(), "{command:?} with a lock given by hand");
    }
}

#[test]
fn what_is_lowered_is_said_with_the_command_that_allows_it() {
    let project = Project::new();
    let lock = project.lure(LOCK_FILE);
    let output = project.render();
    succeeds(&output);
    let said = [
        &format!("{ID} runs in a worker process"),
        "eyemap-plugins.lock, which you have not accepted, asks for eyemap's own",
        &format!("`eyemap plugin trust {}` allows it", lock.display()),
    ];
    said.iter()
        .for_each(|part| assert!(words(&output).contains(part), "{}", words(&output)));
    assert!(!project.ran_here());
    // What it says is what it takes.
    succeeds(&project.run(&["plugin", "trust", &lock.display().to_string()]));
    let output = project.render();
    succeeds(&output);
    assert!(
        project.ran_here() && !words(&output).contains("worker"),
        "{}",
        words(&output)
    );

    let project = Project::new();
    project.configure("trust = true\nmode = \"trusted\"");
    let output = project.render();
    let command = format!(
        "eyemap plugin pin {} --in-process",
        project.library().display()
    );
    assert!(words(&output).contains(&command), "{}", words(&output));
    assert!(!project.ran_here());
    succeeds(&project.run(&["plugin", "pin", "plugins/libstranger.so", "--in-process"]));
    succeeds(&project.render());
    assert!(project.ran_here());
}

#[test]
fn what_fails_in_a_worker_says_why_it_ran_there() {
    let project = Project::new();
    let evil = eyemap_snapshots::broken::broken(project.dir.path(), "exit@load");
    std::fs::copy(evil, project.library()).expect("copied");
    project.lure(LOCK_FILE);
    let said = ["its worker crashed", "which you have not accepted"];
    fails(&project.render(), 2, &said);
}

#[test]
fn a_lock_that_has_changed_is_not_accepted_any_more() {
    let project = Project::new();
    let lock = project.lure(LOCK_FILE);
    succeeds(&project.run(&["plugin", "trust", LOCK_FILE]));
    assert_eq!(project.runs(), "in-process");
    let before = std::fs::read(&lock).expect("the lock");
    project.put(
        LOCK_FILE,
        &[&before[..], b"# as before, and a word more\n"].concat(),
    );
    let output = project.render();
    succeeds(&output);
    assert!(
        words(&output).contains("which has changed since you accepted it"),
        "{}",
        words(&output)
    );
    assert!(!project.ran_here());
    // Its bytes are what was accepted, here and in another checkout.
    project.put(LOCK_FILE, &before);
    assert_eq!(project.runs(), "in-process");
    succeeds(&project.run(&["plugin", "trust", LOCK_FILE, "--revoke"]));
    assert_eq!(project.runs(), "contained");
}

#[test]
fn accepting_a_lock_says_what_runs_then() {
    let project = Project::new();
    project.lure(LOCK_FILE);
    let output = project.run(&["plugin", "trust", LOCK_FILE]);
    succeeds(&output);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    for part in [
        ID,
        &sha256_hex(&sound()),
        "can do all that you can do",
        "--revoke",
    ] {
        assert!(said.contains(part), "{said}");
    }
    fails(
        &project.run(&["plugin", "trust", "other.lock"]),
        2,
        &["other.lock is not usable: there is no such file"],
    );
    fails(
        &project.plugin(&["list", "--lock", "other.lock"]),
        2,
        &["other.lock is not usable: there is no such file"],
    );
    project.put("plain.lock", b"form = 1\n");
    let output = project.run(&["plugin", "trust", "plain.lock"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("there is nothing to accept"));
}

/// Whoever names a plugin does not accept the others that a stranger has listed beside it.
#[test]
fn trusting_one_plugin_of_a_lock_does_not_accept_its_others() {
    let project = Project::new();
    let lock = project.lure(LOCK_FILE);
    let text = std::fs::read_to_string(&lock).expect("the lock");
    let mine = text
        .replace(ID, "org.example.mine")
        .replace(", \"in-process\"", "");
    let mine = mine.replace("form = 1\n", "");
    project.put(LOCK_FILE, format!("{text}{mine}").as_bytes());
    let output = project.plugin(&["trust", "org.example.mine"]);
    succeeds(&output);
    assert!(
        words(&output).contains("which you have not accepted"),
        "{}",
        words(&output)
    );
    succeeds(&project.render());
    assert!(!project.ran_here());
    // Without the other it counts at once, and what one changes oneself stays accepted.
    project.pin();
    succeeds(&project.plugin(&["trust", ID]));
    succeeds(&project.run(&["plugin", "trust", LOCK_FILE]));
    succeeds(&project.plugin(&["pin", "plugins/libstranger.so", "--in-process"]));
    succeeds(&project.render());
    assert!(project.ran_here());
}

#[test]
fn a_file_with_a_name_like_an_id_is_no_lock_that_is_accepted() {
    let project = Project::new();
    project.lure(ID);
    fails(
        &project.run(&["plugin", "trust", ID]),
        2,
        &["lists no plugin"],
    );
    project.configure("trust = true");
    assert_eq!(project.runs(), "contained");
}

#[test]
fn what_was_accepted_is_not_read_where_others_may_write() {
    let project = Project::new();
    project.lure(LOCK_FILE);
    succeeds(&project.run(&["plugin", "trust", LOCK_FILE]));
    let accepted = project.path("data/eyemap/accepted-locks.toml");
    #[cfg(unix)]
    {
        permissions::mode(&accepted, 0o666);
        fails(&project.render(), 2, &["accepted-locks.toml is not used"]);
        permissions::mode(&accepted, 0o644);
    }
    std::fs::write(&accepted, "form = 1\nlock = 3\n").expect("written");
    let said = [
        "accepted-locks.toml is not usable",
        "eyemap plugin trust LOCK",
    ];
    fails(&project.render(), 2, &said);
    assert!(!project.ran_here());
}

#[test]
fn a_plan_runs_nothing_that_has_changed_since() {
    let project = Project::new();
    let lock = project.lure(LOCK_FILE);
    let given = ["--lock", lock.to_str().expect("UTF-8")];
    let plan = [
        "plan",
        "table.csv",
        "--config",
        "eyemap.toml",
        "-o",
        "plan.json",
    ];
    succeeds(&project.run(&plan));
    project.put("plugins/libstranger.so", &rebuilt(1));
    project.lure(LOCK_FILE);
    let render = ["render", "--plan", "plan.json", "-o", "out"];
    let said = ["the color plugin", "changed since the plan was made"];
    fails(&project.run(&[&render[..], &given].concat()), 2, &said);
    assert!(!project.ran_here(), "it was loaded before it was compared");
    // A plan that says nothing of plugins is none that agrees with them.
    let mut json: Value =
        serde_json::from_slice(&std::fs::read(project.path("plan.json")).expect("a plan"))
            .expect("JSON");
    json["plugins"] = Value::Array(Vec::new());
    project.put("plan.json", json.to_string().as_bytes());
    fails(
        &project.run(&[&render[..], &given].concat()),
        2,
        &["changed since the plan was made"],
    );
    assert!(!project.ran_here());
    succeeds(&project.run(&[&plan[..], &given].concat()));
    assert!(project.ran_here(), "the same library, with the same lock");
}

/// The user trusts its bytes; that they fit is another question.
#[test]
fn what_does_not_fit_this_host_is_refused_before_its_constructor_runs_here() {
    let project = Project::new();
    std::fs::copy(example("other_layout"), project.library()).expect("copied");
    project.put(
        "eyemap.toml",
        b"[stages.color]\nplugin = \"./plugins/libstranger.so\"\n",
    );
    let pin = ["plugin", "pin", "plugins/libstranger.so", "--in-process"];
    succeeds(&project.run(&pin));
    fails(
        &project.render(),
        2,
        &["does not fit this host", "eyemap.color/1"],
    );
    assert!(!project.ran_here());
    project.put("plugins/libstranger.so", &sound());
    succeeds(&project.run(&pin));
    succeeds(&project.render());
    assert!(project.ran_here(), "a library that fits");
}

/// Its own bytes are accepted; those of the files that it would have loaded with it are in no lock.
#[test]
fn a_library_that_brings_others_along_does_not_run_in_the_process() {
    let project = Project::new();
    let pin = ["plugin", "pin", "plugins/libstranger.so", "--in-process"];
    project.put("plugins/libstranger.so", &with_a_search_path());
    succeeds(&project.run(&pin));
    fails(&project.render(), 2, &["files that no lock lists"]);
    assert!(!project.ran_here());
    succeeds(&project.run(&pin[..3]));
    succeeds(&project.render());
    project.put("plugins/libstranger.so", &sound());
    succeeds(&project.run(&pin));
    succeeds(&project.render());
    assert!(project.ran_here(), "a library that brings none");
}

/// The fixture, with an entry that only saves the loader time turned into a search path.
fn with_a_search_path() -> Vec<u8> {
    use object::{Object as _, ObjectSection as _};

    let mut bytes = sound();
    let file = object::File::parse(&bytes[..]).expect("ELF");
    let section = file.section_by_name(".dynamic").expect("dynamic entries");
    let (start, len) = section.file_range().expect("in the file");
    let entries = start as usize..(start + len) as usize;
    let (relacount, runpath) = (0x6fff_fff9_u64.to_ne_bytes(), 29_u64.to_ne_bytes());
    let mut places = entries.step_by(16);
    let place = places
        .find(|&place| bytes[place..place + 8] == relacount)
        .expect("a number of relocations");
    bytes[place..place + 8].copy_from_slice(&runpath);
    bytes
}

/// A store says which policy it had, and is looked at without a configuration.
#[test]
fn a_store_runs_no_library_that_it_names() {
    let project = Project::new();
    let store = project.path("store");
    project.put("eyemap.toml", b"");
    let stats = ["cache", "stats", "--store", "store"];
    let render = ["render", "table.csv", "-o", "out", "--store", "store"];
    succeeds(&project.run(&render));
    succeeds(&project.run(&stats));
    project.lure(LOCK_FILE);
    let settings = store.join("settings.toml");
    let library = project.library().display().to_string();
    std::fs::write(&settings, format!("policy = {library:?}\n")).expect("written");
    // Any policy will do to look at it.
    succeeds(&project.run(&stats));
    assert!(!project.ran_here());
    project.run(&[&stats[..], &["--lock", LOCK_FILE]].concat());
    assert!(project.ran_here(), "with a lock given by hand");
}

/// The bundle beside an eyemap of its own, with the stranger in the place of the colour stage.
#[test]
fn a_root_of_another_time_is_seen_before_its_constructor_runs_also_in_the_bundle() {
    let dir = tempfile::tempdir_in(eyemap_snapshots::build_dir()).expect("a directory");
    let command = dir.path().join("eyemap");
    std::fs::hard_link(eyemap().get_program(), &command).expect("linked");
    let plugins = dir.path().join("plugins");
    std::fs::create_dir(&plugins).expect("a directory");
    for package in ["hex-coordinates", "column-metadata", "sieve-policy"] {
        let library = eyemap_snapshots::plugin(package);
        std::fs::copy(&library, plugins.join(library.file_name().expect("a name")))
            .expect("copied");
    }
    let project = Project::new();
    std::fs::remove_dir_all(project.path("plugins")).expect("removed");
    let drawn = |bytes: &[u8]| {
        std::fs::write(plugins.join("libstranger.so"), bytes).expect("written");
        let lock = ["plugin", "lock", plugins.to_str().expect("UTF-8")];
        succeeds(&project.run(&lock));
        let mut run = std::process::Command::new(&command);
        run.args([
            "render",
            "table.csv",
            "--config",
            "eyemap.toml",
            "-o",
            "out",
            "--force",
        ])
        .current_dir(&project.dir)
        .env("NO_COLOR", "1")
        .env("XDG_DATA_HOME", project.path("data"))
        .env("EYEMAP_FIXTURE_MARK", project.path("mark"));
        run.output().expect("the command runs")
    };
    let output = drawn(&with_another_root());
    fails(
        &output,
        2,
        &["does not fit this host", "a root with abi_stable 0.99"],
    );
    assert!(!project.ran_here());
    succeeds(&drawn(&sound()));
    assert!(project.ran_here(), "the library as it was built");
}

/// The fixture with another number of its ABI.
fn with_another_root() -> Vec<u8> {
    use object::{Object as _, ObjectSection as _, ObjectSymbol as _};

    let mut bytes = sound();
    let file = object::File::parse(&bytes[..]).expect("ELF");
    let name = "_1as_0lib_1header_0root_bmodule_bloader";
    let mut symbols = file.dynamic_symbols();
    let entry = symbols
        .find(|symbol| symbol.name() == Ok(name))
        .expect("an entry")
        .address();
    let mut sections = file.sections();
    let within = sections.find_map(|section| {
        let (start, _) = section.file_range()?;
        let range = section.address()..section.address() + section.size();
        range
            .contains(&entry)
            .then(|| start + entry - section.address())
    });
    // Magic words, a major and a minor number.
    let minor = within.expect("in the file") as usize + 32 + 4;
    bytes[minor..minor + 4].copy_from_slice(&99_u32.to_ne_bytes());
    bytes
}
