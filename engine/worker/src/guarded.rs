//! Arrays beside memory that nobody may touch.
//!
//! A slice does not stop native code from reading or writing past its end; a page without permissions
//! does, at once and at the exact address. It cannot tell an access far beyond the page.

#![allow(unsafe_code)]

use std::{io, ops::Range, ptr};

use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};

/// Which end of an array lies against a page without permissions. The other has one as well, but with
/// room for less than a page in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Against {
    /// The first element is the first of its page.
    Start,
    /// The last element is the last of its page.
    End,
}

impl Against {
    /// Both.
    pub const ALL: [Self; 2] = [Self::End, Self::Start];
}

/// What an array can hold: values that are copied byte by byte and borrow nothing.
pub trait Plain: Copy + 'static {}

impl Plain for u8 {}
impl Plain for u32 {}
impl Plain for i32 {}
impl Plain for i64 {}
impl Plain for f64 {}
impl Plain for eyemap_abi::Event {}

/// An array between two pages without permissions.
#[derive(Debug)]
pub struct Guarded<T: Plain> {
    map: *mut u8,
    map_bytes: usize,
    page: usize,
    data: *mut T,
    len: usize,
}

impl<T: Plain> Guarded<T> {
    /// A copy of `values`.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn new(values: &[T], against: Against) -> io::Result<Self> {
        let page = rustix::param::page_size();
        let bytes = size_of_val(values);
        let inner = bytes.next_multiple_of(page).max(page);
        let map_bytes = inner + 2 * page;
        // SAFETY: a new mapping at an address of the kernel's choice replaces nothing.
        let map = unsafe {
            mmap_anonymous(
                ptr::null_mut(),
                map_bytes,
                ProtFlags::empty(),
                MapFlags::PRIVATE,
            )
        }?
        .cast::<u8>();
        let offset = match against {
            Against::Start => page,
            Against::End => page + inner - bytes,
        };
        let array = Self {
            map,
            map_bytes,
            page,
            // SAFETY: `offset` is below `map_bytes`. The end of a page less a multiple of the size of a
            // number is aligned for it.
            data: unsafe { map.add(offset) }.cast(),
            len: values.len(),
        };
        // SAFETY: the pages in the middle belong to the mapping made above and to nobody else.
        unsafe { mprotect(map.add(page).cast(), inner, WRITABLE) }?;
        // SAFETY: `data` has room for all values, was just made writable and overlaps nothing.
        unsafe { ptr::copy_nonoverlapping(values.as_ptr(), array.data, values.len()) };
        Ok(array)
    }

    /// The elements.
    pub const fn as_slice(&self) -> &[T] {
        // SAFETY: `data` has `len` initialised elements while the mapping lives, which `self` owns.
        unsafe { std::slice::from_raw_parts(self.data, self.len) }
    }

    /// The elements, for writing.
    pub const fn as_mut_slice(&mut self) -> &mut [T] {
        // SAFETY: as in `as_slice`, and `self` is borrowed for as long as the slice lives.
        unsafe { std::slice::from_raw_parts_mut(self.data, self.len) }
    }

    /// By how many bytes `address` lies before the first element (negative) or behind the last (positive,
    /// 0 is the first byte behind it), if it is on one of the two pages.
    pub fn miss(&self, address: usize) -> Option<i64> {
        let (start, page) = (self.map as usize, self.page);
        let before = start..start + page;
        let behind = start + self.map_bytes - page..start + self.map_bytes;
        let elements = self.elements();
        if before.contains(&address) {
            Some(address as i64 - elements.start as i64)
        } else if behind.contains(&address) {
            Some(address as i64 - elements.end as i64)
        } else {
            None
        }
    }

    fn elements(&self) -> Range<usize> {
        let start = self.data as usize;
        start..start + self.len * size_of::<T>()
    }
}

const WRITABLE: MprotectFlags = MprotectFlags::READ.union(MprotectFlags::WRITE);

impl<T: Plain> Drop for Guarded<T> {
    fn drop(&mut self) {
        // SAFETY: the mapping is this array's own, and no slice of it outlives the array.
        let _ = unsafe { munmap(self.map.cast(), self.map_bytes) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_holds_its_values_and_knows_what_lies_beside_it() {
        for against in Against::ALL {
            for len in [0, 1, 7, 512, 513, 5000] {
                let values: Vec<f64> = (0..len).map(f64::from).collect();
                let mut array = Guarded::new(&values, against).expect("memory");
                assert_eq!(array.as_slice(), values);
                array.as_mut_slice().fill(2.0);
                let elements = array.elements();
                match against {
                    Against::End => assert_eq!(array.miss(elements.end), Some(0)),
                    Against::Start => assert_eq!(array.miss(elements.start - 1), Some(-1)),
                }
                assert_eq!(array.miss(elements.end + (1 << 20)), None);
                if len > 0 {
                    assert_eq!(array.miss(elements.start), None);
                }
            }
        }
    }
}
