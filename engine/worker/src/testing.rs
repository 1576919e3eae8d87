//! What a worker sends, taken as a host takes it, for tests that send anything.

use eyemap_abi::PluginError;

use crate::{
    arena::Arena,
    live::{Trouble, decode, decode_list, records, taken},
    logs::Record,
    protocol::{Outcome, Response, read},
    wire,
};

/// Takes a message and what lies in the shared memory as the answer to each kind of request, and gives the
/// words that a host would show, or nothing where it would end the worker. `columns` were asked about.
pub fn take_answer(message: &[u8], shared: &[u8], columns: usize) -> Vec<String> {
    let Ok((mut arena, _fd)) = Arena::create(shared.len().max(1)) else {
        return Vec::new();
    };
    arena.write(0, shared);
    let mut words = Vec::new();
    let Ok(response) = read::<Response>(message) else {
        return words;
    };
    if let Ok(records) = records(&arena, response.log) {
        words.extend(records.iter().flat_map(Record::words));
    }
    let (Outcome::Done { len, .. } | Outcome::Failed { len } | Outcome::TooLong { len }) =
        response.outcome;
    let Ok(body) = taken(&arena, len) else {
        return words;
    };
    if let Ok(failure) = decode::<wire::Failure>(&body) {
        words.push(wire::line(PluginError::from(failure).message.as_bytes()));
    }
    if let Ok(wire::Prepared(Err(failure))) = decode(&body) {
        words.push(wire::line(PluginError::from(failure).message.as_bytes()));
    }
    if let Ok(loaded) = decode::<wire::Loaded>(&body) {
        let loaded = loaded.clean();
        words.push(loaded.missing);
        for misfit in loaded.misfits {
            words.extend([misfit.id, misfit.member, misfit.expected, misfit.found]);
        }
    }
    let found: Result<Vec<wire::Override>, Trouble> = decode_list(&body, columns);
    if let Ok(found) = found {
        assert!(found.len() <= columns, "more than was asked about");
    }
    words
}
