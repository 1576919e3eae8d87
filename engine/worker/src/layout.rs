//! Where the arrays of a batch lie in the arena; host and worker compute it alike.

/// Arrays start at multiples of a cache line.
const ALIGN: usize = 64;

/// Gives each array of a batch its offset.
#[derive(Debug, Default)]
pub(crate) struct Layout(usize);

impl Layout {
    /// The offset of the next array, of `count` values of `size` bytes.
    pub(crate) fn next(&mut self, count: usize, size: usize) -> usize {
        let offset = self.0;
        // A batch of 2^58 bytes is refused before it is laid out.
        self.0 = (offset + count * size).next_multiple_of(ALIGN);
        offset
    }

    /// Bytes so far.
    pub(crate) const fn len(&self) -> usize {
        self.0
    }
}

/// Offsets of a batch of colours: values, status, rgba.
pub(crate) struct ColorLayout {
    pub(crate) values: usize,
    pub(crate) status: usize,
    pub(crate) rgba: usize,
    pub(crate) len: usize,
}

impl ColorLayout {
    pub(crate) fn of(count: usize) -> Self {
        let mut layout = Layout::default();
        Self {
            values: layout.next(count, 8),
            status: layout.next(count, 1),
            rgba: layout.next(count, 4),
            len: layout.len(),
        }
    }
}

/// Offsets of a batch of places: both coordinates, x, y, placed.
pub(crate) struct PlaceLayout {
    pub(crate) hex1: usize,
    pub(crate) hex2: usize,
    pub(crate) x: usize,
    pub(crate) y: usize,
    pub(crate) placed: usize,
    pub(crate) len: usize,
}

impl PlaceLayout {
    pub(crate) fn of(count: usize) -> Self {
        let mut layout = Layout::default();
        Self {
            hex1: layout.next(count, 4),
            hex2: layout.next(count, 4),
            x: layout.next(count, 8),
            y: layout.next(count, 8),
            placed: layout.next(count, 1),
            len: layout.len(),
        }
    }
}

/// Offsets of a decision: events (the candidate is the last), weights and states of slots, victims. The
/// state of a slot is its hits, and [`RESIDENT`] if it holds an entry; the policy may change the hits.
pub(crate) struct DecideLayout {
    pub(crate) events: usize,
    pub(crate) weights: usize,
    pub(crate) states: usize,
    pub(crate) victims: usize,
    pub(crate) len: usize,
}

/// Set in the state of a slot that holds an entry.
pub(crate) const RESIDENT: u8 = 0x80;

impl DecideLayout {
    pub(crate) fn of(events: usize, slots: usize, places: usize) -> Self {
        let mut layout = Layout::default();
        Self {
            events: layout.next(events, crate::wire::EVENT * 8),
            weights: layout.next(slots, 8),
            states: layout.next(slots, 1),
            victims: layout.next(places, 4),
            len: layout.len(),
        }
    }
}
