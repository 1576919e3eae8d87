//! The tooltips of a metadata stage, asked for in batches of several sizes.

use crate::{Annotate, job::ColumnStatus, metadata::Columns};

/// A tooltip may have this many bytes; the host takes no longer one.
const MAX_TOOLTIP_BYTES: usize = 64 * 1024;

/// Asks for the tooltips of columns `(hex1, hex2, value)`, and returns for each the one that replaces its
/// template. A column without a value has no row in the table. `layer` is 0 for whole columns.
///
/// # Panics
/// When any split of the batch gives other tooltips, when their indices do not rise or name no column of
/// the batch, or when a tooltip is longer than 64 KiB.
pub fn tooltips(
    texts: &impl Annotate,
    layer: u32,
    columns: &[(i32, i32, Option<f64>)],
) -> Vec<Option<String>> {
    let whole = tooltips_in(texts, layer, columns, columns.len().max(1));
    for size in [1, 3, 7] {
        assert_eq!(
            tooltips_in(texts, layer, columns, size),
            whole,
            "split into batches of {size}"
        );
    }
    whole
}

fn tooltips_in(
    texts: &impl Annotate,
    layer: u32,
    columns: &[(i32, i32, Option<f64>)],
    size: usize,
) -> Vec<Option<String>> {
    columns
        .chunks(size)
        .flat_map(|batch| of_batch(texts, layer, batch))
        .collect()
}

fn of_batch(
    texts: &impl Annotate,
    layer: u32,
    batch: &[(i32, i32, Option<f64>)],
) -> Vec<Option<String>> {
    let hex1: Vec<_> = batch.iter().map(|column| column.0).collect();
    let hex2: Vec<_> = batch.iter().map(|column| column.1).collect();
    let values: Vec<_> = batch
        .iter()
        .map(|column| column.2.unwrap_or_default())
        .collect();
    let status = |value: Option<f64>| match value {
        Some(_) => ColumnStatus::HasData,
        None => ColumnStatus::NoData,
    };
    let status: Vec<_> = batch.iter().map(|column| status(column.2)).collect();
    let columns = Columns::without_attributes(layer, &hex1, &hex2, &values, &status);
    let mut out = vec![None; batch.len()];
    let mut next = 0;
    for (index, text) in texts.annotate(&columns) {
        assert!(
            index >= next && index < batch.len(),
            "tooltip {index}: indices rise and name one of {} columns",
            batch.len()
        );
        assert!(
            text.len() <= MAX_TOOLTIP_BYTES,
            "tooltip {index} has {} bytes, more than {MAX_TOOLTIP_BYTES}",
            text.len()
        );
        next = index + 1;
        out[index] = Some(text);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::tooltips;
    use crate::{Annotate, job::MetadataDescription, metadata::Columns};

    /// Marks every second column: of the batch, or of those with an even `hex1`.
    struct Marks {
        by_index: bool,
        indices: &'static [usize],
    }

    impl Annotate for Marks {
        fn describe(&self) -> MetadataDescription {
            MetadataDescription::default()
        }

        fn annotate(&self, columns: &Columns<'_>) -> Vec<(usize, String)> {
            let is_marked = |i: usize| match self.by_index {
                true => i.is_multiple_of(2),
                false => columns.hex1[i] % 2 == 0,
            };
            let marked = (0..columns.hex1.len()).filter(|&i| is_marked(i));
            let more = self.indices.iter().copied();
            marked.chain(more).map(|i| (i, "marked".into())).collect()
        }
    }

    const COLUMNS: [(i32, i32, Option<f64>); 3] = [(2, 0, Some(1.0)), (3, 0, None), (4, 0, None)];

    #[test]
    fn tooltips_come_back_by_column() {
        let marks = Marks {
            by_index: false,
            indices: &[],
        };
        let found = tooltips(&marks, 0, &COLUMNS);
        assert_eq!(found, [Some("marked".into()), None, Some("marked".into())]);
    }

    #[test]
    #[should_panic(expected = "split into batches of 1")]
    fn a_tooltip_that_depends_on_the_batch_is_caught() {
        let marks = Marks {
            by_index: true,
            indices: &[],
        };
        tooltips(&marks, 0, &COLUMNS);
    }

    #[test]
    #[should_panic(expected = "tooltip 1: indices rise")]
    fn an_index_that_falls_is_caught() {
        let marks = Marks {
            by_index: false,
            indices: &[1],
        };
        tooltips(&marks, 0, &COLUMNS);
    }

    #[test]
    #[should_panic(expected = "tooltip 9: indices rise and name one of 3 columns")]
    fn an_index_outside_of_the_batch_is_caught() {
        let marks = Marks {
            by_index: false,
            indices: &[9],
        };
        tooltips(&marks, 0, &COLUMNS);
    }
}
