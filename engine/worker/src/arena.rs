//! Memory that host and worker share: batches lie in it.
//!
//! Its size is sealed, because a page that is cut off would kill whoever reads it. What the other side writes
//! may change at any time, so the host copies out and looks at the copy.

#![allow(unsafe_code)]

use std::{io, os::fd::OwnedFd, ptr::NonNull};

use rustix::{
    fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create},
    mm::{MapFlags, ProtFlags, mmap, munmap},
};

/// Numbers of which every bit pattern is a value, so that bytes of the other side can be taken as such.
///
/// # Safety
/// Every bit pattern must be a value, and there must be no padding.
pub(crate) unsafe trait Plain: Copy {}
// SAFETY: integers and floats have a value for each bit pattern.
unsafe impl Plain for u8 {}
// SAFETY: as above.
unsafe impl Plain for i32 {}
// SAFETY: as above.
unsafe impl Plain for u32 {}
// SAFETY: as above.
unsafe impl Plain for u64 {}
// SAFETY: as above.
unsafe impl Plain for f64 {}

/// A mapping of shared memory of a fixed size.
#[derive(Debug)]
pub(crate) struct Arena {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: the mapping belongs to this value alone in this process, and is reached through `&mut` or by
// copies.
unsafe impl Send for Arena {}

impl Arena {
    /// New zeroed memory of at least `len` bytes, and the descriptor that the other side maps.
    pub(crate) fn create(len: usize) -> io::Result<(Self, OwnedFd)> {
        let len = len.next_multiple_of(4096);
        let fd = memfd_create(
            "eyemap-batch",
            MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING,
        )?;
        ftruncate(&fd, len as u64)?;
        fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        Ok((Self::map(&fd, len)?, fd))
    }

    /// Maps memory that the other side made.
    pub(crate) fn map(fd: &OwnedFd, len: usize) -> io::Result<Self> {
        let (flags, access) = (MapFlags::SHARED, ProtFlags::READ | ProtFlags::WRITE);
        // SAFETY: a new mapping at an address that the kernel chooses; its size is sealed by the host.
        let start = unsafe { mmap(std::ptr::null_mut(), len, access, flags, fd, 0) }?;
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { start, len })
    }

    /// Maps other memory in place of this, which is given up first: both would count as the plugin's.
    pub(crate) fn replace(&mut self, fd: &OwnedFd, len: usize) -> io::Result<()> {
        self.unmap();
        // Nothing is to be unmapped if the next line fails.
        (self.start, self.len) = (NonNull::dangling(), 0);
        *self = Self::map(fd, len)?;
        Ok(())
    }

    fn unmap(&self) {
        if self.len > 0 {
            // SAFETY: the mapping was made by `map` with this length, and no borrow of it is left.
            let _ = unsafe { munmap(self.start.as_ptr().cast(), self.len) };
        }
    }

    /// Size in bytes.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    fn checked<T>(&self, offset: usize, count: usize) -> *mut T {
        let end = count
            .checked_mul(size_of::<T>())
            .and_then(|bytes| bytes.checked_add(offset));
        let inside =
            end.is_some_and(|end| end <= self.len) && offset.is_multiple_of(align_of::<T>());
        assert!(
            inside,
            "{count} elements at {offset} do not lie in {} bytes",
            self.len
        );
        // SAFETY: `offset` lies in the mapping, as was checked just now.
        unsafe { self.start.as_ptr().add(offset).cast() }
    }

    /// Copies values in.
    ///
    /// # Panics
    /// When they do not fit: the caller has asked for room first.
    pub(crate) fn write<T: Plain>(&mut self, offset: usize, values: &[T]) {
        let place = self.checked::<T>(offset, values.len());
        // SAFETY: `place` has room for the values, and the mapping does not overlap them.
        unsafe { place.copy_from_nonoverlapping(values.as_ptr(), values.len()) };
    }

    /// Copies values out, over `out`.
    ///
    /// # Panics
    /// When they would lie outside.
    pub(crate) fn read<T: Plain>(&self, offset: usize, out: &mut [T]) {
        let place = self.checked::<T>(offset, out.len());
        // SAFETY: `place` has as many values. The other side may write meanwhile, which tears what is read;
        // whatever comes out is some value of T, and is believed no more than if it had been sent so.
        unsafe { out.as_mut_ptr().copy_from_nonoverlapping(place, out.len()) };
    }

    /// Bytes as they are now.
    pub(crate) fn bytes(&self, offset: usize, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.read(offset, &mut bytes);
        bytes
    }

    /// Several places of the arena at once, for the worker, whose host is asleep meanwhile.
    ///
    /// # Panics
    /// When one lies outside or two overlap.
    pub(crate) fn places(&mut self) -> Places<'_> {
        Places {
            arena: self,
            next: 0,
        }
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        self.unmap();
    }
}

/// Hands out places of an arena from front to back, so that no two overlap.
pub(crate) struct Places<'a> {
    arena: &'a mut Arena,
    next: usize,
}

impl<'a> Places<'a> {
    /// The next place, of `count` values at `offset`.
    pub(crate) fn next<T: Plain>(&mut self, offset: usize, count: usize) -> &'a mut [T] {
        assert!(offset >= self.next, "places overlap");
        let place = self.arena.checked::<T>(offset, count);
        self.next = offset + count * size_of::<T>();
        // SAFETY: the place lies in the mapping, which lives for `'a` and is borrowed mutably; places rise,
        // so this one overlaps none that was handed out before; every bit pattern is a `T`.
        unsafe { std::slice::from_raw_parts_mut(place, count) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_side_writes_the_other_reads() {
        let (mut host, fd) = Arena::create(10_000).expect("an arena");
        let mut worker = Arena::map(&fd, host.len()).expect("the same");
        host.write(64, &[1.5_f64, -0.0, f64::NAN]);
        let mut places = worker.places();
        let values = places.next::<f64>(64, 3);
        assert_eq!(
            (values[0], values[1].to_bits()),
            (1.5, (-0.0_f64).to_bits())
        );
        places.next::<u32>(128, 2)[1] = 7;
        let mut out = [9_u32; 2];
        host.read(128, &mut out);
        assert_eq!(out, [0, 7]);
    }

    #[test]
    fn the_size_is_sealed() {
        let (_arena, fd) = Arena::create(1).expect("an arena");
        assert!(ftruncate(&fd, 0).is_err());
        assert!(ftruncate(&fd, 1 << 20).is_err());
    }

    #[test]
    #[should_panic(expected = "do not lie in 4096 bytes")]
    fn a_place_outside_is_refused() {
        let (arena, _) = Arena::create(1).expect("an arena");
        arena.bytes(4000, 97);
    }
}
