//! What the worker holds for its host: stages, prepared jobs and policies, by number.

use eyemap_abi::{
    CachePolicyBox, ColorStageBox, CoordinateStageBox, MetadataStageBox, PluginError,
    PreparedColorBox, PreparedCoordinateBox, PreparedMetadataBox,
};

use crate::host::internal;

/// One of them.
pub(crate) enum Object {
    Coordinate(CoordinateStageBox),
    Color(ColorStageBox),
    Metadata(MetadataStageBox),
    PreparedCoordinate(PreparedCoordinateBox),
    PreparedColor(PreparedColorBox),
    PreparedMetadata(PreparedMetadataBox),
    Policy(CachePolicyBox),
}

/// All of them; 0 is none.
#[derive(Default)]
pub(crate) struct Objects {
    slots: Vec<Option<Object>>,
    free: Vec<u32>,
}

impl Objects {
    pub(crate) fn add(&mut self, object: Object) -> u32 {
        match self.free.pop() {
            Some(number) => {
                self.slots[number as usize - 1] = Some(object);
                number
            }
            None => {
                self.slots.push(Some(object));
                self.slots.len() as u32
            }
        }
    }

    pub(crate) fn get(&mut self, number: u32) -> Result<&mut Object, PluginError> {
        let slot = (number as usize)
            .checked_sub(1)
            .and_then(|index| self.slots.get_mut(index));
        slot.and_then(Option::as_mut)
            .ok_or_else(|| internal("there is no such object in the worker"))
    }

    pub(crate) fn remove(&mut self, number: u32) {
        let slot = (number as usize)
            .checked_sub(1)
            .and_then(|index| self.slots.get_mut(index));
        if slot.and_then(Option::take).is_some() {
            self.free.push(number);
        }
    }
}
