//! Any stage of a plugin behind one face, called through the contract as it is frozen.
//!
//! Texts of a plugin are taken as bytes: a `RString` of native code may hold anything.

use eyemap_abi::{
    ColorStageBox, ColumnBatch, CoordinateStageBox, ErrorKind, MetadataStageBox, PluginError,
    PreparedColorBox, PreparedCoordinateBox, PreparedMetadataBox,
    abi_stable::std_types::{RErr, ROk, RResult, RSlice, RSliceMut, RStr, RString},
    ids,
};
use eyemap_engine::plugins::Plugin;

use super::{columns::Inputs, outputs::Outputs};

/// A stage that a plugin exports.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Coordinate(&'static Plugin),
    Color(&'static Plugin),
    Metadata(&'static Plugin),
}

impl Kind {
    /// Those that a plugin exports, wherever it runs.
    pub(super) fn all_of(plugin: &'static Plugin) -> Vec<Self> {
        let exports = |id: &str| plugin.manifest.extensions.iter().any(|other| other == id);
        let all = [
            (ids::COORDINATE, Self::Coordinate(plugin)),
            (ids::COLOR, Self::Color(plugin)),
            (ids::METADATA, Self::Metadata(plugin)),
        ];
        let exported = all.into_iter().filter(|(id, _)| exports(id));
        exported.map(|(_, kind)| kind).collect()
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Coordinate(_) => "coordinate",
            Self::Color(_) => "color",
            Self::Metadata(_) => "metadata",
        }
    }

    /// What answers a batch.
    pub(super) const fn call(self) -> &'static str {
        match self {
            Self::Coordinate(_) => "place",
            Self::Color(_) => "color",
            Self::Metadata(_) => "annotate",
        }
    }

    /// Builds the stage from its configuration, without side tables.
    pub(super) fn create(self, config: &str) -> Result<Stage, PluginError> {
        let (config, tables) = (RStr::from_str(config), RSlice::EMPTY);
        let created = match self {
            Self::Coordinate(plugin) => plugin
                .create_coordinate(config, tables)
                .map(|created| created.map(Stage::Coordinate)),
            Self::Color(plugin) => plugin
                .create_color(config, tables)
                .map(|created| created.map(Stage::Color)),
            Self::Metadata(plugin) => plugin
                .create_metadata(config, tables)
                .map(|created| created.map(Stage::Metadata)),
        };
        match created {
            Ok(created) => created.into_result().map_err(readable),
            // Another check says what is wrong with the layout.
            Err(error) => Err(PluginError::new(ErrorKind::Internal, error.to_string())),
        }
    }
}

/// A stage.
pub(super) enum Stage {
    Coordinate(CoordinateStageBox),
    Color(ColorStageBox),
    Metadata(MetadataStageBox),
}

impl Stage {
    /// What a colour stage needs, as JSON.
    pub(super) fn needs(&self) -> Result<Option<String>, PluginError> {
        match self {
            Self::Color(stage) => text(stage.needs()).map(Some),
            _ => Ok(None),
        }
    }

    pub(super) fn prepare(&self, job: &str) -> Result<Prepared, PluginError> {
        let job = RStr::from_str(job);
        match self {
            Self::Coordinate(stage) => stage.prepare(job).map(Prepared::Coordinate),
            Self::Color(stage) => stage.prepare(job).map(Prepared::Color),
            Self::Metadata(stage) => stage.prepare(job).map(Prepared::Metadata),
        }
        .into_result()
        .map_err(readable)
    }
}

/// A prepared stage.
pub(super) enum Prepared {
    Coordinate(PreparedCoordinateBox),
    Color(PreparedColorBox),
    Metadata(PreparedMetadataBox),
}

/// Places for what a call answers; those that its stage has no use for are not looked at.
pub(super) struct Out<'a> {
    pub(super) x: &'a mut [f64],
    pub(super) y: &'a mut [f64],
    pub(super) placed: &'a mut [u8],
    pub(super) rgba: &'a mut [u32],
}

/// Tooltips with the index of their column.
pub(super) type Tooltips = Vec<(u32, String)>;

impl Prepared {
    /// The description, as JSON.
    pub(super) fn describe(&self) -> Result<String, PluginError> {
        text(match self {
            Self::Coordinate(prepared) => prepared.describe(),
            Self::Color(prepared) => prepared.describe(),
            Self::Metadata(prepared) => prepared.describe(),
        })
    }

    /// Answers columns into zero-filled arrays.
    pub(super) fn ask(&self, inputs: &Inputs<'_>) -> Result<Outputs, PluginError> {
        let mut outputs = Outputs::zeroed(self, inputs.hex1.len());
        outputs.tooltips = self.call(inputs, outputs.lend())?;
        Ok(outputs)
    }

    /// Answers columns into any arrays.
    pub(super) fn call(&self, inputs: &Inputs<'_>, out: Out<'_>) -> Result<Tooltips, PluginError> {
        let done = match self {
            Self::Coordinate(prepared) => prepared.place(
                RSlice::from_slice(inputs.hex1),
                RSlice::from_slice(inputs.hex2),
                RSliceMut::from_mut_slice(out.x),
                RSliceMut::from_mut_slice(out.y),
                RSliceMut::from_mut_slice(out.placed),
            ),
            Self::Color(prepared) => prepared.color(
                RSlice::from_slice(inputs.values),
                RSlice::from_slice(inputs.status),
                RSliceMut::from_mut_slice(out.rgba),
            ),
            Self::Metadata(prepared) => return annotate(prepared, inputs),
        };
        done.into_result().map_err(readable)?;
        Ok(Vec::new())
    }
}

fn annotate(prepared: &PreparedMetadataBox, inputs: &Inputs<'_>) -> Result<Tooltips, PluginError> {
    let batch = ColumnBatch {
        layer: inputs.layer,
        hex1: RSlice::from_slice(inputs.hex1),
        hex2: RSlice::from_slice(inputs.hex2),
        values: RSlice::from_slice(inputs.values),
        status: RSlice::from_slice(inputs.status),
        attributes: RSlice::from_slice(inputs.attributes),
    };
    let overrides = prepared.annotate(&batch).into_result().map_err(readable)?;
    let tooltip = |one: eyemap_abi::Override| {
        let text = utf8(one.text, &format!("the tooltip of column {}", one.index))?;
        Ok((one.index, text))
    };
    overrides.into_iter().map(tooltip).collect()
}

fn text(answer: RResult<RString, PluginError>) -> Result<String, PluginError> {
    match answer {
        ROk(text) => utf8(text, "the description"),
        RErr(error) => Err(readable(error)),
    }
}

fn utf8(text: RString, what: &str) -> Result<String, PluginError> {
    String::from_utf8(text.into_bytes().into_vec()).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let message = format!("{what} is not UTF-8 from its byte {at} on");
        PluginError::new(ErrorKind::Internal, message)
    })
}

/// The error with texts that are texts, short and on one line.
fn readable(error: PluginError) -> PluginError {
    let words = |text: RString| {
        let text = text.into_bytes().into_vec();
        let text: String = String::from_utf8_lossy(&text).chars().take(300).collect();
        text.replace(char::is_control, " ")
    };
    PluginError::new(error.kind, words(error.message)).at(words(error.at))
}
