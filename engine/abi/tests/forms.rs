//! The JSON forms of version 1, written out: documents with keys that nobody knows yet and documents
//! without keys that came later keep being read.

use eyemap_abi::{
    job::{
        Badge, CellShape, ColorDescription, ColorJob, ColorNeeds, CoordinateDescription,
        CoordinateJob, Extent, FORM, Form, Guide, LegendKind, MetadataDescription, MetadataJob,
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
        (Form::default(), Side::Left, "peer")
    );
    assert_eq!((job.hex_size_px, job.spacing, job.extent), (6.0, 1.1, None));
    let needs: ColorNeeds = empty();
    assert_eq!(
        (needs.version, needs.whole.scope, needs.layer.per_layer),
        (Form::default(), Scope::CellType, false)
    );
    let job: ColorJob = empty();
    assert_eq!(
        (job.version, job.subject, job.statistics.count),
        (Form::default(), Subject::Whole, 0)
    );
    assert_eq!((job.range, job.statistics.quantiles.len()), (None, 0));
    let color: ColorDescription = empty();
    assert_eq!((color.version, color.legend), (Form::default(), None));
    let job: MetadataJob = empty();
    assert_eq!(
        (job.version, job.side, job.blank),
        (Form::default(), Side::Left, false)
    );
    let texts: MetadataDescription = empty();
    assert_eq!(
        (texts.version, texts.whole.has_data.as_str()),
        (Form::default(), "")
    );
    let plugin: PluginDescription = empty();
    assert_eq!(
        (plugin.version, plugin.extensions.len()),
        (Form::default(), 0)
    );
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
        (Form::default(), CellShape::FlatTop)
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

/// What every form keeps: its version is there by default, 1 where a document says nothing or 0, and as
/// it is written where it is newer; what was read is written again.
fn says_its_version<T: DeserializeOwned + Serialize>(form: &Value) {
    let version = |document: Value| {
        let read: T = serde_json::from_value(document).expect("a form of any version is read");
        let written = serde_json::to_value(read).expect("JSON");
        written["version"].clone()
    };
    let with = |number: u32| {
        let mut document = form.clone();
        document["version"] = json!(number);
        version(document)
    };
    let kind = std::any::type_name::<T>();
    assert_eq!(version(form.clone()), json!(1), "{kind} without a version");
    assert_eq!(with(0), json!(1), "{kind} of before");
    assert_eq!(with(1), json!(1), "{kind}");
    assert_eq!(with(7), json!(7), "{kind} of a newer side");
}

#[test]
fn every_form_says_its_version_and_takes_any() {
    fn default<T: Default + DeserializeOwned + Serialize>() {
        let written = serde_json::to_value(T::default()).expect("JSON");
        let kind = std::any::type_name::<T>();
        assert_eq!(written["version"], json!(1), "{kind} by default");
        says_its_version::<T>(&json!({}));
    }
    default::<CoordinateJob>();
    default::<ColorNeeds>();
    default::<ColorJob>();
    default::<ColorDescription>();
    default::<MetadataJob>();
    default::<MetadataDescription>();
    default::<PluginDescription>();
    says_its_version::<CoordinateDescription>(&json!({ "cell": { "circumradius_px": 5.0 } }));
    assert!(Form::from(FORM + 1).is_newer() && !Form::default().is_newer());
    assert_eq!(Form::from(0), Form::from(1));
    // The manifest was born with a version, which it calls its form.
    let manifest = json!({ "form": 9, "id": "org.example.x", "version": "1.0.0", "extensions": [], "panic": "unwind" });
    let read: Manifest = serde_json::from_value(manifest).expect("a newer manifest is read");
    assert_eq!(read.form, 9);
}

#[test]
fn documents_without_the_keys_of_later_have_what_they_meant_before() {
    let needs: ColorNeeds = read(json!({ "whole": {} }));
    assert_eq!(needs.whole.few_values, 0);
    let job: ColorJob = read(json!({ "statistics": { "min": 1.0 } }));
    assert_eq!(
        (job.cell_type.as_str(), job.region.as_str(), job.side),
        ("", "", None)
    );
    assert_eq!(
        (job.statistics.sum, job.statistics.whole_numbers),
        (None, false)
    );
    let described: ColorDescription = read(json!({ "legend": { "ticks": [1.0, 2.0] } }));
    let legend = described.legend.expect("a legend");
    assert_eq!((legend.open_below, legend.open_above), (false, false));
    assert!(legend.positions.is_empty() && legend.swatches.is_empty() && legend.entries.is_empty());
    let job: MetadataJob = read(json!({ "columns_with_data": 3 }));
    assert_eq!((job.zeros, job.unknown, job.statistics.count), (0, 0, 0));
    let texts: MetadataDescription = read(json!({ "title": "T" }));
    assert_eq!(
        (texts.subtitle.as_str(), texts.layer_subtitle.as_str()),
        ("", "")
    );
}

#[test]
fn the_keys_of_later_are_read_as_they_are_published() {
    let needs: ColorNeeds = read(json!({ "layer": { "few_values": 9 } }));
    assert_eq!(needs.layer.few_values, 9);
    let job: ColorJob = read(json!({
        "scope": "map", "cell_type": "Tm3", "region": "LO", "side": "R",
        "statistics": { "sum": 3.0, "whole_numbers": true },
    }));
    assert_eq!(
        (job.cell_type.as_str(), job.side),
        ("Tm3", Some(Side::Right))
    );
    assert_eq!(
        (job.statistics.sum, job.statistics.whole_numbers),
        (Some(3.0), true)
    );
    let described: ColorDescription = read(json!({ "legend": {
        "kind": "ramp", "ticks": [1.0, 10.0, 100.0], "positions": [0.0, 0.5, 1.0], "open_above": true,
        "swatches": [{ "label": "1", "color": "#ff0000" }], "entries": [{ "label": "rim", "color": "#00ff00" }],
    } }));
    let legend = described.legend.expect("a legend");
    assert_eq!((legend.positions[1], legend.open_above), (0.5, true));
    assert_eq!(
        (
            legend.swatches[0].label.as_str(),
            legend.entries[0].color.as_str()
        ),
        ("1", "#00ff00")
    );
    let job: MetadataJob = read(json!({ "zeros": 2, "unknown": 1, "statistics": { "mean": 2.5 } }));
    assert_eq!(
        (job.zeros, job.unknown, job.statistics.mean),
        (2, 1, Some(2.5))
    );
    let texts: MetadataDescription = read(json!({ "subtitle": "a", "layer_subtitle": "{layer}" }));
    assert_eq!(
        (texts.subtitle.as_str(), texts.layer_subtitle.as_str()),
        ("a", "{layer}")
    );
}
