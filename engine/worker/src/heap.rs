//! How much of the C library's heap is in use.
//!
//! A plugin takes its memory from there, unless it brings an allocator of its own; the `eyemap` command
//! brings one. So what grows there while a plugin is asked is the plugin's.

#![allow(unsafe_code)]

use std::ffi::CStr;

/// `struct mallinfo2` of glibc, in bytes but for the two numbers of blocks.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
struct Info {
    arena: usize,
    ordblks: usize,
    smblks: usize,
    hblks: usize,
    hblkhd: usize,
    usmblks: usize,
    fsmblks: usize,
    uordblks: usize,
    fordblks: usize,
    keepcost: usize,
}

/// Bytes in use, those in mappings of their own among them; `None` where the C library does not say.
pub fn in_use_bytes() -> Option<u64> {
    const NAME: &CStr = c"mallinfo2";
    // Looked up by name: glibc has it since 2.33, and the command runs with older ones too.
    // SAFETY: the name is a C string, and looking it up runs no code of ours.
    let symbol = unsafe { libc::dlsym(libc::RTLD_DEFAULT, NAME.as_ptr()) };
    if symbol.is_null() {
        return None;
    }
    // SAFETY: glibc's `mallinfo2` takes nothing and returns the struct above by value; no other C library
    // has a function of this name.
    let info = unsafe {
        let mallinfo2: extern "C" fn() -> Info = std::mem::transmute(symbol);
        mallinfo2()
    };
    Some((info.uordblks + info.hblkhd) as u64)
}

#[cfg(all(test, target_env = "gnu"))]
mod tests {
    use super::in_use_bytes;

    #[test]
    fn what_is_taken_is_in_use() {
        let Some(before) = in_use_bytes() else { return };
        let taken = std::hint::black_box(vec![1u8; 8 << 20]);
        let after = in_use_bytes().expect("known before");
        assert!(after >= before + (8 << 20) - (1 << 16), "{before} {after}");
        drop(taken);
    }
}
