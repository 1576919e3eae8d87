//! Writing a metadata stage: titles, labels, tooltips.

use eyemap_abi::{
    self as abi, Override, PluginError, Table,
    abi_stable::{
        std_types::{RResult, RSlice, RStr, RString, RVec},
        type_level::downcasting::TD_Opaque,
    },
    metadata::{MetadataStage_TO, PreparedMetadata_TO},
};

use crate::{
    Result, Tables,
    config::Config,
    export::{parse_job, same_length, statuses, to_json},
    guard::{Guarded, guard},
    job::{ColumnStatus, MetadataDescription, MetadataJob},
    tables::{Values, values},
};

/// Decides what is written on a map. Built once per configuration, shared between threads.
///
/// ```
/// use eyemap_sdk::prelude::*;
///
/// eyemap_sdk::config! {
///     /// A title and nothing else.
///     pub struct Plain {
///         /// The title. Default: "Map".
///         pub title: String = "Map".into(),
///     }
/// }
///
/// impl MetadataStage for Plain {
///     type Config = Self;
///     type Texts = MetadataDescription;
///     fn create(config: Self, _tables: &Tables<'_>) -> Result<Self> {
///         Ok(config)
///     }
///     fn prepare(&self, _job: &MetadataJob) -> Result<MetadataDescription> {
///         Ok(MetadataDescription { title: self.title.clone(), ..Default::default() })
///     }
/// }
///
/// let stage = Plain::create(Plain::default(), &Tables::NONE)?;
/// let texts = stage.prepare(&MetadataJob::default())?;
/// assert_eq!(texts.describe().title, "Map");
/// # Ok::<(), Error>(())
/// ```
pub trait MetadataStage: Sized + Send + Sync + 'static {
    /// Its table in TOML.
    type Config: Config;
    /// A prepared map. [`MetadataDescription`] itself is one that overrides no tooltip.
    type Texts: Annotate;

    /// Checks the configuration and reads side tables.
    ///
    /// # Errors
    /// When either is unusable.
    fn create(config: Self::Config, tables: &Tables<'_>) -> Result<Self>;

    /// Prepares for one map.
    ///
    /// # Errors
    /// When the job cannot be done.
    fn prepare(&self, job: &MetadataJob) -> Result<Self::Texts>;
}

/// The texts of a map.
///
/// ```
/// use eyemap_sdk::prelude::*;
///
/// /// Columns with large values have a tooltip of their own, all others that of the template.
/// struct Large {
///     above: f64,
/// }
///
/// impl Annotate for Large {
///     fn describe(&self) -> MetadataDescription {
///         MetadataDescription::default()
///     }
///     fn annotate(&self, columns: &Columns<'_>) -> Vec<(usize, String)> {
///         let values = columns.values.iter().enumerate();
///         let large = values.filter(|(_, value)| **value > self.above);
///         large.map(|(i, value)| (i, format!("large: {value}"))).collect()
///     }
/// }
///
/// let columns = [(5, 5, Some(3.0)), (5, 6, Some(70.0)), (6, 6, None)];
/// let found = eyemap_sdk::testing::tooltips(&Large { above: 10.0 }, 0, &columns);
/// assert_eq!(found, [None, Some("large: 70".to_owned()), None]);
/// ```
pub trait Annotate: Send + Sync + 'static {
    /// Texts and tooltip templates.
    fn describe(&self) -> MetadataDescription;

    /// Tooltips that differ from the templates, as index in the batch and text, rising by index.
    /// Any split of a batch must give the same tooltips. By default none.
    fn annotate(&self, columns: &Columns<'_>) -> Vec<(usize, String)> {
        let _ = columns;
        Vec::new()
    }
}

impl Annotate for MetadataDescription {
    fn describe(&self) -> MetadataDescription {
        self.clone()
    }
}

/// A batch of columns of one map. All slices have one length.
#[derive(Debug, Clone, Copy)]
pub struct Columns<'a> {
    /// 0 for whole columns, else the 1-based layer of the values.
    pub layer: u32,
    /// First hexagonal coordinate.
    pub hex1: &'a [i32],
    /// Second hexagonal coordinate.
    pub hex2: &'a [i32],
    /// Values; 0 where the status is not `HasData`.
    pub values: &'a [f64],
    /// What is known of each column.
    pub status: &'a [ColumnStatus],
    attributes: &'a [abi::TableColumn<'a>],
}

impl<'a> Columns<'a> {
    /// A batch whose columns have no attributes. All slices have one length.
    pub const fn without_attributes(
        layer: u32,
        hex1: &'a [i32],
        hex2: &'a [i32],
        values: &'a [f64],
        status: &'a [ColumnStatus],
    ) -> Self {
        Self {
            layer,
            hex1,
            hex2,
            values,
            status,
            attributes: &[],
        }
    }

    /// An attribute by name, with 1 where it is present (or nothing if it is present everywhere).
    pub fn attribute(&self, name: &str) -> Option<(Values<'a>, &'a [u8])> {
        let column = self
            .attributes
            .iter()
            .find(|column| column.name.as_str() == name)?;
        Some((values(&column.data), column.valid.as_slice()))
    }
}

struct StageAdapter<S>(Guarded<S>);
struct TextsAdapter<T>(Guarded<T>);

impl<S: MetadataStage> abi::MetadataStage for StageAdapter<S> {
    fn prepare(&self, job: RStr<'_>) -> RResult<abi::PreparedMetadataBox, PluginError> {
        guard(|| {
            let texts = self.0.prepare(&parse_job(job.as_str())?)?;
            Ok(PreparedMetadata_TO::from_value(
                TextsAdapter(Guarded::new(texts)),
                TD_Opaque,
            ))
        })
    }
}

impl<T: Annotate> abi::PreparedMetadata for TextsAdapter<T> {
    fn describe(&self) -> RResult<RString, PluginError> {
        guard(|| to_json(&self.0.describe()))
    }

    fn annotate(&self, batch: &abi::ColumnBatch<'_>) -> RResult<RVec<Override>, PluginError> {
        guard(|| {
            let len = batch.hex1.len();
            same_length(&[
                len,
                batch.hex2.len(),
                batch.values.len(),
                batch.status.len(),
            ])?;
            for attribute in batch.attributes.as_slice() {
                same_length(&[len, attribute.data.len()])?;
            }
            let columns = Columns {
                layer: batch.layer,
                hex1: batch.hex1.as_slice(),
                hex2: batch.hex2.as_slice(),
                values: batch.values.as_slice(),
                status: statuses(batch.status.as_slice())?,
                attributes: batch.attributes.as_slice(),
            };
            let overrides = self.0.annotate(&columns);
            overrides
                .into_iter()
                .map(|(index, text)| within(index, text, len))
                .collect::<Result<RVec<_>, _>>()
        })
    }
}

fn within(index: usize, text: String, len: usize) -> Result<Override, PluginError> {
    let index = u32::try_from(index)
        .ok()
        .filter(|_| index < len)
        .ok_or_else(|| crate::Error::internal(format!("tooltip for column {index} of {len}")))?;
    Ok(Override {
        index,
        text: RString::from(text),
    })
}

/// The `create` of the extension struct.
#[doc(hidden)]
pub extern "C" fn create<S: MetadataStage>(
    config: RStr<'_>,
    tables: RSlice<'_, Table<'_>>,
) -> RResult<abi::MetadataStageBox, PluginError> {
    guard(|| {
        let config = crate::config::parse(config.as_str())?;
        let stage = Tables::lend(tables.as_slice(), |tables| S::create(config, tables))?;
        Ok(MetadataStage_TO::from_value(
            StageAdapter(Guarded::new(stage)),
            TD_Opaque,
        ))
    })
}
