//! Jobs of an older host, of this one and of a newer one, for every extension that this host knows.
//!
//! A newer host sends keys that the plugin does not know: the answers must be those to the plain job. An
//! older host leaves keys out: the plugin must take the defaults.

use eyemap_abi::{
    ColumnBatch, Event, PluginError as AbiError, SlotMeta,
    abi_stable::std_types::{RNone, RResult, RSlice, RSliceMut, RStr},
    cache::EventKind,
    ids,
    job::{ColorJob, CoordinateJob, MetadataJob},
};
use eyemap_engine::plugins::{Plugin, PluginError};
use serde_json::{Value, json};

/// Ids that this host knows: it asks every plugin for all of them.
pub(crate) const KNOWN: &[&str] = &[
    ids::COORDINATE,
    ids::COLOR,
    ids::METADATA,
    ids::CACHE,
    ids::DESCRIBE,
];

/// Why an extension cannot be used.
pub(crate) enum Failure {
    /// The host refuses it.
    Plugin(PluginError),
    /// It fails, or answers otherwise because of keys that it does not know.
    Answer(String),
}

/// Answers to the jobs, by job; nothing of an extension that this host does not know.
pub(crate) type Asked = Result<Option<Value>, Failure>;

impl From<PluginError> for Failure {
    fn from(error: PluginError) -> Self {
        Self::Plugin(error)
    }
}

impl From<AbiError> for Failure {
    fn from(error: AbiError) -> Self {
        Self::Answer(error.to_string())
    }
}

/// Asks one extension of a plugin.
pub(crate) fn ask(plugin: &'static Plugin, id: &str) -> Asked {
    match id {
        ids::COORDINATE => jobs(&CoordinateJob::default(), |job| coordinate(plugin, job)),
        ids::COLOR => jobs(&ColorJob::default(), |job| color(plugin, job)),
        ids::METADATA => jobs(&MetadataJob::default(), |job| metadata(plugin, job)),
        ids::CACHE => policy(plugin).map(Some),
        ids::DESCRIBE => Ok(Some(json!(plugin.describe()?))),
        _ => Ok(None),
    }
}

/// Asks with the job as it is, with keys that nobody knows, and with no key at all.
fn jobs(
    job: &impl serde::Serialize,
    mut answer: impl FnMut(&str) -> Result<Value, Failure>,
) -> Asked {
    let plain = serde_json::to_value(job).unwrap_or_default();
    let now = answer(&plain.to_string())?;
    let newer = answer(&with_unknown_keys(plain).to_string())?;
    if now != newer {
        let what = format!("unknown keys of a job changed its answer: {now} became {newer}");
        return Err(Failure::Answer(what));
    }
    Ok(Some(json!({ "job": now, "empty job": answer("{}")? })))
}

/// The job of a newer host: every object has a key more, and the form has another number.
fn with_unknown_keys(mut document: Value) -> Value {
    if let Value::Object(keys) = &mut document {
        for value in keys.values_mut() {
            *value = with_unknown_keys(value.take());
        }
        keys.insert(
            "from_a_time_to_come".into(),
            json!({ "any": [1, null, "é"] }),
        );
    }
    document
}

fn coordinate(plugin: &Plugin, job: &str) -> Result<Value, Failure> {
    let stage = done(plugin.create_coordinate(RStr::from_str("{}"), RSlice::EMPTY)?)?;
    let prepared = done(stage.prepare(RStr::from_str(job)))?;
    let (hex1, hex2) = ([0, 1, -7, 20], [0, 2, 4, -5]);
    let (mut x, mut y, mut placed) = ([0.0; 4], [0.0; 4], [0; 4]);
    done(prepared.place(
        RSlice::from_slice(&hex1),
        RSlice::from_slice(&hex2),
        RSliceMut::from_mut_slice(&mut x),
        RSliceMut::from_mut_slice(&mut y),
        RSliceMut::from_mut_slice(&mut placed),
    ))?;
    let description = done(prepared.describe())?;
    Ok(json!({ "x": x, "y": y, "placed": placed, "description": description.as_str() }))
}

fn color(plugin: &Plugin, job: &str) -> Result<Value, Failure> {
    let stage = done(plugin.create_color(RStr::from_str("{}"), RSlice::EMPTY)?)?;
    let needs = done(stage.needs())?;
    let prepared = done(stage.prepare(RStr::from_str(job)))?;
    let (values, status) = ([0.0, 1.0, 12.5, 1e9, 0.0, 0.0, 0.0], [0, 0, 0, 0, 1, 2, 3]);
    let mut rgba = [0; 7];
    done(prepared.color(
        RSlice::from_slice(&values),
        RSlice::from_slice(&status),
        RSliceMut::from_mut_slice(&mut rgba),
    ))?;
    let description = done(prepared.describe())?;
    Ok(json!({ "needs": needs.as_str(), "rgba": rgba, "description": description.as_str() }))
}

fn metadata(plugin: &Plugin, job: &str) -> Result<Value, Failure> {
    let stage = done(plugin.create_metadata(RStr::from_str("{}"), RSlice::EMPTY)?)?;
    let prepared = done(stage.prepare(RStr::from_str(job)))?;
    let columns = ColumnBatch {
        layer: 0,
        hex1: RSlice::from_slice(&[1, 2]),
        hex2: RSlice::from_slice(&[3, 4]),
        values: RSlice::from_slice(&[7.0, 0.0]),
        status: RSlice::from_slice(&[0, 1]),
        attributes: RSlice::EMPTY,
    };
    let overrides = done(prepared.annotate(&columns))?;
    let overrides: Vec<_> = overrides
        .iter()
        .map(|change| json!([change.index, change.text.as_str()]))
        .collect();
    let description = done(prepared.describe())?;
    Ok(json!({ "description": description.as_str(), "overrides": overrides }))
}

/// Three entries of ten bytes; two have to go.
fn policy(plugin: &Plugin) -> Result<Value, Failure> {
    let mut policy = done(plugin.create_policy(RStr::from_str("{}"), 30)?)?;
    let events: Vec<Event> = (0..3).map(inserted).collect();
    let slots = [10, 10, 10].map(SlotMeta::resident);
    let mut victims = [u32::MAX; 3];
    let decision = done(policy.decide(
        RSlice::from_slice(&events),
        RSlice::from_slice(&slots),
        20,
        RNone,
        RSliceMut::from_mut_slice(&mut victims),
    ))?;
    let state = done(policy.snapshot())?;
    done(policy.restore(RSlice::from_slice(&state)))?;
    done(policy.resize(10))?;
    let victims = &victims[..(decision.victims as usize).min(victims.len())];
    Ok(json!({ "needs": policy.needs(), "victims": victims, "admit": decision.admit }))
}

fn inserted(slot: u32) -> Event {
    Event {
        kind: EventKind::Insert,
        cache: 0,
        flags: 0,
        slot,
        generation: slot + 1,
        key_hash: u64::from(slot) + 100,
        weight: 10,
        cost_ns: 1000,
        tick: u64::from(slot),
        expires_at: u64::MAX,
        next_use: u64::MAX,
    }
}

fn done<T>(answer: RResult<T, AbiError>) -> Result<T, Failure> {
    Ok(answer.into_result()?)
}
