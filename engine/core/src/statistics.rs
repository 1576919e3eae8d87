//! Statistics of values: exact, in one order, so that they are the same on every machine.

use eyemap_abi::job::{MAX_CATEGORIES, Statistics, SubjectNeeds};

/// Statistics and categories of a scope.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Summary {
    /// The statistics that were asked for, and the cheap ones.
    pub statistics: Statistics,
    /// Distinct values, rising, if asked for.
    pub categories: Vec<f64>,
}

/// More distinct values than a categorical scale can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyCategories;

/// Summarises values; NaN (unknown) is left out.
///
/// # Errors
/// When categories are asked for and there are more than [`MAX_CATEGORIES`].
pub fn summarize<'a>(
    values: impl Iterator<Item = &'a f64> + Clone,
    needs: &SubjectNeeds,
) -> Result<Summary, TooManyCategories> {
    let known = values.copied().filter(|value| !value.is_nan());
    let mut statistics = extremes(known.clone());
    if statistics.count == 0 {
        return Ok(Summary {
            statistics,
            categories: Vec::new(),
        });
    }
    moments(&mut statistics, known.clone());
    let mut sorted = Vec::new();
    if !needs.quantiles.is_empty() || needs.categories {
        sorted = known.collect();
        sorted.sort_by(f64::total_cmp);
    }
    statistics.quantiles = needs
        .quantiles
        .iter()
        .map(|&p| quantile(&sorted, p))
        .collect();
    let mut categories = Vec::new();
    if needs.categories {
        sorted.dedup();
        if sorted.len() > MAX_CATEGORIES {
            return Err(TooManyCategories);
        }
        categories = sorted;
    }
    Ok(Summary {
        statistics,
        categories,
    })
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

/// Mean and population deviation in two passes, which keeps them accurate for large counts.
fn moments(statistics: &mut Statistics, values: impl Iterator<Item = f64> + Clone) {
    let count = statistics.count as f64;
    let mean = values.clone().sum::<f64>() / count;
    let squares = values
        .map(|value| (value - mean) * (value - mean))
        .sum::<f64>();
    statistics.mean = Some(mean);
    statistics.deviation = Some((squares / count).sqrt());
}

/// Linear between the closest ranks: type 7 of Hyndman and Fan, "Sample quantiles in statistical
/// packages", The American Statistician 50 (1996).
fn quantile(sorted: &[f64], p: f64) -> f64 {
    let place = p.clamp(0.0, 1.0) * (sorted.len() - 1) as f64;
    let low = place as usize;
    let high = (low + 1).min(sorted.len() - 1);
    sorted[low] + (sorted[high] - sorted[low]) * (place - low as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
