//! Takes from this process what a plugin does not need: the network, files, other processes, and more than
//! its share of memory.
//!
//! A plugin computes. It needs memory, the clock and random numbers; for the system's loader also the
//! system's libraries. Everything else is refused with an error that the plugin's code sees:
//!
//! * **seccomp** lets through a list of system calls, and no other: no sockets, no program is started, no
//!   process is made, nothing is written to a file, no signal reaches another process. Without it nothing is
//!   contained, so a kernel without it is an error.
//! * **threads**: [`no_more_threads`] is a second such list. A plugin with one thread computes while it is
//!   asked, under the deadline of a call, and at no other time.
//! * **landlock** (Linux 5.13) hides what is in all files but the system's libraries, so that a plugin cannot
//!   read the user's data either. That a file is there, its size and its owner are not hidden. A kernel
//!   without it is told in [`Confinement::missing`].
//! * **capabilities**: none is kept, should the user be the system's administrator.
//! * **limits**: memory, size of files, open files, no core dumps.
//!
//! It holds for this thread and those that it starts: to be called before any other thread runs.

#![allow(unsafe_code)]

use std::{collections::BTreeMap, io};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, Ruleset,
    RulesetAttr as _, RulesetCreatedAttr as _, RulesetStatus, Scope, path_beneath_rules,
};
use rustix::process::{Resource, Rlimit, setrlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};

/// What may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowed {
    /// Bytes of memory beyond those in use now.
    pub memory: u64,
    /// Bytes that may be written to one file: what is printed.
    pub printed: u64,
    /// Open files at a time, with those that are open now.
    pub files: u64,
    /// Whether it may read what `/proc` says of itself.
    pub itself: bool,
    /// Whether it may copy itself and wait for the copy, which is confined too and cannot leave the process
    /// group.
    pub copies: bool,
    /// Whether it may start threads for the rest of its life. If not, it calls [`no_more_threads`] once its
    /// own run.
    pub threads: bool,
}

/// What is in force.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Confinement {
    /// What this kernel could not do, in a sentence; empty when all holds.
    pub missing: String,
}

/// Directories and files that the system's loader reads.
const LIBRARIES: [&str; 8] = [
    "/lib",
    "/lib32",
    "/lib64",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/local/lib",
    "/etc/ld.so.cache",
];

/// Confines this process for the rest of its life.
///
/// # Errors
/// When a limit or the filter of system calls cannot be set: the process may not run a plugin then.
pub fn confine(allowed: Allowed) -> io::Result<Confinement> {
    limit(allowed)?;
    drop_capabilities()?;
    let missing = hide_files(allowed.itself)?;
    filter(&allowed)?;
    Ok(Confinement { missing })
}

/// Keeps this thread, which is confined without [`Allowed::threads`], from starting others.
///
/// # Errors
/// When the filter of system calls cannot be set.
pub fn no_more_threads() -> io::Result<()> {
    let refused = [libc::SYS_clone, libc::SYS_seccomp].map(|call| (call, Vec::new()));
    apply(
        Rules::from(refused),
        SeccompAction::Allow,
        errno(libc::EPERM),
    )
}

fn limit(allowed: Allowed) -> io::Result<()> {
    // A process that prints too much gets an error, not a signal that ends it.
    // SAFETY: SIG_IGN is a disposition that every signal but two can have; no handler is installed.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    let limits = [
        (
            Resource::As,
            address_space()?.saturating_add(allowed.memory),
        ),
        (Resource::Fsize, allowed.printed),
        (Resource::Nofile, allowed.files),
        (Resource::Core, 0),
        (Resource::Memlock, 0),
    ];
    for (resource, most) in limits {
        let most = Some(most);
        setrlimit(
            resource,
            Rlimit {
                current: most,
                maximum: most,
            },
        )?;
    }
    Ok(())
}

/// What an administrator may do beyond others is nothing that a plugin needs.
fn drop_capabilities() -> io::Result<()> {
    use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    Ok(set_capabilities(None, none)?)
}

/// Closes every file that was inherited, but for the first three and `keep`. To be called first in a process,
/// before anything is opened.
///
/// # Errors
/// When the open files cannot be listed.
pub fn close_inherited(keep: &[i32]) -> io::Result<()> {
    let mut inherited = Vec::new();
    for entry in std::fs::read_dir("/proc/self/fd")? {
        let number = entry?
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<i32>().ok());
        inherited.extend(number.filter(|fd| *fd > 2 && !keep.contains(fd)));
    }
    for fd in inherited {
        // SAFETY: nothing in this process has opened a file yet, so nobody relies on it. The number that
        // listed the others is closed by now, which is an error without effect.
        unsafe { libc::close(fd) };
    }
    Ok(())
}

/// Bytes of address space in use.
fn address_space() -> io::Result<u64> {
    let text = std::fs::read_to_string("/proc/self/statm")?;
    let pages = text
        .split_whitespace()
        .next()
        .and_then(|pages| pages.parse::<u64>().ok());
    let pages = pages.ok_or(io::ErrorKind::InvalidData)?;
    Ok(pages * rustix::param::page_size() as u64)
}

/// Hides files, as far as the kernel can; says what it could not do.
fn hide_files(itself: bool) -> io::Result<String> {
    let failed = |error: landlock::RulesetError| io::Error::other(error.to_string());
    let abi = ABI::V6;
    let reading = AccessFs::ReadFile | AccessFs::ReadDir | AccessFs::Execute;
    let own = itself.then_some("/proc/self");
    let seen = LIBRARIES.into_iter().chain(own);
    let restricted = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(abi)))
        .and_then(|rules| rules.scope(BitFlags::<Scope>::all()))
        .and_then(landlock::Ruleset::create)
        .and_then(|rules| rules.add_rules(path_beneath_rules(seen, reading)))
        .and_then(landlock::RulesetCreated::restrict_self)
        .map_err(failed)?;
    Ok(match restricted.ruleset {
        RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced => String::new(),
        RulesetStatus::NotEnforced => {
            "this kernel has no landlock: a contained plugin can read files that you can read, but write none".into()
        }
    })
}

/// System calls that are let through, whatever their arguments.
const CALLS: &[libc::c_long] = &[
    // Memory and threads.
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_futex,
    libc::SYS_membarrier,
    libc::SYS_rseq,
    libc::SYS_set_robust_list,
    libc::SYS_get_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_getparam,
    libc::SYS_sched_getscheduler,
    libc::SYS_getcpu,
    libc::SYS_exit,
    libc::SYS_exit_group,
    // The answer to clone3 is given by another filter.
    libc::SYS_clone3,
    // Signals of its own.
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    // The clock, random numbers, who it is.
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_times,
    libc::SYS_getrusage,
    libc::SYS_getrandom,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_gettid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_uname,
    libc::SYS_sysinfo,
    libc::SYS_umask,
    // Files that are open, and those that landlock lets it open.
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_pread64,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_lseek,
    libc::SYS_close,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_getdents64,
    libc::SYS_readlinkat,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_getcwd,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_memfd_create,
    libc::SYS_ftruncate,
    libc::SYS_pipe2,
    libc::SYS_eventfd2,
    libc::SYS_ppoll,
    // The socket from the host; others cannot be made.
    libc::SYS_recvmsg,
];

/// Older calls that only some processors have.
#[cfg(target_arch = "x86_64")]
const OLDER: &[libc::c_long] = &[
    libc::SYS_arch_prctl,
    libc::SYS_access,
    libc::SYS_readlink,
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_poll,
    libc::SYS_dup2,
    libc::SYS_pipe,
    libc::SYS_time,
];
#[cfg(not(target_arch = "x86_64"))]
const OLDER: &[libc::c_long] = &[];

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn condition(
    argument: u8,
    operator: SeccompCmpOp,
    value: u64,
) -> Result<SeccompCondition, seccompiler::BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Qword, operator, value)
}

/// The calls that are let through with some arguments alone.
fn rules(allowed: &Allowed) -> Result<Rules, seccompiler::BackendError> {
    let mut rules: Rules = CALLS
        .iter()
        .chain(OLDER)
        .map(|&call| (call, Vec::new()))
        .collect();
    let me = u64::from(std::process::id());
    let thread = libc::CLONE_THREAD as u64;
    let writing =
        (libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC | libc::O_TMPFILE & !libc::O_DIRECTORY)
            as u64;
    let mut only = |call: libc::c_long, conditions: Vec<SeccompCondition>| {
        let rule = SeccompRule::new(conditions)?;
        rules.entry(call).or_default().push(rule);
        Ok::<(), seccompiler::BackendError>(())
    };
    if !allowed.threads {
        // A thread can only take more from itself.
        let filter = u64::from(libc::SECCOMP_SET_MODE_FILTER);
        let (mode, no_flags) = (
            condition(0, SeccompCmpOp::Eq, filter)?,
            condition(1, SeccompCmpOp::Eq, 0)?,
        );
        only(libc::SYS_seccomp, vec![mode, no_flags])?;
        let forgo = libc::PR_SET_NO_NEW_PRIVS as u64;
        only(
            libc::SYS_prctl,
            vec![condition(0, SeccompCmpOp::Eq, forgo)?],
        )?;
    }
    if allowed.copies {
        let clone = SeccompCmpOp::MaskedEq(0);
        only(libc::SYS_clone, vec![condition(0, clone, 0)?])?;
        for call in [libc::SYS_wait4, libc::SYS_waitid] {
            let any = SeccompCmpOp::MaskedEq(0);
            only(call, vec![condition(0, any, 0)?])?;
        }
    }
    // A thread, but no process.
    only(
        libc::SYS_clone,
        vec![condition(0, SeccompCmpOp::MaskedEq(thread), thread)?],
    )?;
    // Files are looked at and copied. With others a signal could be sent to any process of the user.
    let harmless = [
        libc::F_DUPFD,
        libc::F_DUPFD_CLOEXEC,
        libc::F_GETFD,
        libc::F_SETFD,
        libc::F_GETFL,
        libc::F_GET_SEALS,
        libc::F_ADD_SEALS,
    ];
    for command in harmless {
        only(
            libc::SYS_fcntl,
            vec![condition(1, SeccompCmpOp::Eq, command as u64)?],
        )?;
    }
    let no_signals = SeccompCmpOp::MaskedEq(libc::O_ASYNC as u64);
    let flags = condition(1, SeccompCmpOp::Eq, libc::F_SETFL as u64)?;
    only(libc::SYS_fcntl, vec![flags, condition(2, no_signals, 0)?])?;
    // Files are opened to be read.
    let read_only = SeccompCmpOp::MaskedEq(writing);
    only(libc::SYS_openat, vec![condition(2, read_only.clone(), 0)?])?;
    #[cfg(target_arch = "x86_64")]
    only(libc::SYS_open, vec![condition(1, read_only, 0)?])?;
    // Limits are looked at, not set.
    only(
        libc::SYS_prlimit64,
        vec![condition(2, SeccompCmpOp::Eq, 0)?],
    )?;
    // A signal to itself, which is how a process aborts.
    only(libc::SYS_tgkill, vec![condition(0, SeccompCmpOp::Eq, me)?])?;
    only(libc::SYS_kill, vec![condition(0, SeccompCmpOp::Eq, me)?])?;
    // Names of threads and of memory.
    for option in [libc::PR_SET_NAME, libc::PR_GET_NAME, PR_SET_VMA] {
        only(
            libc::SYS_prctl,
            vec![condition(0, SeccompCmpOp::Eq, option as u64)?],
        )?;
    }
    Ok(rules)
}

/// Gives memory a name; the C library does so where the kernel can.
const PR_SET_VMA: i32 = 0x5356_4d41;

fn filter(allowed: &Allowed) -> io::Result<()> {
    // With ENOSYS the C library starts threads by `clone`, whose flags a filter can see.
    let no_clone3 = Rules::from([(libc::SYS_clone3, Vec::new())]);
    let listed = rules(allowed).map_err(|error| no_filter(&error))?;
    // A filter that is set before may not forbid setting the next one.
    apply(no_clone3, SeccompAction::Allow, errno(libc::ENOSYS))?;
    apply(listed, errno(libc::EPERM), SeccompAction::Allow)
}

const fn errno(errno: i32) -> SeccompAction {
    SeccompAction::Errno(errno as u32)
}

fn no_filter(error: &dyn std::fmt::Display) -> io::Error {
    io::Error::other(format!("no filter of system calls: {error}"))
}

/// Sets a filter: what happens to calls that no rule is met by, and to the others.
fn apply(rules: Rules, others: SeccompAction, met: SeccompAction) -> io::Result<()> {
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(|e| no_filter(&e))?;
    let filter = SeccompFilter::new(rules, others, met, arch).map_err(|e| no_filter(&e))?;
    let program = BpfProgram::try_from(filter).map_err(|e| no_filter(&e))?;
    apply_filter(&program).map_err(|e| no_filter(&e))
}
