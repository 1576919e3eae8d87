//! Signals: Ctrl-C and what asks to end, and the limit of the size of files.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ},
    flag,
    iterator::Signals,
};

use crate::{
    failure::{Failure, INTERNAL, INTERRUPTED},
    out,
};

/// Ctrl-C asks to stop; a second one does not ask. What whoever started this process let it ignore stays
/// ignored: SIGHUP under `nohup`, SIGINT in the background of a script.
pub(crate) fn stop_on_interrupt() -> Result<Arc<AtomicBool>, Failure> {
    let cancel = Arc::new(AtomicBool::new(false));
    let ignored = ignored();
    let heard: Vec<i32> = [SIGINT, SIGTERM, SIGHUP]
        .into_iter()
        .filter(|signal| ignored & (1 << (signal - 1)) == 0)
        .collect();
    let failed = |error| Failure::new(INTERNAL, format!("cannot listen to Ctrl-C: {error}"));
    // First what tells, so that the second signal ends the process whether or not anything was told.
    tell(&heard);
    for signal in heard {
        let code = i32::from(INTERRUPTED);
        flag::register_conditional_shutdown(signal, code, Arc::clone(&cancel)).map_err(failed)?;
        flag::register(signal, Arc::clone(&cancel)).map_err(failed)?;
    }
    Ok(cancel)
}

/// Says once that the run stops. Where no more threads may be started it stops without a word.
fn tell(heard: &[i32]) {
    let Ok(mut signals) = Signals::new(heard) else {
        return;
    };
    let wait = move || {
        if signals.forever().next().is_some() {
            out::note("stopping after the maps that are being drawn; Ctrl-C again stops at once");
        }
    };
    let _ = std::thread::Builder::new()
        .name("signals".into())
        .spawn(wait);
}

/// The signals that this process ignores, as Linux says it: a bit for each, from 1. Rust itself ignores only
/// SIGPIPE. Elsewhere none is known to be ignored.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

static TOO_LARGE: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Lets a write beyond the limit of the size of files fail, which is told, in place of ending the process
/// without a word.
pub(crate) fn survive_large_files() {
    let met = TOO_LARGE.get_or_init(Arc::default);
    // Where that cannot be, the process ends as before.
    let _ = flag::register(SIGXFSZ, Arc::clone(met));
}

/// Whether a write met that limit.
pub(crate) fn file_was_too_large() -> bool {
    TOO_LARGE
        .get()
        .is_some_and(|met| met.load(Ordering::Relaxed))
}
