//! `eyemap plugin pin`, `verify`, `trust` and `lock`: which files may run, and how.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use eyemap_engine::{
    config::{Config, Source},
    plugins::{
        IN_PROCESS, LOCK_FILE, Locked, State, Verified, Written, accept_lock, forget_lock,
        pin as pin_one, set_in_process, user_data_dir,
    },
    verify::shell_word,
};
use serde_json::json;

use crate::{
    args::{LockArgs, PinArgs, TrustArgs, VerifyLocksArgs},
    failure::{Failure, SOME_FAILED, USAGE},
    out,
    session::{self, Given},
};

/// The lock that the arguments mean.
fn lock_path(args: &LockArgs) -> Result<PathBuf, Failure> {
    if let Some(lock) = &args.lock {
        return Ok(lock.clone());
    }
    if let Some(config) = &args.config {
        // A lock beside a file that is not there would never be looked at.
        if !config.is_file() {
            let what = format!("there is no configuration {}", config.display());
            return Err(Failure::new(USAGE, what).help("`eyemap config` prints one with all keys"));
        }
        return Ok(config.with_file_name(LOCK_FILE));
    }
    let dir = user_data_dir().ok_or_else(|| {
        Failure::new(USAGE, "there is no user data directory to keep a lock in")
            .help("name one with --lock, or the configuration with --config")
    })?;
    Ok(dir.join(LOCK_FILE))
}

pub(crate) fn pin(args: &PinArgs) -> Result<ExitCode, Failure> {
    let lock = lock_path(&args.lock)?;
    let config = args.lock.config.as_deref();
    let configured = config.map(|path| session::config(Some(path))).transpose()?;
    for library in &args.libraries {
        let written = pin_one(library, &lock, args.in_process)?;
        for locked in &written.entries {
            out::text(&pinned(locked, library, &lock))?;
            if let Some((config, source)) = &configured {
                undone(locked, config, source);
            }
        }
        tell_whether_it_counts(&written, &lock);
    }
    Ok(ExitCode::SUCCESS)
}

/// Says where a configuration lets any file of this id run, whatever is pinned.
fn undone(locked: &Locked, config: &Config, source: &Source) {
    if config
        .plugins
        .by_id
        .get(&locked.id)
        .is_some_and(|plugin| plugin.trust)
    {
        out::note(&format!(
            "note: `trust = true` in [plugins.by_id.\"{}\"] of {} undoes this: every file of that id runs, \
             also one that is not pinned; remove it",
            out::plain(&locked.id),
            out::plain(&source.path.display().to_string())
        ));
    }
}

/// Says that a lock lets others run in this process, whom its user has not accepted.
fn tell_whether_it_counts(written: &Written, lock: &Path) {
    if !written.counts {
        out::note(&format!(
            "note: {} lists more than this as in-process, which you have not accepted: all of it runs in \
             worker processes until `eyemap plugin trust {}`",
            out::plain(&lock.display().to_string()),
            out::plain(&shell_word(&lock.display().to_string())),
        ));
    }
}

/// What was written down, and how to use it.
fn pinned(locked: &Locked, library: &Path, lock: &Path) -> String {
    let stage = |id: &String| {
        let stage = id.strip_prefix("eyemap.")?.split('/').next()?;
        Some(match stage {
            "cache" => "[cache]\npolicy".to_owned(),
            "coordinate" | "color" | "metadata" => format!("[stages.{stage}]\nplugin"),
            _ => return None,
        })
    };
    let tables: Vec<_> = locked
        .capabilities
        .iter()
        .flatten()
        .filter_map(stage)
        .collect();
    let used: Vec<&str> = locked
        .capabilities
        .iter()
        .flatten()
        .map(String::as_str)
        .filter(|capability| *capability != IN_PROCESS)
        .collect();
    let place = library
        .canonicalize()
        .unwrap_or_else(|_| library.to_owned());
    let mut text = format!(
        "{} {} is pinned in {}\n  sha256  {}\n  used as {}\n  runs    {}\n",
        out::plain(&locked.id),
        out::plain(&locked.version),
        out::plain(&lock.display().to_string()),
        locked.sha256,
        used.join(", "),
        if locked.in_process() {
            IN_THIS
        } else {
            IN_A_WORKER
        },
    );
    for table in tables {
        text.push_str(&format!(
            "use it with\n  {} = {:?}\n",
            table.replace('\n', "\n  "),
            place.display().to_string()
        ));
    }
    text
}

const IN_THIS: &str = "in eyemap's own process";
const IN_A_WORKER: &str = "in a worker process";

/// Accepts a lock as it is now, or takes that back.
fn accept(lock: &Path, args: &TrustArgs) -> Result<ExitCode, Failure> {
    let name = out::plain(&lock.display().to_string());
    if args.lock.lock.is_some() || args.lock.config.is_some() {
        let what = format!("{name} is a lock, and --lock or --config names another");
        return Err(Failure::new(USAGE, what).help("leave --lock and --config out"));
    }
    if args.revoke {
        forget_lock(lock)?;
        return out::text(&format!(
            "what {name} lists runs in worker processes again, unless another lock says otherwise\n"
        ));
    }
    let accepted = accept_lock(lock)?;
    if accepted.is_empty() {
        return out::text(&format!(
            "{name} asks nothing to run in eyemap's own process: there is nothing to accept\n"
        ));
    }
    let mut text = format!(
        "{name} is accepted as it is now. In eyemap's own process run from now on, and can do all that you \
         can do, with your files and over the network:\n"
    );
    for locked in &accepted {
        let (id, version) = (out::plain(&locked.id), out::plain(&locked.version));
        let sha256 = out::plain(&locked.sha256);
        text.push_str(&format!("  {id} {version}\n    sha256 {sha256}\n"));
    }
    let word = out::plain(&shell_word(&lock.display().to_string()));
    text.push_str(&format!(
        "`eyemap plugin trust {word} --revoke` takes it back; a change of the lock does too\n"
    ));
    out::text(&text)
}

pub(crate) fn trust(args: &TrustArgs) -> Result<ExitCode, Failure> {
    if let Some(lock) = args.accepted_lock() {
        return accept(lock, args);
    }
    let lock = lock_path(&args.lock)?;
    let written = set_in_process(&args.what, &lock, !args.revoke)?;
    for locked in &written.entries {
        let id = out::plain(&locked.id);
        let line = if args.revoke {
            format!("{id} runs in a worker process again, unless another lock says otherwise\n")
        } else {
            format!(
                "{} {} runs in eyemap's own process from now on: it can do all that you can do, with \
                 your files and over the network, and its crash is eyemap's\n\
                 `eyemap plugin trust {} --revoke` takes it back\n",
                id,
                out::plain(&locked.version),
                id,
            )
        };
        out::text(&line)?;
    }
    tell_whether_it_counts(&written, &lock);
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn verify(args: &VerifyLocksArgs) -> Result<ExitCode, Failure> {
    let (config, source) = session::config(args.config.as_deref())?;
    let finder = session::finder(&config, &source, Given::locks(&args.trusted))?;
    let verified = finder.verify();
    if args.json {
        out::json(&json!({ "plugins": verified }))?;
    } else {
        let lines: String = verified.iter().map(line).collect();
        out::text(if lines.is_empty() {
            "no lock lists a plugin\n"
        } else {
            &lines
        })?;
    }
    let fine = verified.iter().all(|one| one.state == State::Ok);
    Ok(if fine {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(SOME_FAILED)
    })
}

fn line(one: &Verified) -> String {
    let file = one
        .file
        .as_deref()
        .map_or_else(|| "no file".to_owned(), |file| file.display().to_string());
    let state = match one.state {
        State::Ok => "ok",
        State::Changed => "changed",
        State::Missing => "missing",
        State::Unusable => "unusable",
    };
    let mut line = format!(
        "{state:9} {} {} ({}), locked in {}\n",
        out::plain(&one.locked.id),
        out::plain(&one.locked.version),
        out::plain(&file),
        out::plain(&one.lock.display().to_string())
    );
    if !one.why.is_empty() {
        line.push_str(&format!("          {}\n", out::plain(&one.why)));
    }
    line
}
