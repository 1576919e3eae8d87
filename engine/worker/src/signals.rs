//! What happens to the signals of this process, and its locale: what a library may not change under its
//! host.

#![allow(unsafe_code)]

use std::{ffi::CStr, mem::MaybeUninit, ptr};

/// Handlers of all signals, and the mask and signal stack of this thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signals {
    /// Of each signal that has one: number, handler and flags.
    actions: Vec<(i32, usize, i32)>,
    blocked: Vec<i32>,
    /// Address and size of the stack on which handlers run.
    stack: (usize, usize),
}

/// Signals on Linux are numbered from 1 to 64.
const SIGNALS: std::ops::RangeInclusive<i32> = 1..=64;

impl Signals {
    /// As they are now.
    pub fn read() -> Self {
        Self {
            actions: SIGNALS.filter_map(action).collect(),
            blocked: blocked(),
            stack: stack(),
        }
    }

    /// What is other in `later`, in words.
    pub fn changes(&self, later: &Self) -> Vec<String> {
        let mut changes = Vec::new();
        for (before, after) in self.actions.iter().zip(&later.actions) {
            if before != after {
                changes.push(format!("another handler of {}", name(after.0)));
            }
        }
        for signal in SIGNALS {
            let (before, after) = (&self.blocked, &later.blocked);
            match (before.contains(&signal), after.contains(&signal)) {
                (false, true) => changes.push(format!("{} is blocked", name(signal))),
                (true, false) => changes.push(format!("{} is not blocked any more", name(signal))),
                _ => {}
            }
        }
        if self.stack != later.stack {
            changes.push("another stack for signal handlers".into());
        }
        changes
    }
}

fn action(signal: i32) -> Option<(i32, usize, i32)> {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: without a new action the call only fills in the present one.
    let failed = unsafe { libc::sigaction(signal, ptr::null(), action.as_mut_ptr()) } != 0;
    if failed {
        // The C library keeps two signals for itself.
        return None;
    }
    // SAFETY: filled in above, and all zeroes is a valid one too.
    let action = unsafe { action.assume_init() };
    Some((signal, action.sa_sigaction, action.sa_flags))
}

fn blocked() -> Vec<i32> {
    let mut mask = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: without a new mask the call only fills in the present one.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), mask.as_mut_ptr()) };
    // SAFETY: filled in above, and all zeroes is the empty mask.
    let mask = unsafe { mask.assume_init() };
    // SAFETY: `mask` is a whole set.
    let is_blocked = |&signal: &i32| unsafe { libc::sigismember(&raw const mask, signal) } == 1;
    SIGNALS.filter(is_blocked).collect()
}

fn stack() -> (usize, usize) {
    let mut stack = MaybeUninit::<libc::stack_t>::zeroed();
    // SAFETY: without a new stack the call only fills in the present one.
    unsafe { libc::sigaltstack(ptr::null(), stack.as_mut_ptr()) };
    // SAFETY: filled in above, and all zeroes is no stack.
    let stack = unsafe { stack.assume_init() };
    (stack.ss_sp as usize, stack.ss_size)
}

/// The name of a signal, `SIGSEGV`.
pub fn name(signal: i32) -> String {
    let known = [
        (libc::SIGHUP, "SIGHUP"),
        (libc::SIGINT, "SIGINT"),
        (libc::SIGQUIT, "SIGQUIT"),
        (libc::SIGILL, "SIGILL"),
        (libc::SIGTRAP, "SIGTRAP"),
        (libc::SIGABRT, "SIGABRT"),
        (libc::SIGBUS, "SIGBUS"),
        (libc::SIGFPE, "SIGFPE"),
        (libc::SIGKILL, "SIGKILL"),
        (libc::SIGUSR1, "SIGUSR1"),
        (libc::SIGSEGV, "SIGSEGV"),
        (libc::SIGUSR2, "SIGUSR2"),
        (libc::SIGPIPE, "SIGPIPE"),
        (libc::SIGALRM, "SIGALRM"),
        (libc::SIGTERM, "SIGTERM"),
        (libc::SIGCHLD, "SIGCHLD"),
        (libc::SIGXCPU, "SIGXCPU"),
        (libc::SIGSYS, "SIGSYS"),
    ];
    let name = known.iter().find(|(number, _)| *number == signal);
    name.map_or_else(|| format!("signal {signal}"), |(_, name)| (*name).into())
}

/// The locale of the C library, `C`.
pub fn locale() -> String {
    // SAFETY: without a new locale the call only returns the present one, or null.
    let name = unsafe { libc::setlocale(libc::LC_ALL, ptr::null()) };
    if name.is_null() {
        return String::new();
    }
    // SAFETY: a string of the C library, which lives until the locale is set anew.
    unsafe { CStr::from_ptr(name) }
        .to_string_lossy()
        .into_owned()
}

/// Writes out what the streams of the C library hold back.
pub fn flush_streams() {
    // SAFETY: null stands for all streams.
    unsafe { libc::fflush(ptr::null_mut()) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blocked_signal_is_a_change() {
        let before = Signals::read();
        assert_eq!(before.changes(&Signals::read()), Vec::<String>::new());
        let mut after = before.clone();
        after.blocked.push(libc::SIGUSR2);
        let (_, handler, _) = &mut after.actions[10];
        *handler += 1;
        let expected = ["another handler of SIGSEGV", "SIGUSR2 is blocked"];
        assert_eq!(before.changes(&after), expected);
        assert!(!locale().is_empty());
    }
}
