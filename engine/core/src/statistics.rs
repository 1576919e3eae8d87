//! Statistics of values, taken piece by piece, the same on every machine.
//!
//! All are exact, but for quantiles of more than [`MOST_DISTINCT`] distinct values: these are of values
//! rounded to nine binary digits.

use std::collections::HashMap;

use eyemap_abi::job::{MAX_CATEGORIES, Statistics, SubjectNeeds};

/// Statistics and categories of a scope.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Summary {
    /// The statistics that were asked for, and the cheap ones.
    pub statistics: Statistics,
    /// Distinct values, rising, if asked for and few enough.
    pub categories: Vec<f64>,
}

/// More distinct values than a categorical scale can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyCategories;

/// More distinct values than this are counted by their first [`COARSE_BITS`] digits. It is a number
/// of the data alone, so that a colour never depends on how much memory there is.
pub const MOST_DISTINCT: usize = 1 << 16;

/// Binary digits that are kept of values that are too many: quantiles are then within
/// `2^-(COARSE_BITS + 1)` of the value, which is 0.2 %.
pub const COARSE_BITS: u32 = 8;

/// Takes values in pieces and summarises them. NaN (unknown) is left out.
///
/// The result depends on the values, on where pieces begin and on their order, and on nothing else.
#[derive(Debug, Clone)]
pub struct Tally {
    statistics: Statistics,
    mean: f64,
    /// Sum of squared deviations from the mean.
    squares: f64,
    sum: f64,
    /// Whether a value is no whole number.
    broken: bool,
    counts: Option<Counts>,
    few: Few,
}

impl Tally {
    /// No values yet.
    pub fn new(needs: &SubjectNeeds) -> Self {
        let counted = !needs.quantiles.is_empty() || needs.categories;
        Self {
            statistics: Statistics::default(),
            mean: 0.0,
            squares: 0.0,
            sum: 0.0,
            broken: false,
            counts: counted.then(Counts::default),
            few: Few::new(needs.few_values),
        }
    }

    /// Takes a piece.
    pub fn add<'a>(&mut self, values: impl Iterator<Item = &'a f64> + Clone) {
        // A layer without a row is minus zero and counts as 0.
        let known = values
            .filter(|value| !value.is_nan())
            .map(|value| value + 0.0);
        let piece = extremes(known.clone());
        if piece.count == 0 {
            return;
        }
        if let Some(counts) = &mut self.counts {
            known.clone().for_each(|value| counts.add(value, 1));
        }
        self.broken |= known.clone().any(|value| value.trunc() != value);
        known.clone().for_each(|value| self.few.add(value));
        // Within a piece in two passes, which keeps them accurate for large counts.
        let sum = known.clone().sum::<f64>();
        let mean = sum / piece.count as f64;
        let squares = known.map(|value| (value - mean) * (value - mean)).sum();
        self.sum += sum;
        self.join_moments(piece, mean, squares);
    }

    /// Takes what another took, as if its values came after these.
    pub fn join(&mut self, other: Self) {
        if let (Some(ours), Some(theirs)) = (&mut self.counts, other.counts) {
            ours.join(theirs);
        }
        self.sum += other.sum;
        self.broken |= other.broken;
        self.few.join(other.few);
        self.join_moments(other.statistics, other.mean, other.squares);
    }

    /// Chan, Golub and LeVeque, "Algorithms for computing the sample variance", The American
    /// Statistician 37 (1983), formula 2.1.
    fn join_moments(&mut self, other: Statistics, mean: f64, squares: f64) {
        if other.count == 0 {
            return;
        }
        let ours = &mut self.statistics;
        let [n, m] = [ours.count, other.count].map(|count| count as f64);
        let step = mean - self.mean;
        self.mean += step * (m / (n + m));
        self.squares += squares + step * step * (n * m / (n + m));
        let join = |a: Option<f64>, b: Option<f64>, pick: fn(f64, f64) -> f64| match (a, b) {
            (Some(a), Some(b)) => Some(pick(a, b)),
            (a, b) => a.or(b),
        };
        ours.count += other.count;
        ours.min = join(ours.min, other.min, f64::min);
        ours.max = join(ours.max, other.max, f64::max);
        ours.min_nonzero = join(ours.min_nonzero, other.min_nonzero, f64::min);
    }

    /// Whether there were too many distinct values to count each.
    pub fn is_coarse(&self) -> bool {
        self.counts.as_ref().is_some_and(|counts| counts.coarse)
    }

    /// The statistics that were asked for.
    ///
    /// # Errors
    /// When categories are asked for and there are more than [`MAX_CATEGORIES`].
    pub fn finish(self, needs: &SubjectNeeds) -> Result<Summary, TooManyCategories> {
        let mut statistics = self.statistics;
        if statistics.count == 0 {
            return Ok(Summary::default());
        }
        statistics.mean = Some(self.mean);
        statistics.deviation = Some((self.squares / statistics.count as f64).sqrt());
        statistics.sum = Some(self.sum).filter(|sum| sum.is_finite());
        statistics.whole_numbers = !self.broken;
        let coarse = self.counts.as_ref().is_some_and(|counts| counts.coarse);
        let sorted = self.counts.map(Counts::sorted).unwrap_or_default();
        statistics.quantiles = needs
            .quantiles
            .iter()
            .map(|&p| quantile(&sorted, statistics.count, p))
            .collect();
        let mut categories = self.few.values.unwrap_or_default();
        if needs.categories {
            if coarse || sorted.len() > MAX_CATEGORIES {
                return Err(TooManyCategories);
            }
            categories = sorted.iter().map(|(value, _)| *value).collect();
        }
        Ok(Summary {
            statistics,
            categories,
        })
    }
}

/// The distinct values while there are few.
#[derive(Debug, Clone)]
struct Few {
    /// Rising; none once there were more than `most`.
    values: Option<Vec<f64>>,
    most: usize,
}

impl Few {
    fn new(most: u32) -> Self {
        let most = (most as usize).min(MAX_CATEGORIES);
        Self {
            values: (most > 0).then(Vec::new),
            most,
        }
    }

    fn add(&mut self, value: f64) {
        let Some(values) = &mut self.values else {
            return;
        };
        // Minus zero is zero.
        let value = value + 0.0;
        let Err(at) = values.binary_search_by(|known| known.total_cmp(&value)) else {
            return;
        };
        values.insert(at, value);
        if values.len() > self.most {
            self.values = None;
        }
    }

    fn join(&mut self, other: Self) {
        match other.values {
            Some(values) => values.into_iter().for_each(|value| self.add(value)),
            None => self.values = None,
        }
    }
}

/// How often each value occurs.
#[derive(Debug, Clone, Default)]
struct Counts {
    /// By the bits of the value.
    of: HashMap<u64, u64>,
    coarse: bool,
}

impl Counts {
    fn add(&mut self, value: f64, times: u64) {
        let value = if self.coarse { coarse(value) } else { value };
        // Minus zero is zero.
        *self.of.entry((value + 0.0).to_bits()).or_default() += times;
        if self.of.len() > MOST_DISTINCT && !self.coarse {
            self.become_coarse();
        }
    }

    fn become_coarse(&mut self) {
        self.coarse = true;
        for (bits, times) in std::mem::take(&mut self.of) {
            self.add(f64::from_bits(bits), times);
        }
    }

    fn join(&mut self, other: Self) {
        if other.coarse && !self.coarse {
            self.become_coarse();
        }
        for (bits, times) in other.of {
            self.add(f64::from_bits(bits), times);
        }
    }

    fn sorted(self) -> Vec<(f64, u64)> {
        let of = self.of.into_iter();
        let mut sorted: Vec<_> = of
            .map(|(bits, times)| (f64::from_bits(bits), times))
            .collect();
        sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        sorted
    }
}

/// The nearest value of [`COARSE_BITS`] digits behind the first, as histograms of HdrHistogram have
/// them: exact steps of the machine's numbers, so that it is the same on every machine.
fn coarse(value: f64) -> f64 {
    let dropped = f64::MANTISSA_DIGITS - 1 - COARSE_BITS;
    let half = 1 << (dropped - 1);
    let rounded = f64::from_bits((value.to_bits() + half) >> dropped << dropped);
    // The largest number would round to infinity.
    if rounded.is_finite() { rounded } else { value }
}

fn extremes(values: impl Iterator<Item = f64>) -> Statistics {
    let (mut count, mut min, mut max, mut above) =
        (0, f64::INFINITY, f64::NEG_INFINITY, f64::INFINITY);
    for value in values {
        count += 1;
        min = min.min(value);
        max = max.max(value);
        above = if value > 0.0 { above.min(value) } else { above };
    }
    let finite = |value: f64| value.is_finite().then_some(value);
    Statistics {
        count,
        min: finite(min),
        max: finite(max),
        min_nonzero: finite(above),
        ..Statistics::default()
    }
}

/// Linear between the closest ranks: type 7 of Hyndman and Fan, "Sample quantiles in statistical
/// packages", The American Statistician 50 (1996).
fn quantile(sorted: &[(f64, u64)], count: u64, p: f64) -> f64 {
    let place = p.clamp(0.0, 1.0) * (count - 1) as f64;
    let low = place as u64;
    let at = |rank: u64| {
        let mut before = 0;
        let found = sorted.iter().find(|(_, times)| {
            before += times;
            before > rank
        });
        found.or(sorted.last()).map_or(0.0, |(value, _)| *value)
    };
    let [below, above] = [at(low), at((low + 1).min(count - 1))];
    below + (above - below) * (place - low as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summarize<'a>(
        values: impl Iterator<Item = &'a f64> + Clone,
        needs: &SubjectNeeds,
    ) -> Result<Summary, TooManyCategories> {
        let mut tally = Tally::new(needs);
        tally.add(values);
        tally.finish(needs)
    }

    fn needs(quantiles: &[f64], categories: bool) -> SubjectNeeds {
        SubjectNeeds {
            quantiles: quantiles.to_vec(),
            categories,
            ..Default::default()
        }
    }

    #[test]
    fn unknown_values_do_not_count_and_zero_is_a_value() {
        let values = [3.0, f64::NAN, 0.0, 1.0];
        let found = summarize(values.iter(), &needs(&[0.0, 0.5, 0.75], true)).expect("few");
        let statistics = found.statistics;
        assert_eq!(statistics.count, 3);
        assert_eq!(
            (statistics.min, statistics.min_nonzero, statistics.max),
            (Some(0.0), Some(1.0), Some(3.0))
        );
        assert_eq!(statistics.quantiles, [0.0, 1.0, 2.0]);
        assert_eq!(found.categories, [0.0, 1.0, 3.0]);
        assert!((statistics.deviation.expect("one") - (14.0f64 / 9.0).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn no_values_have_no_statistics() {
        let found = summarize([f64::NAN].iter(), &needs(&[0.5], true)).expect("none");
        assert_eq!(found, Summary::default());
    }

    #[test]
    fn too_many_categories_are_an_error() {
        let values: Vec<_> = (0..=MAX_CATEGORIES as u32).map(f64::from).collect();
        assert_eq!(
            summarize(values.iter(), &needs(&[], true)),
            Err(TooManyCategories)
        );
        assert!(summarize(values[1..].iter(), &needs(&[], true)).is_ok());
    }

    #[test]
    fn few_values_are_listed_and_more_are_no_error() {
        let few = |most, values: &[f64]| {
            let needs = SubjectNeeds {
                few_values: most,
                ..Default::default()
            };
            // Joined of two halves, as a table is summarised.
            let (a, b) = values.split_at(values.len() / 2);
            let [mut all, mut rest] = [a, b].map(|half| {
                let mut tally = Tally::new(&needs);
                tally.add(half.iter());
                tally
            });
            std::mem::swap(&mut all, &mut rest);
            all.join(rest);
            all.finish(&needs).expect("never too many").categories
        };
        assert_eq!(
            few(3, &[2.0, 0.0, f64::NAN, 2.0, -0.0, 1.0]),
            [0.0, 1.0, 2.0]
        );
        assert_eq!(few(2, &[2.0, 0.0, 1.0]), [0.0; 0]);
        assert_eq!(few(0, &[2.0]), [0.0; 0]);
        let many: Vec<f64> = (0..=MAX_CATEGORIES as u32).map(f64::from).collect();
        assert_eq!(
            few(u32::MAX, &many),
            [0.0; 0],
            "at most as many as categories"
        );
    }

    #[test]
    fn sums_and_whole_numbers_are_told() {
        let of = |values: &[f64]| {
            let found = summarize(values.iter(), &SubjectNeeds::default()).expect("a summary");
            (found.statistics.sum, found.statistics.whole_numbers)
        };
        assert_eq!(of(&[1.0, f64::NAN, -3.0]), (Some(-2.0), true));
        assert_eq!(of(&[1.0, 0.5]), (Some(1.5), false));
        assert_eq!(of(&[1e308, 1e308]), (None, true), "it has no number");
        assert_eq!(of(&[f64::NAN]), (None, false));
    }

    #[test]
    fn pieces_and_joins_give_what_one_pass_gives() {
        let values: Vec<f64> = (0..10_000)
            .map(|i| f64::from(i * 7919 % 1013) + 1e9)
            .collect();
        let needs = needs(&[0.1, 0.5, 0.99], false);
        let whole = summarize(values.iter(), &needs)
            .expect("a summary")
            .statistics;
        let mut pieces = Tally::new(&needs);
        for half in values.chunks(5000) {
            let mut tally = Tally::new(&needs);
            half.chunks(96).for_each(|piece| tally.add(piece.iter()));
            pieces.join(tally);
        }
        let joined = pieces.finish(&needs).expect("a summary").statistics;
        assert_eq!(
            (joined.count, joined.min, joined.max),
            (whole.count, whole.min, whole.max)
        );
        assert_eq!(joined.quantiles, whole.quantiles);
        let close = |a: Option<f64>, b: Option<f64>| {
            let [a, b] = [a, b].map(|number| number.expect("a number"));
            assert!((a - b).abs() < 1e-6, "{a} {b}");
        };
        close(joined.mean, whole.mean);
        close(joined.deviation, whole.deviation);
    }

    #[test]
    fn too_many_distinct_values_are_rounded_in_any_order_alike() {
        let n = 3 * MOST_DISTINCT as u32;
        let values: Vec<f64> = (0..n).map(|i| f64::from(i) + 0.5).collect();
        let needs = needs(&[0.0, 0.25, 0.5, 0.9, 1.0], false);
        let mut forward = Tally::new(&needs);
        forward.add(values.iter());
        assert!(forward.is_coarse());
        let mut backward = Tally::new(&needs);
        for piece in values.rchunks(1000) {
            let mut tally = Tally::new(&needs);
            tally.add(piece.iter().rev());
            backward.join(tally);
        }
        let [forward, backward] = [forward, backward].map(|tally| {
            tally
                .finish(&needs)
                .expect("a summary")
                .statistics
                .quantiles
        });
        assert_eq!(forward, backward);
        for (found, p) in forward.iter().zip(&needs.quantiles) {
            let exact = p * f64::from(n - 1) + 0.5;
            assert!(
                (found - exact).abs() <= exact / 512.0 + 1e-9,
                "{found} {exact}"
            );
        }
    }
}
