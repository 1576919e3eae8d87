//! Lets a library find another machine on another day, and notes what it asks for.
//!
//! A library calls the functions of the system through addresses in a table of its own, which the loader filled.
//! Some of them are replaced here, for this library alone: the clock on the wall is more than a year ahead, every
//! variable of the environment has a value, the machine has another name, and files cannot be opened. What is
//! asked in other ways, such as by a system call of the library's own, is not seen.
//!
//! To be done while no other thread runs code of the library.

#![allow(unsafe_code)]

use std::{
    ffi::{CStr, c_char, c_int, c_void},
    io,
    mem::MaybeUninit,
    ops::Range,
    ptr,
    sync::{Mutex, PoisonError},
};

use rustix::mm::{MprotectFlags, mprotect};

/// Seconds by which the clock on the wall is ahead: another year, month, weekday, hour and minute.
const AHEAD_S: i64 = 401 * 86_400 + 5 * 3_600 + 7 * 60;
/// What every variable holds, and the name of the machine.
const ELSEWHERE: &CStr = c"elsewhere";
/// The standard library's own variables are left alone: they say how it shows a panic.
const OF_THE_COMPILER: &[u8] = b"RUST_";
/// As many questions are kept.
const MAX_ASKED: usize = 8;

/// A place where a library keeps the address of a function that it calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The function's name.
    pub name: String,
    /// Where the place is, in bytes from the library's beginning in memory.
    pub offset: u64,
}

/// What a library asked the system for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// What it got an answer to, from elsewhere: `the time of day`.
    pub answered: Vec<String>,
    /// What a plugin has no use for, and was refused: `opens "/etc/hostname"`.
    pub refused: Vec<String>,
}

static ASKED: Mutex<Asked> = Mutex::new(Asked {
    answered: Vec::new(),
    refused: Vec::new(),
});

/// What libraries that were moved have asked for so far, each once.
pub fn asked() -> Asked {
    ASKED.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn note(list: impl FnOnce(&mut Asked) -> &mut Vec<String>, what: String) {
    let mut asked = ASKED.lock().unwrap_or_else(PoisonError::into_inner);
    let list = list(&mut asked);
    if list.len() < MAX_ASKED && !list.contains(&what) {
        list.push(what);
    }
}

/// Moves the library that holds `address`, of which these are the imports. A place that does not hold the address
/// of the function that it is said to hold is left alone.
///
/// # Errors
/// When no library is at this address, or its table cannot be written to.
pub fn move_there(address: *const (), imports: &[Import]) -> io::Result<()> {
    let mut about = MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: only looks the address up, and fills in what it finds.
    let found = unsafe { libc::dladdr(address.cast(), about.as_mut_ptr()) };
    // SAFETY: filled in above, and all zeroes is a valid one too.
    let base = unsafe { about.assume_init() }.dli_fbase as usize;
    if found == 0 || base == 0 {
        return Err(io::ErrorKind::NotFound.into());
    }
    let data = data_of(base);
    for import in imports {
        let place = base.wrapping_add(import.offset as usize);
        let end = place.saturating_add(size_of::<usize>());
        let inside = data
            .iter()
            .any(|data| data.start <= place && end <= data.end);
        if let Some(instead) = instead_of(&import.name).filter(|_| inside) {
            put(place, &import.name, instead)?;
        }
    }
    Ok(())
}

/// Where a library has data, by the address that it begins at.
fn data_of(base: usize) -> Vec<Range<usize>> {
    let mut found = (base, Vec::new());
    // SAFETY: the place that is passed on lives until the call has ended.
    unsafe { libc::dl_iterate_phdr(Some(data), (&raw mut found).cast()) };
    found.1
}

unsafe extern "C" fn data(
    about: *mut libc::dl_phdr_info,
    _bytes: usize,
    found: *mut c_void,
) -> c_int {
    // SAFETY: the loader passes what it knows of a library, and `data_of` the place for what is found.
    let (about, found) = unsafe { (&*about, &mut *found.cast::<(usize, Vec<Range<usize>>)>()) };
    if about.dlpi_addr as usize != found.0 {
        return 0;
    }
    // SAFETY: the loader's list of as many segments.
    let segments =
        unsafe { std::slice::from_raw_parts(about.dlpi_phdr, about.dlpi_phnum as usize) };
    for segment in segments {
        if segment.p_type == libc::PT_LOAD && segment.p_flags & libc::PF_W != 0 {
            let start = found.0 + segment.p_vaddr as usize;
            found.1.push(start..start + segment.p_memsz as usize);
        }
    }
    1
}

/// Replaces an address in the data of a library, if it is that of a function of the system.
fn put(place: usize, name: &str, instead: *const ()) -> io::Result<()> {
    let name = std::ffi::CString::new(name)?;
    // SAFETY: the name is a C string, and looking it up runs no code of ours.
    let function = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    let place = place as *mut *const ();
    // SAFETY: the place lies in data of a library that is loaded.
    if function.is_null() || unsafe { place.read_unaligned() } != function.cast_const().cast() {
        return Ok(());
    }
    let page = rustix::param::page_size();
    let start = place as usize / page * page;
    let bytes = place as usize - start + size_of::<usize>();
    let writable = MprotectFlags::READ | MprotectFlags::WRITE;
    // SAFETY: the pages are data of the library, which it may read as before.
    unsafe { mprotect(start as *mut c_void, bytes, writable) }?;
    // SAFETY: the place can be written to now, and who calls what it holds calls a function of the same arguments.
    unsafe { place.write_unaligned(instead) };
    Ok(())
}

/// The functions that are replaced.
fn instead_of(name: &str) -> Option<*const ()> {
    Some(match name {
        "clock_gettime" => clock_gettime as *const (),
        "gettimeofday" => gettimeofday as *const (),
        "time" => time as *const (),
        "getenv" | "secure_getenv" => getenv as *const (),
        "gethostname" => gethostname as *const (),
        "uname" => uname as *const (),
        "open" | "open64" => open as *const (),
        "fopen" | "fopen64" | "opendir" => fopen as *const (),
        "chdir" => chdir as *const (),
        _ => return None,
    })
}

/// # Safety
/// A C string, or null.
unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: a C string, as the caller says.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}

fn refuse() {
    // SAFETY: the place of this thread's own error number.
    unsafe { *libc::__errno_location() = libc::EACCES };
}

fn time_of_day() {
    note(|asked| &mut asked.answered, "the time of day".into());
}

unsafe extern "C" fn clock_gettime(clock: libc::clockid_t, at: *mut libc::timespec) -> c_int {
    // SAFETY: the caller's arguments, as it meant them.
    let done = unsafe { libc::clock_gettime(clock, at) };
    if done == 0 && [libc::CLOCK_REALTIME, libc::CLOCK_REALTIME_COARSE].contains(&clock) {
        time_of_day();
        // SAFETY: it was filled in above.
        unsafe { (*at).tv_sec += AHEAD_S };
    }
    done
}

unsafe extern "C" fn gettimeofday(at: *mut libc::timeval, zone: *mut c_void) -> c_int {
    // SAFETY: the caller's arguments, as it meant them.
    let done = unsafe { libc::gettimeofday(at, zone.cast()) };
    if done == 0 && !at.is_null() {
        time_of_day();
        // SAFETY: it was filled in above.
        unsafe { (*at).tv_sec += AHEAD_S };
    }
    done
}

unsafe extern "C" fn time(at: *mut libc::time_t) -> libc::time_t {
    time_of_day();
    // SAFETY: null stands for no place.
    let now = unsafe { libc::time(ptr::null_mut()) } + AHEAD_S;
    if !at.is_null() {
        // SAFETY: the caller's place for it.
        unsafe { *at = now };
    }
    now
}

unsafe extern "C" fn getenv(name: *const c_char) -> *const c_char {
    // SAFETY: the caller's name, a C string.
    let text = unsafe { text(name) };
    if text.as_bytes().starts_with(OF_THE_COMPILER) {
        // SAFETY: the caller's name, as it meant it.
        return unsafe { libc::getenv(name) };
    }
    note(
        |asked| &mut asked.answered,
        format!("the environment variable {text:?}"),
    );
    ELSEWHERE.as_ptr()
}

unsafe extern "C" fn gethostname(name: *mut c_char, len: usize) -> c_int {
    note(
        |asked| &mut asked.answered,
        "the name of the machine".into(),
    );
    let bytes = ELSEWHERE.to_bytes_with_nul();
    if name.is_null() || len < bytes.len() {
        return -1;
    }
    // SAFETY: the caller's place has `len` bytes.
    unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), name.cast(), bytes.len()) };
    0
}

unsafe extern "C" fn uname(about: *mut libc::utsname) -> c_int {
    // SAFETY: the caller's argument, as it meant it.
    let done = unsafe { libc::uname(about) };
    if done == 0 {
        // SAFETY: it was filled in above.
        let name = unsafe { &mut (*about).nodename };
        // SAFETY: the place has as many bytes.
        unsafe { gethostname(name.as_mut_ptr(), name.len()) };
    }
    done
}

/// Also where the caller says with which rights: what is not looked at does no harm.
unsafe extern "C" fn open(path: *const c_char, _flags: c_int) -> c_int {
    // SAFETY: the caller's path, a C string.
    let path = unsafe { text(path) };
    note(|asked| &mut asked.refused, format!("opens {path:?}"));
    refuse();
    -1
}

unsafe extern "C" fn fopen(path: *const c_char, _mode: *const c_char) -> *mut c_void {
    // SAFETY: the caller's path, a C string.
    let path = unsafe { text(path) };
    note(|asked| &mut asked.refused, format!("opens {path:?}"));
    refuse();
    ptr::null_mut()
}

unsafe extern "C" fn chdir(path: *const c_char) -> c_int {
    // SAFETY: the caller's path, a C string.
    let path = unsafe { text(path) };
    note(
        |asked| &mut asked.refused,
        format!("changes the current directory of its process to {path:?}"),
    );
    refuse();
    -1
}
