//! Sets of columns: ovals of an exact number of columns, without a list of them.
//!
//! With `x = hex2 - hex1` and `y = hex1 + hex2`, a column lies in the oval where
//! `wx * x^2 + wy * y^2 <= t`, all in whole numbers.

/// A column, as `hex1` and `hex2`.
pub(super) type Column = (i32, i32);

/// What an oval looks like on a map, as weights of `x^2` and `y^2`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Oval {
    pub(super) wx: i64,
    pub(super) wy: i64,
}

impl Oval {
    /// An eye: the extents of the right medulla of Nern et al. 2024, a little higher than wide.
    pub(super) const EYE: Self = Self { wx: 7, wy: 2 };
    /// A disc: a step along `x` is the square root of three times one along `y`.
    pub(super) const DISC: Self = Self { wx: 3, wy: 1 };

    /// The distance of two columns, squared, in units of no meaning.
    pub(super) fn distance(self, a: Column, b: Column) -> i64 {
        self.norm(i64::from(a.0 - b.0), i64::from(a.1 - b.1))
    }

    const fn norm(self, hex1: i64, hex2: i64) -> i64 {
        let (x, y) = (hex2 - hex1, hex1 + hex2);
        self.wx * x * x + self.wy * y * y
    }

    /// First and last `hex2` within `t` at a `hex1`: the roots of a quadratic equation.
    fn span(self, hex1: i64, t: i64) -> Option<(i64, i64)> {
        let (sum, difference) = (self.wx + self.wy, self.wx - self.wy);
        let under_root = sum * t - (sum * sum - difference * difference) * hex1 * hex1;
        if under_root < 0 {
            return None;
        }
        let (middle, root) = (difference * hex1, under_root.isqrt());
        let last = (middle + root).div_euclid(sum);
        let first = -(root - middle).div_euclid(sum);
        (first <= last).then_some((first, last))
    }

    /// Rows within `t` as `hex1`, first and last `hex2`.
    fn spans(self, t: i64) -> impl Iterator<Item = (i64, i64, i64)> {
        let reach = (t / self.wx.min(self.wy)).isqrt() + 1;
        (-reach..=reach).filter_map(move |hex1| {
            let (first, last) = self.span(hex1, t)?;
            Some((hex1, first, last))
        })
    }

    fn count(self, t: i64) -> i64 {
        self.spans(t).map(|(_, first, last)| last - first + 1).sum()
    }

    /// The smallest `t` with at least `n` columns.
    fn threshold(self, n: i64) -> i64 {
        let (mut low, mut high) = (0, 1);
        while self.count(high) < n {
            high *= 2;
        }
        while low < high {
            let middle = i64::midpoint(low, high);
            if self.count(middle) < n {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

/// Columns of one `hex1` that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) hex1: i32,
    pub(super) first: i32,
    pub(super) last: i32,
}

impl Line {
    /// Its columns by rising `hex2`.
    pub(super) fn columns(self) -> impl Iterator<Item = Column> {
        (self.first..=self.last).map(move |hex2| (self.hex1, hex2))
    }
}

/// An oval of exactly `n` columns by rising `hex1`; the smallest `hex1` and `hex2` are 1. Takes memory
/// in proportion to the root of `n`.
pub(super) fn oval(shape: Oval, n: usize) -> Vec<Line> {
    let t = shape.threshold(n as i64);
    let mut excess = shape.count(t) - n as i64;
    let mut lines: Vec<_> = shape.spans(t).collect();
    // All columns in excess lie on the rim, which is at the ends of lines.
    for (hex1, first, last) in &mut lines {
        if excess > 0 && shape.norm(*hex1, *first) == t {
            (*first, excess) = (*first + 1, excess - 1);
        }
        if excess > 0 && first <= last && shape.norm(*hex1, *last) == t {
            (*last, excess) = (*last - 1, excess - 1);
        }
    }
    lines.retain(|(_, first, last)| first <= last);
    let least1 = lines.first().map_or(0, |line| line.0);
    let least2 = lines.iter().map(|line| line.1).min().unwrap_or(0);
    let moved = |(hex1, first, last)| Line {
        hex1: (hex1 - least1 + 1) as i32,
        first: (first - least2 + 1) as i32,
        last: (last - least2 + 1) as i32,
    };
    lines.into_iter().map(moved).collect()
}

/// The `n` columns nearest to one of them: a contiguous patch, by rising `hex1` and `hex2`.
pub(super) fn patch(columns: &[Column], centre: Column, n: usize) -> Vec<Column> {
    let mut near = columns.to_vec();
    near.sort_unstable_by_key(|&column| (Oval::DISC.distance(column, centre), column));
    near.truncate(n);
    near.sort_unstable();
    near
}
