//! The JSON forms of version 1, written out: documents with keys that nobody knows yet and documents
//! without keys that came later keep being read.

use eyemap_abi::{
    job::{
        Badge, CellShape, ColorDescription, ColorJob, ColorNeeds, CoordinateDescription,
        CoordinateJob, Extent, Guide, LegendKind, MetadataDescription, MetadataJob,
        PluginDescription, Scope, Side, Statistic, Subject,
    },
    manifest::Manifest,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// Puts a key that no version knows into every object of a document.
fn with_unknown_keys(mut document: Value) -> Value {
    match &mut document {
        Value::Object(keys) => {
            keys.values_mut()
                .for_each(|value| *value = with_unknown_keys(value.take()));
            keys.insert("from_a_time_to_come".into(), json!({ "any": [1, null] }));
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| *item = with_unknown_keys(item.take())),
        _ => {}
    }
    document
}

/// Reads a document of version 1, alone and among unknown keys.
fn read<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(document: Value) -> T {
    let plain: T = serde_json::from_value(document.clone()).expect("version 1 is read");
    // Externally tagged words such as {"layer": 3} are one key; unknown keys beside it are not data.
    let strange = with_unknown_keys(document);
    let strange = strange.to_string().replace(
        r#""from_a_time_to_come":{"any":[1,null]},"layer":3"#,
        r#""layer":3"#,
    );
    let strange: T = serde_json::from_str(&strange).expect("unknown keys are ignored");
    assert_eq!(plain, strange);
    plain
}

#[test]
fn empty_documents_have_the_published_defaults() {
    fn empty<T: DeserializeOwned>() -> T {
        serde_json::from_str("{}").expect("an empty document")
    }
    let job: CoordinateJob = empty();
    assert_eq!(
        (job.version, job.side, job.orientation.as_str()),
        (1, Side::Left, "peer")
    );
    assert_eq!((job.hex_size_px, job.spacing, job.extent), (6.0, 1.1, None));
    let needs: ColorNeeds = empty();
    assert_eq!(
        (needs.version, needs.whole.scope, needs.layer.per_layer),
        (1, Scope::CellType, false)
    );
    let job: ColorJob = empty();
    assert_eq!(
        (job.version, job.subject, job.statistics.count),
        (1, Subject::Whole, 0)
    );
    assert_eq!((job.range, job.statistics.quantiles.len()), (None, 0));
    let color: ColorDescription = empty();
    assert_eq!((color.version, color.legend), (1, None));
    let job: MetadataJob = empty();
    assert_eq!((job.version, job.side, job.blank), (1, Side::Left, false));
    let texts: MetadataDescription = empty();
    assert_eq!((texts.version, texts.whole.has_data.as_str()), (1, ""));
    let plugin: PluginDescription = empty();
    assert_eq!((plugin.version, plugin.extensions.len()), (1, 0));
}

#[test]
fn coordinate_documents_of_version_1_are_read() {
    let job: CoordinateJob = read(json!({
        "version": 1, "region": "ME", "side": "R", "orientation": "none", "hex_size_px": 4.0, "spacing": 1.0,
        "extent": { "hex1": [1, 9], "hex2": [2, 8], "across": [-3, 4], "along": [3, 16] },
    }));
    assert_eq!(
        (job.region.as_str(), job.side, job.spacing),
        ("ME", Side::Right, 1.0)
    );
    assert_eq!(
        job.extent.map(|extent| (extent.hex1, extent.along)),
        Some(([1, 9], [3, 16]))
    );
    let described: CoordinateDescription = read(json!({
        "cell": { "circumradius_px": 5.0 },
        "guides": [
            { "kind": "polyline", "points": [[0.0, 1.0]] },
            { "kind": "label", "x": 1.0, "y": 2.0, "text": "D" },
        ],
    }));
    assert_eq!(
        (described.version, described.cell.shape),
        (1, CellShape::FlatTop)
    );
    let [
        Guide::Polyline {
            color,
            width_px,
            arrow,
            ..
        },
        Guide::Label { size_px, .. },
    ] = &described.guides[..]
    else {
        panic!("{:?}", described.guides);
    };
    assert_eq!(
        (color.as_str(), *width_px, *arrow, *size_px),
        ("#666666", 0.75, false, 9.0)
    );
}

#[test]
fn color_documents_of_version_1_are_read() {
    let needs: ColorNeeds = read(json!({
        "whole": { "scope": "dataset", "statistics": ["count", "min", "max", "min_nonzero", "mean", "deviation"] },
        "layer": { "scope": "map", "quantiles": [0.5], "categories": true, "per_layer": true },
    }));
    assert_eq!(
        (needs.whole.scope, needs.layer.scope),
        (Scope::Dataset, Scope::Map)
    );
    assert_eq!(needs.whole.statistics[3], Statistic::MinNonzero);
    let job: ColorJob = read(json!({
        "metric": "cells", "subject": { "layer": 3 }, "scope": "region", "statistics": { "count": 2, "min": 1.0, "max": 2.0 },
        "categories": [1.0, 2.0], "range": [0.0, 9.0],
    }));
    assert_eq!(
        (job.subject, job.statistics.mean, job.range),
        (Subject::Layer(3), None, Some([0.0, 9.0]))
    );
    for (word, subject) in [("whole", Subject::Whole), ("any_layer", Subject::AnyLayer)] {
        assert_eq!(
            read::<ColorJob>(json!({ "subject": word })).subject,
            subject
        );
    }
    for (word, kind) in [
        ("bins", LegendKind::Bins),
        ("ramp", LegendKind::Ramp),
        ("swatches", LegendKind::Swatches),
    ] {
        let described: ColorDescription =
            read(json!({ "legend": { "kind": word, "ticks": [1.0], "colors": ["#ffffff"] } }));
        assert_eq!(described.legend.map(|legend| legend.kind), Some(kind));
    }
}

#[test]
fn metadata_documents_of_version_1_are_read() {
    let job: MetadataJob = read(json!({
        "cell_type": "Tm3", "region": "LO", "side": "L", "metric": "synapses", "layer_labels": ["1", "5A"],
        "attributes": ["class"], "blank": true, "columns_with_data": 0, "columns_in_region": 880,
    }));
    assert_eq!(
        (job.layer_labels.len(), job.blank, job.columns_in_region),
        (2, true, 880)
    );
    let texts: MetadataDescription = read(json!({
        "title": "T", "subject": [{ "text": "Tm3", "badge": { "text": "R" } }, { "text": "LO" }],
        "whole": { "has_data": "{value}" },
    }));
    assert_eq!(
        texts.subject[0].badge,
        Some(Badge {
            text: "R".into(),
            fill: None
        })
    );
    assert_eq!(
        (texts.whole.has_data.as_str(), texts.layer.has_data.as_str()),
        ("{value}", "")
    );
}

#[test]
fn manifests_of_form_1_are_read() {
    let manifest: Manifest = read(json!({
        "form": 1, "id": "org.example.x", "version": "1.0.0", "extensions": ["eyemap.color/1"], "panic": "unwind",
    }));
    assert_eq!(
        (manifest.deterministic, manifest.thread_safety.as_str()),
        (false, "")
    );
    let without_id = json!({ "form": 1, "version": "1.0.0", "extensions": [], "panic": "unwind" });
    assert!(serde_json::from_value::<Manifest>(without_id).is_err());
}

#[test]
fn an_extent_bounds_columns_along_all_four_axes() {
    assert_eq!(Extent::of([]), None);
    let extent = Extent::of([(1, 9), (5, 5), (i32::MIN, i32::MAX)]).expect("columns");
    assert_eq!((extent.hex1, extent.hex2), ([i32::MIN, 5], [5, i32::MAX]));
    assert_eq!(
        (extent.across, extent.along),
        ([0, (1 << 32) - 1], [-1, 10])
    );
}
