//! Stages and policies that live in a worker, as the host uses those of its own process.
//!
//! Each proxy remembers what its counterpart was made from, so that it can be made again in the next worker
//! when one has crashed. Stages have no memory, so a batch that is done again has the same answer. A policy
//! has: one whose worker is gone says so, and the host decides by itself.

mod policy;

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use eyemap_abi::{
    self as abi, CachePolicyBox, ColorStageBox, ColumnBatch, CoordinateStageBox, ErrorKind,
    MetadataStageBox, Override, PluginError, Table,
    abi_stable::{
        std_types::{RErr, ROk, RResult, RSlice, RSliceMut, RStr, RString, RVec},
        type_level::downcasting::TD_Opaque,
    },
    color::{ColorStage_TO, PreparedColor_TO},
    coordinate::{CoordinateStage_TO, PreparedCoordinate_TO},
    metadata::{MetadataStage_TO, PreparedMetadata_TO},
};

use crate::{
    Worker,
    culprit::{Call, Element},
    host::internal,
    layout::{ColorLayout, PlaceLayout},
    live::{Live, Trouble, decode, decode_list, encode},
    protocol::{Kind, Op},
    wire,
};

/// A contained plugin: what the functions of its extensions are to a plugin in this process.
#[derive(Debug, Clone)]
pub struct Contained(Arc<Worker>);

type Answer<T> = RResult<T, PluginError>;

impl Contained {
    /// The plugin that a worker has loaded.
    pub fn new(worker: Worker) -> Self {
        Self(Arc::new(worker))
    }

    /// Its worker.
    pub fn worker(&self) -> &Worker {
        &self.0
    }

    /// The plugin's description, a [`abi::job::PluginDescription`] as JSON.
    pub fn describe(&self) -> Answer<RString> {
        let call = Call::whole("describing itself", &|_| ());
        answer(self.0.again(&call, |live, _| {
            text(live.body(Op::DescribePlugin, 0, 0)?)
        }))
    }

    /// Creates a coordinate stage.
    pub fn coordinate(&self, config: &str, tables: &[Table<'_>]) -> Answer<CoordinateStageBox> {
        let stage = Stage::create(&self.0, Kind::Coordinate, config, tables);
        answer(stage.map(|stage| CoordinateStage_TO::from_value(stage, TD_Opaque)))
    }

    /// Creates a colour stage.
    pub fn color(&self, config: &str, tables: &[Table<'_>]) -> Answer<ColorStageBox> {
        let stage = Stage::create(&self.0, Kind::Color, config, tables);
        answer(stage.map(|stage| ColorStage_TO::from_value(stage, TD_Opaque)))
    }

    /// Creates a metadata stage.
    pub fn metadata(&self, config: &str, tables: &[Table<'_>]) -> Answer<MetadataStageBox> {
        let stage = Stage::create(&self.0, Kind::Metadata, config, tables);
        answer(stage.map(|stage| MetadataStage_TO::from_value(stage, TD_Opaque)))
    }

    /// Creates a cache policy.
    pub fn policy(&self, options: &str, capacity: u64) -> Answer<CachePolicyBox> {
        answer(policy::create(&self.0, options, capacity))
    }
}

fn answer<T, R: From<T>>(result: Result<T, PluginError>) -> Answer<R> {
    match result {
        Ok(value) => ROk(value.into()),
        Err(error) => RErr(error),
    }
}

/// What should be text is looked at: the worker may have sent anything.
fn utf8(bytes: Vec<u8>) -> Result<String, PluginError> {
    String::from_utf8(bytes).map_err(|_| internal("gave a text that is not UTF-8"))
}

fn text(bytes: Vec<u8>) -> Result<String, Trouble> {
    utf8(bytes).map_err(Trouble::Plugin)
}

/// An object of each process of a worker, by the process's generation and the object's number there; 0 where
/// there is none.
#[derive(Debug)]
struct Remote(Box<[AtomicU64]>);

impl Remote {
    /// In none of them yet.
    fn of(worker: &Worker) -> Self {
        Self((0..worker.slots()).map(|_| AtomicU64::new(0)).collect())
    }

    fn get(&self, slot: usize) -> (u32, u32) {
        let both = self.0[slot].load(Ordering::Relaxed);
        ((both >> 32) as u32, both as u32)
    }

    /// The object in this process; made by `make` if it was made in an earlier one, or in none.
    fn live(
        &self,
        live: &mut Live<'_>,
        make: impl FnOnce(&mut Live<'_>) -> Result<u32, Trouble>,
    ) -> Result<u32, Trouble> {
        match self.get(live.slot) {
            (generation, object) if generation == live.generation => Ok(object),
            _ => {
                let object = make(live)?;
                // Written under the lock of the slot.
                self.0[live.slot].store(
                    u64::from(live.generation) << 32 | u64::from(object),
                    Ordering::Relaxed,
                );
                Ok(object)
            }
        }
    }

    fn dropped(&self, worker: &Worker) {
        for slot in 0..self.0.len() {
            let (generation, object) = self.get(slot);
            worker.dropped(slot, generation, object);
        }
    }
}

/// A stage in the worker.
struct Remembered {
    worker: Arc<Worker>,
    kind: Kind,
    /// A [`wire::Create`] as bytes.
    create: Vec<u8>,
    remote: Remote,
}

impl Remembered {
    /// Feeds a hash with all that the stage was made from.
    fn feed(&self, hasher: &mut DefaultHasher) {
        hasher.write_u8(self.kind as u8);
        hasher.write(&self.create);
    }

    fn live(&self, live: &mut Live<'_>) -> Result<u32, Trouble> {
        self.remote.live(live, |live| {
            live.put(&self.create)?;
            live.object(Op::Create(self.kind), 0, self.create.len())
        })
    }
}

impl Drop for Remembered {
    fn drop(&mut self) {
        self.remote.dropped(&self.worker);
    }
}

struct Stage(Arc<Remembered>);

impl Stage {
    fn create(
        worker: &Arc<Worker>,
        kind: Kind,
        config: &str,
        tables: &[Table<'_>],
    ) -> Result<Self, PluginError> {
        let create = wire::Create {
            config: config.to_owned(),
            tables: tables.iter().map(wire::WireTable::of).collect(),
        };
        let create =
            postcard::to_allocvec(&create).map_err(|error| internal(&error.to_string()))?;
        let remote = Remote::of(worker);
        let stage = Remembered {
            worker: Arc::clone(worker),
            kind,
            create,
            remote,
        };
        let input = |hasher: &mut DefaultHasher| stage.feed(hasher);
        let call = Call::whole("creating a stage", &input);
        worker.again(&call, |live, _| stage.live(live))?;
        Ok(Self(Arc::new(stage)))
    }

    fn prepare(&self, job: RStr<'_>) -> Result<Prepared, PluginError> {
        let prepared = Prepared {
            stage: Arc::clone(&self.0),
            job: job.as_str().to_owned(),
            remote: Remote::of(&self.0.worker),
            description: OnceLock::new(),
        };
        let input = |hasher: &mut DefaultHasher| prepared.feed(hasher);
        let call = Call::whole("preparing and describing a job", &input);
        self.0.worker.again(&call, |live, _| prepared.live(live))?;
        Ok(prepared)
    }
}

/// A prepared job in the worker.
struct Prepared {
    stage: Arc<Remembered>,
    job: String,
    remote: Remote,
    /// It came when the job was prepared first.
    description: OnceLock<Result<Vec<u8>, PluginError>>,
}

impl Drop for Prepared {
    fn drop(&mut self) {
        self.remote.dropped(&self.stage.worker);
    }
}

impl Prepared {
    /// Feeds a hash with all that the job was prepared from.
    fn feed(&self, hasher: &mut DefaultHasher) {
        self.stage.feed(hasher);
        hasher.write(self.job.as_bytes());
    }

    fn live(&self, live: &mut Live<'_>) -> Result<u32, Trouble> {
        self.remote.live(live, |live| {
            let stage = self.stage.live(live)?;
            live.put(self.job.as_bytes())?;
            let (object, told) = live.made(Op::Prepare, stage, self.job.len())?;
            let wire::Prepared(description) = decode(&told)?;
            self.description
                .get_or_init(|| description.map_err(PluginError::from));
            Ok(object)
        })
    }

    fn describe(&self) -> Result<String, PluginError> {
        match self.description.get() {
            Some(Ok(json)) => utf8(json.clone()),
            Some(Err(error)) => Err(error.clone()),
            None => Err(internal("a job that was not prepared")),
        }
    }
}

/// A batch as large as this has no layout in memory; it is refused before one is computed.
const MAX_ELEMENTS: usize = 1 << 32;

fn same_length(lengths: &[usize]) -> Result<usize, PluginError> {
    let same = lengths.windows(2).all(|pair| pair[0] == pair[1]) && lengths[0] < MAX_ELEMENTS;
    same.then_some(lengths[0]).ok_or_else(|| {
        let message =
            format!("the arrays of one call differ in length or are too long: {lengths:?}");
        PluginError::new(ErrorKind::Input, message)
    })
}

impl abi::CoordinateStage for Stage {
    fn prepare(&self, job: RStr<'_>) -> Answer<abi::PreparedCoordinateBox> {
        answer(
            self.prepare(job)
                .map(|job| PreparedCoordinate_TO::from_value(job, TD_Opaque)),
        )
    }
}

impl abi::PreparedCoordinate for Prepared {
    fn place(
        &self,
        hex1: RSlice<'_, i32>,
        hex2: RSlice<'_, i32>,
        mut x: RSliceMut<'_, f64>,
        mut y: RSliceMut<'_, f64>,
        mut placed: RSliceMut<'_, u8>,
    ) -> Answer<()> {
        let lengths = [hex1.len(), hex2.len(), x.len(), y.len(), placed.len()];
        let count = match same_length(&lengths) {
            Ok(count) => count,
            Err(error) => return RErr(error),
        };
        let (hex1, hex2) = (hex1.as_slice(), hex2.as_slice());
        let call = Call {
            during: &format!("placing {count} columns"),
            len: count,
            element: &|i| Element {
                hex: Some([hex1[i], hex2[i]]),
                ..Element::default()
            },
            input: &|hasher| {
                self.feed(hasher);
                (hex1, hex2).hash(hasher);
            },
        };
        answer(self.stage.worker.again(&call, |live, part| {
            let object = self.live(live)?;
            let at = PlaceLayout::of(part.len());
            live.room(at.len)?;
            live.write(at.hex1, &hex1[part.clone()]);
            live.write(at.hex2, &hex2[part.clone()]);
            live.ask(Op::Place, object, part.len())?;
            live.read(at.x, &mut x.as_mut_slice()[part.clone()]);
            live.read(at.y, &mut y.as_mut_slice()[part.clone()]);
            live.read(at.placed, &mut placed.as_mut_slice()[part]);
            Ok(())
        }))
    }

    fn describe(&self) -> Answer<RString> {
        answer(self.describe())
    }
}

impl abi::ColorStage for Stage {
    fn needs(&self) -> Answer<RString> {
        let input = |hasher: &mut DefaultHasher| self.0.feed(hasher);
        let call = Call::whole("saying what it needs", &input);
        answer(self.0.worker.again(&call, |live, _| {
            let object = self.0.live(live)?;
            text(live.body(Op::Needs, object, 0)?)
        }))
    }

    fn prepare(&self, job: RStr<'_>) -> Answer<abi::PreparedColorBox> {
        answer(
            self.prepare(job)
                .map(|job| PreparedColor_TO::from_value(job, TD_Opaque)),
        )
    }
}

impl abi::PreparedColor for Prepared {
    fn color(
        &self,
        values: RSlice<'_, f64>,
        status: RSlice<'_, u8>,
        mut rgba: RSliceMut<'_, u32>,
    ) -> Answer<()> {
        let count = match same_length(&[values.len(), status.len(), rgba.len()]) {
            Ok(count) => count,
            Err(error) => return RErr(error),
        };
        let (values, status) = (values.as_slice(), status.as_slice());
        let call = Call {
            during: &format!("colouring {count} values"),
            len: count,
            element: &|i| Element {
                value: Some(values[i].to_bits()),
                status: Some(status[i]),
                ..Element::default()
            },
            input: &|hasher| {
                self.feed(hasher);
                feed_numbers(values, hasher);
                status.hash(hasher);
            },
        };
        answer(self.stage.worker.again(&call, |live, part| {
            let object = self.live(live)?;
            let at = ColorLayout::of(part.len());
            live.room(at.len)?;
            live.write(at.values, &values[part.clone()]);
            live.write(at.status, &status[part.clone()]);
            live.ask(Op::Color, object, part.len())?;
            live.read(at.rgba, &mut rgba.as_mut_slice()[part]);
            Ok(())
        }))
    }

    fn describe(&self) -> Answer<RString> {
        answer(self.describe())
    }
}

impl abi::MetadataStage for Stage {
    fn prepare(&self, job: RStr<'_>) -> Answer<abi::PreparedMetadataBox> {
        answer(
            self.prepare(job)
                .map(|job| PreparedMetadata_TO::from_value(job, TD_Opaque)),
        )
    }
}

impl abi::PreparedMetadata for Prepared {
    fn describe(&self) -> Answer<RString> {
        answer(self.describe())
    }

    fn annotate(&self, columns: &ColumnBatch<'_>) -> Answer<RVec<Override>> {
        let (hex1, hex2) = (columns.hex1.as_slice(), columns.hex2.as_slice());
        let (values, status) = (columns.values.as_slice(), columns.status.as_slice());
        let lengths = [hex1.len(), hex2.len(), values.len(), status.len()];
        let count = match same_length(&lengths) {
            Ok(count) => count,
            Err(error) => return RErr(error),
        };
        let call = Call {
            during: &format!("annotating {count} columns"),
            len: count,
            element: &|i| Element {
                hex: Some([hex1[i], hex2[i]]),
                value: Some(values[i].to_bits()),
                status: Some(status[i]),
            },
            input: &|hasher| {
                self.feed(hasher);
                if let Ok(batch) = encode(&wire::Batch::of(columns, 0..count)) {
                    hasher.write(&batch);
                }
            },
        };
        answer(self.stage.worker.again(&call, |live, part| {
            let object = self.live(live)?;
            let batch = encode(&wire::Batch::of(columns, part.clone()))?;
            live.put(&batch)?;
            let found = live.body(Op::Annotate, object, batch.len())?;
            let found: Vec<wire::Override> = decode_list(&found, part.len())?;
            found
                .into_iter()
                .map(overridden)
                .collect::<Result<Vec<_>, _>>()
        }))
    }
}

/// Numbers by their bits, which tell all of them apart.
fn feed_numbers(numbers: &[f64], hasher: &mut DefaultHasher) {
    for number in numbers {
        hasher.write_u64(number.to_bits());
    }
}

fn overridden(found: wire::Override) -> Result<Override, Trouble> {
    Ok(Override {
        index: found.index,
        text: RString::from(text(found.text)?),
    })
}
