//! A piece of work in a copy of this process, and how the copy ended.
//!
//! What native code does to memory that it may not touch ends its process. In a copy, the end tells the
//! address and the original goes on. Only a process with a single thread is copied: of others the copy
//! would inherit locks that nobody opens.

#![allow(unsafe_code)]

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    ptr,
    sync::atomic::{AtomicPtr, AtomicU64, Ordering},
};

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};

/// How a copy ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The work was done.
    Done,
    /// The work panicked.
    Panicked,
    /// The copy ended by itself before the work was done, with this code.
    Exited(i32),
    /// A signal ended it.
    Killed {
        /// The signal, `SIGSEGV`.
        signal: i32,
        /// The address that was touched, for `SIGSEGV` and `SIGBUS`.
        address: Option<usize>,
        /// Whether it was to be written; known on x86-64 alone.
        write: Option<bool>,
    },
}

/// What a copy leaves behind, in memory that it shares with the original.
#[repr(C)]
struct Left {
    /// 1 when the work was done, 2 when it panicked.
    done: AtomicU64,
    /// The address plus 1.
    address: AtomicU64,
    /// 1 for a read, 2 for a write.
    access: AtomicU64,
}

static LEFT: AtomicPtr<Left> = AtomicPtr::new(ptr::null_mut());

/// Does the work in a copy of this process and waits for its end; `None` where the process has more than
/// one thread or cannot be copied, and nothing was done.
///
/// # Errors
/// When the copy cannot be waited for.
pub fn run(work: impl FnOnce()) -> io::Result<Option<Ended>> {
    if threads() != Some(1) {
        return Ok(None);
    }
    let bytes = size_of::<Left>();
    let flags = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: a new mapping at an address of the kernel's choice replaces nothing. It is zero-filled.
    let left = unsafe { mmap_anonymous(ptr::null_mut(), bytes, flags, MapFlags::SHARED) }?;
    let left = left.cast::<Left>();
    // SAFETY: this process has one thread, so nobody else holds a lock that the copy would need.
    let pid = unsafe { libc::fork() };
    let ended = match pid {
        -1 => Ok(None),
        0 => work_and_end(work, left),
        // SAFETY: the mapping holds a zeroed `Left`, made of atomic numbers, until `munmap` below.
        _ => wait(pid, unsafe { &*left }).map(Some),
    };
    // SAFETY: the mapping was made above and the reference to it has ended.
    let _ = unsafe { munmap(left.cast(), bytes) };
    ended
}

/// Threads of this process.
pub fn threads() -> Option<usize> {
    Some(std::fs::read_dir("/proc/self/task").ok()?.count())
}

fn work_and_end(work: impl FnOnce(), left: *mut Left) -> ! {
    LEFT.store(left, Ordering::SeqCst);
    // SAFETY: both change this process alone, which is the copy; `prctl` takes plain numbers.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        leave_address_of(libc::SIGSEGV);
        leave_address_of(libc::SIGBUS);
    }
    let done = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(()) => 1,
        Err(payload) => {
            std::mem::forget(payload);
            2
        }
    };
    // SAFETY: the mapping lives in the copy until it ends.
    unsafe { &*left }.done.store(done, Ordering::SeqCst);
    // SAFETY: ends the copy without running what was registered for the end of the original.
    unsafe { libc::_exit(0) }
}

/// # Safety
/// Replaces the handler of a signal of the whole process.
unsafe fn leave_address_of(signal: libc::c_int) {
    // SAFETY: all zeroes is a `sigaction` without flags and with an empty mask.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = on_fault as *const () as usize;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESETHAND;
    // SAFETY: `action` is complete, and `on_fault` does only what a handler may do.
    unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) };
}

/// Notes the address. The handler is reset before, so that the same access, which is tried again,
/// ends the process.
extern "C" fn on_fault(
    _signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    let left = LEFT.load(Ordering::SeqCst);
    if left.is_null() || info.is_null() {
        return;
    }
    // SAFETY: the pointer was set to a mapping that lives until the copy ends.
    let left = unsafe { &*left };
    // SAFETY: the kernel passes the facts of a SIGSEGV or SIGBUS, which have an address.
    let address = unsafe { (*info).si_addr() } as u64;
    left.address
        .store(address.wrapping_add(1), Ordering::SeqCst);
    left.access.store(access(context), Ordering::SeqCst);
}

#[cfg(target_arch = "x86_64")]
fn access(context: *mut libc::c_void) -> u64 {
    if context.is_null() {
        return 0;
    }
    // SAFETY: for a handler with `SA_SIGINFO` the third argument is a `ucontext_t`.
    let context = unsafe { &*context.cast::<libc::ucontext_t>() };
    // Bit 1 of the page fault's error code is set for writes.
    match context.uc_mcontext.gregs[libc::REG_ERR as usize] & 2 {
        0 => 1,
        _ => 2,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn access(_context: *mut libc::c_void) -> u64 {
    0
}

fn wait(pid: libc::pid_t, left: &Left) -> io::Result<Ended> {
    let mut status = 0;
    // SAFETY: `status` is a place for one number; `pid` is a child that nobody else waits for.
    while unsafe { libc::waitpid(pid, &raw mut status, 0) } == -1 {
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    if libc::WIFSIGNALED(status) {
        let address = left.address.load(Ordering::SeqCst);
        return Ok(Ended::Killed {
            signal: libc::WTERMSIG(status),
            address: (address != 0).then(|| address.wrapping_sub(1) as usize),
            write: match left.access.load(Ordering::SeqCst) {
                1 => Some(false),
                2 => Some(true),
                _ => None,
            },
        });
    }
    Ok(match left.done.load(Ordering::SeqCst) {
        1 => Ended::Done,
        2 => Ended::Panicked,
        _ => Ended::Exited(libc::WEXITSTATUS(status)),
    })
}
