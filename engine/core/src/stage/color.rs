//! Asks a plugin how hexagons are coloured.

use eyemap_abi::{
    ColorStageBox, PreparedColorBox,
    abi_stable::std_types::{RSlice, RSliceMut, RStr},
    job::{
        self as abi, ColorDescription, ColorJob, ColorNeeds, ColumnStatus, LegendDescription,
        LegendKind,
    },
};

use super::{Origin, StageError, StageName, to_json};
use crate::{
    config::StageConfig,
    plugins::Finder,
    scene::{Legend, LegendEntry, Rgba},
};

/// A colour stage.
pub struct ColorStage {
    /// The plugin behind it.
    pub origin: Origin,
    /// Which statistics it wants.
    pub needs: ColorNeeds,
    stage: ColorStageBox,
}

/// A colour stage that knows the statistics of its scope.
pub struct Scale<'a> {
    stage: &'a ColorStage,
    prepared: PreparedColorBox,
    /// The job, as the plugin got it.
    pub job: String,
}

/// Legends with more entries are a fault, not a legend.
const MAX_LEGEND: usize = 1024;

impl ColorStage {
    /// Loads the plugin.
    ///
    /// # Errors
    /// When it cannot be loaded or refuses its configuration.
    pub fn load(finder: &Finder, config: &StageConfig) -> Result<Self, StageError> {
        let (origin, stage) = Origin::create(
            StageName::Color,
            finder,
            config,
            |plugin, config, tables| plugin.create_color(config, tables),
        )?;
        let json = {
            let _call = origin.enter();
            origin.answer(stage.needs())?
        };
        let needs: ColorNeeds = origin.describe(&json)?;
        for quantile in needs.whole.quantiles.iter().chain(&needs.layer.quantiles) {
            if !(0.0..=1.0).contains(quantile) {
                return Err(origin.wrong(format!("it asks for the quantile {quantile}")));
            }
        }
        Ok(Self {
            origin,
            needs,
            stage,
        })
    }

    /// Prepares a job.
    ///
    /// # Errors
    /// When the plugin refuses it.
    pub fn prepare(&self, job: &ColorJob) -> Result<Scale<'_>, StageError> {
        let _call = self.origin.enter();
        let job = to_json(job);
        let prepared = self
            .origin
            .answer(self.stage.prepare(RStr::from_str(&job)))?;
        Ok(Scale {
            stage: self,
            prepared,
            job,
        })
    }
}

impl Scale<'_> {
    /// Colours values, one a status.
    ///
    /// # Errors
    /// When the plugin fails.
    pub fn color(&self, values: &[f64], status: &[ColumnStatus]) -> Result<Vec<Rgba>, StageError> {
        let origin = &self.stage.origin;
        origin.check_size(values.len())?;
        let _span =
            tracing::debug_span!("colors", plugin = origin.id(), rows = values.len()).entered();
        let numbers: Vec<u8> = status.iter().map(|&status| status as u8).collect();
        let mut rgba = vec![0; values.len()];
        let _call = origin.enter();
        let answer = self.prepared.color(
            RSlice::from_slice(values),
            RSlice::from_slice(&numbers),
            RSliceMut::from_mut_slice(&mut rgba),
        );
        origin.answer(answer)?;
        Ok(rgba.into_iter().map(Rgba).collect())
    }

    /// The legend, if there is one.
    ///
    /// # Errors
    /// When the plugin fails or its legend contradicts itself.
    pub fn legend(&self) -> Result<Option<Legend>, StageError> {
        let origin = &self.stage.origin;
        let json = {
            let _call = origin.enter();
            origin.answer(self.prepared.describe())?
        };
        let description: ColorDescription = origin.describe(&json)?;
        let Some(legend) = description.legend else {
            return Ok(None);
        };
        let mut legend = check(legend).map_err(|m| origin.wrong(m))?;
        if legend.open_below {
            let zero = self.color(&[0.0], &[ColumnStatus::HasData])?;
            legend.zero_apart = zero.first() != legend.colors.first();
        }
        Ok(Some(legend))
    }
}

fn check(legend: LegendDescription) -> Result<Legend, String> {
    let colors: Option<Vec<_>> = legend
        .colors
        .iter()
        .map(|color| Rgba::parse(color))
        .collect();
    let colors = colors.ok_or("a legend with a colour that is none")?;
    let (ticks, labels) = (legend.ticks.len(), legend.labels.len());
    let fits = match legend.kind {
        LegendKind::Bins => ticks == colors.len() + 1 && (labels == 0 || labels == ticks),
        LegendKind::Ramp => ticks >= 2 && colors.len() >= 2 && (labels == 0 || labels == ticks),
        LegendKind::Swatches => {
            (ticks == colors.len() || ticks == 0)
                && (labels == colors.len() || labels == 0 && ticks > 0)
        }
    };
    if !fits || colors.is_empty() || ticks.max(colors.len()) > MAX_LEGEND {
        return Err(format!(
            "a {:?} legend with {ticks} ticks, {labels} labels and {} colours",
            legend.kind,
            colors.len()
        ));
    }
    if !legend.ticks.iter().all(|tick| tick.is_finite()) {
        return Err("a legend with a tick that is no number".into());
    }
    check_positions(&legend.positions, ticks)?;
    Ok(Legend {
        kind: legend.kind,
        ticks: legend.ticks,
        labels: legend.labels,
        colors,
        title: legend.title,
        positions: legend.positions,
        open_below: legend.open_below,
        open_above: legend.open_above,
        zero_apart: false,
        swatches: entries(legend.swatches)?,
        entries: entries(legend.entries)?,
    })
}

fn check_positions(positions: &[f64], ticks: usize) -> Result<(), String> {
    let inside = positions.iter().all(|place| (0.0..=1.0).contains(place));
    if !(inside && positions.is_sorted()) {
        return Err("a legend with positions that do not rise from 0 to 1".into());
    }
    if !positions.is_empty() && positions.len() != ticks {
        return Err(format!(
            "a legend with {ticks} ticks and {} positions",
            positions.len()
        ));
    }
    Ok(())
}

fn entries(entries: Vec<abi::LegendEntry>) -> Result<Vec<LegendEntry>, String> {
    if entries.len() > MAX_LEGEND {
        return Err(format!("a legend with {} entries", entries.len()));
    }
    let checked = entries.into_iter().map(|entry| {
        let color = Rgba::parse(&entry.color).ok_or_else(|| {
            format!(
                "a legend with {:?} for the colour of {:?}",
                entry.color, entry.label
            )
        })?;
        Ok(LegendEntry {
            label: entry.label,
            color,
        })
    });
    checked.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::End;

    fn legend(
        kind: LegendKind,
        ticks: &[f64],
        labels: &[&str],
        colors: &[&str],
    ) -> LegendDescription {
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        LegendDescription {
            kind,
            ticks: ticks.to_vec(),
            labels: texts(labels),
            colors: texts(colors),
            ..Default::default()
        }
    }

    #[test]
    fn a_legend_that_contradicts_itself_is_refused() {
        use LegendKind::{Bins, Ramp, Swatches};
        let red = "#ff0000";
        assert!(check(legend(Bins, &[0.0, 1.0], &[], &[red])).is_ok());
        assert!(check(legend(Swatches, &[], &["a"], &[red])).is_ok());
        for (wrong, part) in [
            (legend(Bins, &[0.0], &[], &[red]), "1 ticks"),
            (legend(Bins, &[0.0, f64::NAN], &[], &[red]), "no number"),
            (legend(Ramp, &[0.0, 1.0], &[], &[red]), "1 colours"),
            (legend(Swatches, &[], &[], &[red]), "0 labels"),
            (
                legend(Bins, &[0.0, 1.0], &[], &["red"]),
                "colour that is none",
            ),
        ] {
            let message = check(wrong).expect_err("refused");
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn positions_and_entries_are_looked_at() {
        let with = |positions: &[f64], color: &str| LegendDescription {
            positions: positions.to_vec(),
            swatches: vec![abi::LegendEntry {
                label: "one".into(),
                color: color.into(),
            }],
            open_above: true,
            ..legend(
                LegendKind::Ramp,
                &[1.0, 10.0, 100.0],
                &[],
                &["#ffffff", "#000000"],
            )
        };
        let legend = check(with(&[0.0, 0.5, 1.0], "#ff0000")).expect("a legend");
        assert_eq!(legend.swatches[0].color, Rgba::opaque(255, 0, 0));
        let beyond = |value| legend.beyond(value);
        assert_eq!(
            [beyond(100.0), beyond(100.5), beyond(-5.0)],
            [None, Some(End::Above), None]
        );
        for wrong in [
            with(&[0.0, 1.0], "#ff0000"),
            with(&[0.0, 0.6, 0.5], "#ff0000"),
            with(&[0.0, f64::NAN, 1.0], "#ff0000"),
            with(&[0.0, 0.5, 1.0], "red"),
        ] {
            assert!(check(wrong).is_err());
        }
    }

    #[test]
    fn a_zero_with_a_colour_of_its_own_is_never_below_a_scale() {
        let legend = |zero_apart| Legend {
            ticks: vec![5.0, 9.0],
            open_below: true,
            zero_apart,
            ..Legend::default()
        };
        let below = [0.0, 1.0].map(|value| legend(true).beyond(value));
        assert_eq!(below, [None, Some(End::Below)]);
        assert_eq!(legend(false).beyond(0.0), Some(End::Below));
    }
}
