//! What stands for the placeholders of titles.

use eyemap_sdk::{libm, prelude::*, text};

use crate::labels::Labels;

/// What stands for a number that there is not.
const MISSING: &str = "–";

/// Of one map.
pub(crate) struct Words<'a> {
    job: &'a MetadataJob,
    labels: &'a Labels,
}

impl<'a> Words<'a> {
    pub(crate) const fn new(job: &'a MetadataJob, labels: &'a Labels) -> Self {
        Self { job, labels }
    }

    /// Expands a title. `{layer}` is left for the host, and what is no placeholder stays as it is
    /// written.
    pub(crate) fn expand(&self, template: &str) -> String {
        text::expand(template, |name| match name {
            "label" => Some(text::expand(&self.labels.title, |name| self.name(name))),
            "quantity" => Some(text::expand(&self.labels.quantity, |name| self.name(name))),
            "all_layers" if self.job.layer_labels.is_empty() => Some(String::new()),
            "all_layers" => Some(", all layers".into()),
            "columns" => Some(columns(self.job).into()),
            _ => self.name(name).or_else(|| self.number(name)),
        })
    }

    fn name(&self, name: &str) -> Option<String> {
        match name {
            "cell_type" => Some(self.job.cell_type.clone()),
            "region" => Some(self.job.region.clone()),
            "side" => Some(self.job.side.word().into()),
            "metric" => Some(self.job.metric.clone()),
            _ => None,
        }
    }

    fn number(&self, name: &str) -> Option<String> {
        let statistics = &self.job.statistics;
        let value = |value: Option<f64>| value.map_or_else(|| MISSING.into(), readable);
        Some(match name {
            "columns_with_data" => self.job.columns_with_data.to_string(),
            "columns_in_region" => self.job.columns_in_region.to_string(),
            "zeros" => self.job.zeros.to_string(),
            "unknown" => self.job.unknown.to_string(),
            "min" => value(statistics.min),
            "max" => value(statistics.max),
            "mean" => value(statistics.mean),
            "sum" => value(statistics.sum),
            _ => return None,
        })
    }
}

/// `column` or `columns`, as many as the region has.
pub(crate) const fn columns(job: &MetadataJob) -> &'static str {
    match job.columns_in_region {
        1 => "column",
        _ => "columns",
    }
}

/// A number of at most three digits behind the first, without zeros at the end.
fn readable(value: f64) -> String {
    if value == value.trunc() && value.abs() < 1e15 {
        return (value + 0.0).to_string();
    }
    let digits = libm::log10(value.abs()).floor();
    if !(-6.0..15.0).contains(&digits) {
        return format!("{value:.2e}");
    }
    let decimals = (2.0 - digits).max(0.0) as usize;
    let text = format!("{value:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn numbers_have_three_digits_or_are_whole() {
        let numbers = [
            0.0,
            532.0,
            213.4,
            10.0 / 3.0,
            0.012_345,
            1e300,
            -7.25,
            999.96,
        ];
        let expected = [
            "0", "532", "213", "3.33", "0.0123", "1.00e300", "-7.25", "1000",
        ];
        assert_eq!(numbers.map(readable), expected);
    }
}
