//! A worker that is asked, while its lock is held.

use std::{
    io,
    os::fd::AsFd as _,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use eyemap_abi::{ErrorKind, PluginError, abi_stable::std_types::RStr};

use crate::{
    arena::{Arena, Plain},
    host::{Spec, internal},
    logs,
    process::Process,
    protocol::{MAX_DROPS, Op, Outcome, Request, Response},
    wire,
};

/// Longest body that a worker may answer with in bytes: the host has to hold it.
const MAX_ANSWER: u64 = 64 << 20;

/// Why a request has no answer.
pub(crate) enum Trouble {
    /// The plugin says so.
    Plugin(PluginError),
    /// The worker is gone, or makes no sense.
    Gone(io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Gone(error)
    }
}

/// A worker that runs.
pub(crate) struct Live<'a> {
    pub(crate) process: &'a mut Process,
    /// Where it is among the processes of its plugin.
    pub(crate) slot: usize,
    pub(crate) generation: u32,
    pub(crate) dropped: &'a Mutex<Vec<(u32, u32)>>,
    pub(crate) spec: &'a Spec,
    /// When the work began: all of it has the time of one call.
    pub(crate) asked: Instant,
}

impl Live<'_> {
    /// Lets it load its library.
    pub(crate) fn load(&mut self, told: &wire::Load) -> Result<wire::Loaded, Trouble> {
        let body = encode(told)?;
        self.put(&body)?;
        let request = self.request(Op::Load, 0, body.len());
        let library = self.spec.library.as_fd();
        self.process.end.tell(&request, Some(library))?;
        let (_, len) = self.answer(request.number, true)?;
        decode(&self.taken(len)?)
    }

    fn request(&mut self, op: Op, object: u32, len: usize) -> Request {
        let log = (self.spec.host.max_level)(RStr::from_str(&self.spec.id)) as u8;
        Request {
            number: self.process.next_number(),
            op,
            object,
            len: len as u64,
            log,
            drops: self.drops(),
        }
    }

    /// Objects of this worker that are no longer used. Those of others went with them.
    fn drops(&self) -> Vec<u32> {
        let mut dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
        if dropped.is_empty() {
            return Vec::new();
        }
        dropped.retain(|&(generation, _)| generation == self.generation);
        let rest = dropped.len().saturating_sub(MAX_DROPS);
        dropped.drain(rest..).map(|(_, object)| object).collect()
    }

    /// Makes room for a body or a batch. Memory for it is the plugin's: half is left for what it does.
    pub(crate) fn room(&mut self, len: usize) -> Result<(), Trouble> {
        if len <= self.process.arena.len() {
            return Ok(());
        }
        let most = self.spec.limits.memory / 2;
        if len as u64 > most {
            let message = format!(
                "{len} bytes for one call are more than half of [plugins.contained] memory; give more, or run the plugin with mode = \"trusted\""
            );
            return Err(Trouble::Plugin(PluginError::new(ErrorKind::Input, message)));
        }
        Ok(self.process.grow(len)?)
    }

    /// Copies a body to the start of the arena.
    pub(crate) fn put(&mut self, body: &[u8]) -> Result<(), Trouble> {
        self.room(body.len())?;
        self.process.arena.write(0, body);
        Ok(())
    }

    /// Copies an array of a batch in; there must be room.
    pub(crate) fn write<T: Plain>(&mut self, offset: usize, values: &[T]) {
        self.process.arena.write(offset, values);
    }

    /// Copies an array of a batch out.
    pub(crate) fn read<T: Plain>(&self, offset: usize, out: &mut [T]) {
        self.process.arena.read(offset, out);
    }

    /// Asks for what has no body, and returns the two numbers of the answer: an object and a length.
    pub(crate) fn ask(&mut self, op: Op, object: u32, len: usize) -> Result<(u32, u64), Trouble> {
        let request = self.request(op, object, len);
        self.process.end.tell(&request, None)?;
        self.answer(request.number, false)
    }

    /// Asks for what has a body, and returns that.
    pub(crate) fn body(&mut self, op: Op, object: u32, len: usize) -> Result<Vec<u8>, Trouble> {
        self.made(op, object, len).map(|(_, body)| body)
    }

    /// Asks for what makes an object and says something of it.
    pub(crate) fn made(
        &mut self,
        op: Op,
        object: u32,
        len: usize,
    ) -> Result<(u32, Vec<u8>), Trouble> {
        let request = self.request(op, object, len);
        self.process.end.tell(&request, None)?;
        let (object, len) = self.answer(request.number, true)?;
        Ok((object, self.taken(len)?))
    }

    /// The object that an answer made.
    pub(crate) fn object(&mut self, op: Op, object: u32, len: usize) -> Result<u32, Trouble> {
        self.ask(op, object, len).map(|(object, _)| object)
    }

    /// Waits for the answer to a request, for what is left of the time of the call.
    fn hear(&mut self, number: u32) -> Result<Response, Trouble> {
        let call = self.spec.limits.call;
        let left = call.saturating_sub(self.asked.elapsed());
        let response = self.process.end.hear(left)?;
        if response.number == number {
            Ok(response)
        } else {
            Err(nonsense("an answer to another request"))
        }
    }

    /// Takes the answer to a request; one that has a body may need more room than there is.
    fn answer(&mut self, number: u32, has_body: bool) -> Result<(u32, u64), Trouble> {
        let mut response = self.hear(number)?;
        if let Outcome::TooLong { len } = response.outcome {
            if !has_body || len <= self.process.arena.len() as u64 {
                return Err(nonsense("an answer that needs no room asks for it"));
            }
            if len > MAX_ANSWER {
                let message = format!("its answer has {len} bytes, more than {MAX_ANSWER}");
                return Err(Trouble::Plugin(internal(&message)));
            }
            self.process.grow(len as usize)?;
            let fetch = self.request(Op::Fetch, 0, 0);
            self.process.end.tell(&fetch, None)?;
            response = self.hear(fetch.number)?;
        }
        self.logged(response.log)?;
        match response.outcome {
            Outcome::Done { object, len } => Ok((object, len)),
            Outcome::Failed { len } => {
                let failure: wire::Failure = decode(&self.taken(len)?)?;
                Err(Trouble::Plugin(failure.into()))
            }
            Outcome::TooLong { .. } => Err(nonsense("an answer that is too long twice")),
        }
    }

    /// Passes log records on.
    fn logged(&self, place: (u64, u64)) -> Result<(), Trouble> {
        let records = records(&self.process.arena, place)?;
        logs::replay(&records, &self.spec.id, &self.spec.host);
        Ok(())
    }

    /// A body of the arena.
    fn taken(&self, len: u64) -> Result<Vec<u8>, Trouble> {
        taken(&self.process.arena, len)
    }
}

/// A body of the arena, if a body can be so long.
pub(crate) fn taken(arena: &Arena, len: u64) -> Result<Vec<u8>, Trouble> {
    if len > MAX_ANSWER || len > arena.len() as u64 {
        return Err(nonsense("a length beyond the shared memory"));
    }
    Ok(arena.bytes(0, len as usize))
}

/// Log records of the arena, if they lie in it.
pub(crate) fn records(
    arena: &Arena,
    (offset, len): (u64, u64),
) -> Result<Vec<logs::Record>, Trouble> {
    if len == 0 {
        return Ok(Vec::new());
    }
    if len > logs::MAX_BYTES || offset.saturating_add(len) > arena.len() as u64 {
        return Err(nonsense("log records that do not lie in the shared memory"));
    }
    decode(&arena.bytes(offset as usize, len as usize))
}

pub(crate) fn nonsense(what: &str) -> Trouble {
    Trouble::Gone(io::Error::new(io::ErrorKind::InvalidData, what))
}

pub(crate) fn encode(value: &impl serde::Serialize) -> Result<Vec<u8>, Trouble> {
    postcard::to_allocvec(value).map_err(|error| Trouble::Plugin(internal(&error.to_string())))
}

pub(crate) fn decode<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, Trouble> {
    postcard::from_bytes(bytes).map_err(|error| nonsense(&error.to_string()))
}

/// As [`decode`], for a list of at most `most`: a length is a few bytes, what it asks for is not.
pub(crate) fn decode_list<T: serde::de::DeserializeOwned>(
    bytes: &[u8],
    most: usize,
) -> Result<Vec<T>, Trouble> {
    let (count, _): (u64, _) =
        postcard::take_from_bytes(bytes).map_err(|error| nonsense(&error.to_string()))?;
    if count > most as u64 {
        return Err(nonsense("a list that is longer than what was asked for"));
    }
    decode(bytes)
}
