//! How many threads draw, and which maps they begin: what they will hold has to fit.

use super::{RenderOptions, Run};
use crate::{
    draw::Format,
    pipeline::{Maps, Request},
    room::{DRAWING, Given, Pieces, TooLittle},
    work,
};

/// A map on its way to the disk, its directory, and the archive or the store that it goes into.
const FILES_OF_A_MAP: u64 = 4;

/// How many threads draw: as many as are wanted, if what they will hold fits.
pub(super) fn threads(
    maps: &Maps<'_>,
    requests: &[Request],
    options: &RenderOptions<'_>,
    formats: &[Format],
) -> Result<usize, TooLittle> {
    let units = requests.len().div_ceil(options.archive.unit());
    let wanted = work::with_files(work::threads(options.jobs).min(units), FILES_OF_A_MAP);
    let Some(pressure) = options.pressure else {
        return Ok(wanted);
    };
    let scale = options.draw.scale;
    let held = requests
        .iter()
        .map(|&request| maps.predicted_bytes(request, formats, scale));
    pressure.room.hold("cell types", maps.spare_bytes(requests));
    let pieces = Pieces {
        growth: maps.dataset.growth_bytes(),
        ..Pieces::of(held)
    };
    let threads = pressure.room.begin(DRAWING, wanted, pieces)?;
    maps.shared_by(threads);
    Ok(threads)
}

/// The run ends before there is room for a map.
pub(super) struct Ended;

impl Run<'_> {
    /// Waits until there is room for what a map will hold; none is needed without a limit.
    pub(super) fn admitted(&self, request: Request) -> Result<Option<Given<'_>>, Ended> {
        let Some(pressure) = self.options.pressure else {
            return Ok(None);
        };
        let scale = self.options.draw.scale;
        let bytes = self.maps.predicted_bytes(request, &self.formats, scale);
        let given = pressure.room.admit(bytes, || self.goes_on());
        given.map(Some).ok_or(Ended)
    }
}
