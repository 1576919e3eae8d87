//! What host and worker say to each other over the socket: small messages; bodies lie in the arena.

use std::{
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recv, recvmsg, send, sendmsg,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// No message is longer; a list of dropped objects is cut before.
const MAX_MESSAGE: usize = 4096;
/// Objects whose end is told in one request.
pub(crate) const MAX_DROPS: usize = 400;

/// Which stage or policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    Coordinate,
    Color,
    Metadata,
    Cache,
}

/// What the worker shall do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Op {
    /// Load the library, whose descriptor comes with the message; body: a [`crate::wire::Load`].
    Load,
    /// Use the arena whose descriptor comes with the message.
    Arena { len: u64 },
    /// Send the body that was too long for the arena before.
    Fetch,
    /// The description of the plugin. Answer: JSON.
    DescribePlugin,
    /// Create a stage; body: a [`crate::wire::Create`]. Answer: an object.
    Create(Kind),
    /// Which statistics a colour stage wants. Answer: JSON.
    Needs,
    /// Prepare and describe; body: the job. Answer: an object, and a [`crate::wire::Prepared`]. Who prepares a
    /// job wants its description next, so it comes with it.
    Prepare,
    /// Colour a batch in the arena.
    Color,
    /// Place a batch in the arena.
    Place,
    /// Annotate; body: a [`crate::wire::Batch`]. Answer: [`crate::wire::Override`]s.
    Annotate,
    /// Create a policy for a capacity; body: its options. Answer: an object.
    CreatePolicy { capacity: u64 },
    /// Let a policy decide on a [`crate::layout::DecideLayout`] in the arena. Answer: the number of
    /// victims in place of an object, and 1 in place of a length if the candidate may come in.
    Decide(Decide),
    /// Resize a policy.
    Resize { capacity: u64 },
    /// The state of a policy.
    Snapshot,
    /// Give a policy a state; body: the state.
    Restore,
}

/// Numbers of a decision; the arrays lie in the arena.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Decide {
    pub(crate) events: u64,
    pub(crate) slots: u64,
    pub(crate) places: u64,
    pub(crate) need: u64,
    /// Whether the event behind the others is a candidate.
    pub(crate) candidate: bool,
}

/// A request of the host.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    /// Its number; the answer has the same, so that none can be given in advance.
    pub(crate) number: u32,
    pub(crate) op: Op,
    /// The object it is about, or 0.
    pub(crate) object: u32,
    /// Bytes of the body at the start of the arena, or elements of a batch.
    pub(crate) len: u64,
    /// The most talkative level that the host listens to.
    pub(crate) log: u8,
    /// Objects that the host has dropped.
    pub(crate) drops: Vec<u32>,
}

impl Request {
    /// A request without object, body and news.
    pub(crate) const fn of(op: Op) -> Self {
        Self {
            number: 0,
            op,
            object: 0,
            len: 0,
            log: 0,
            drops: Vec::new(),
        }
    }
}

/// What the worker answers.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Response {
    /// The number of the request.
    pub(crate) number: u32,
    pub(crate) outcome: Outcome,
    /// Where in the arena log records lie, behind body or batch: offset and bytes.
    pub(crate) log: (u64, u64),
}

/// How a request ended.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) enum Outcome {
    /// Done; a new object, or 0, and bytes of the body.
    Done { object: u32, len: u64 },
    /// The plugin failed; the body is a [`crate::wire::Failure`].
    Failed { len: u64 },
    /// The body has this many bytes and does not fit.
    TooLong { len: u64 },
}

fn bad(error: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.to_string())
}

/// Sends a message, with a descriptor if there is one.
pub(crate) fn tell(
    socket: BorrowedFd<'_>,
    message: &impl Serialize,
    fd: Option<BorrowedFd<'_>>,
) -> io::Result<()> {
    let mut buffer = [0; MAX_MESSAGE];
    let bytes = postcard::to_slice(message, &mut buffer).map_err(bad)?;
    // A host that is gone is seen as an error, not as a signal.
    let flags = SendFlags::NOSIGNAL;
    match fd {
        None => match send(socket, bytes, flags) {
            Ok(_) => {}
            Err(rustix::io::Errno::AGAIN) => return Err(io::ErrorKind::TimedOut.into()),
            Err(error) => return Err(error.into()),
        },
        Some(fd) => {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut control = SendAncillaryBuffer::new(&mut space);
            let fds = [fd];
            control.push(SendAncillaryMessage::ScmRights(&fds));
            sendmsg(socket, &[IoSlice::new(bytes)], &mut control, flags)?;
        }
    }
    Ok(())
}

/// Waits for a message; an end of the other side is `UnexpectedEof`, a time that is up `TimedOut`.
pub(crate) fn hear<T: DeserializeOwned>(socket: BorrowedFd<'_>) -> io::Result<T> {
    let mut buffer = [0; MAX_MESSAGE];
    let length = loop {
        match recv(socket, &mut buffer[..], RecvFlags::empty()) {
            Ok((_, length)) => break length,
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => return Err(io::ErrorKind::TimedOut.into()),
            Err(error) => return Err(error.into()),
        }
    };
    read(&buffer[..length.min(MAX_MESSAGE)])
}

/// As [`hear`], with the descriptor that came along.
pub(crate) fn hear_with_fd<T: DeserializeOwned>(
    socket: BorrowedFd<'_>,
) -> io::Result<(T, Option<OwnedFd>)> {
    let mut buffer = [0; MAX_MESSAGE];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let length = loop {
        let mut parts = [IoSliceMut::new(&mut buffer)];
        match recvmsg(
            socket.as_fd(),
            &mut parts,
            &mut control,
            RecvFlags::CMSG_CLOEXEC,
        ) {
            Ok(message) => break message.bytes,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    };
    let fd = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
        _ => None,
    });
    Ok((read(&buffer[..length.min(MAX_MESSAGE)])?, fd))
}

/// A message of the other side; none is the end of it.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> io::Result<T> {
    if bytes.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    postcard::from_bytes(bytes).map_err(bad)
}
