//! What host and worker say to each other: small messages; bodies lie in the arena.

use std::{
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{AsFd as _, BorrowedFd, OwnedFd},
    sync::Arc,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
    io::{Errno, write},
    net::{
        AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
        SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
        sockopt::{Timeout, set_socket_timeout},
    },
    pipe::{PipeFlags, pipe_with},
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

/// The host's end of the connection. Messages go through pipes, whose way through the system is a quarter
/// shorter than a socket's; files go through a socket, whose end tells the worker that its host is gone.
#[derive(Debug)]
pub(crate) struct HostEnd {
    socket: OwnedFd,
    requests: OwnedFd,
    answers: OwnedFd,
    /// Where requests are read: as long as the host has it too, a worker that is gone is no broken pipe, which
    /// would be a signal.
    _unread: OwnedFd,
}

/// The worker's end.
#[derive(Debug)]
pub(crate) struct WorkerEnd {
    pub(crate) socket: Arc<OwnedFd>,
    requests: OwnedFd,
    answers: OwnedFd,
}

/// What a worker is given through its socket before anything else.
pub(crate) struct Gift {
    unread: OwnedFd,
    answers: OwnedFd,
}

/// A connection: the host's end, the socket that becomes the worker's standard input, and what is to be sent
/// through it. Whatever the worker does, the host waits for it no longer than `most`.
pub(crate) fn connection(most: Duration) -> io::Result<(HostEnd, OwnedFd, Gift)> {
    let (ours, theirs) = socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )?;
    set_socket_timeout(&ours, Timeout::Send, Some(most))?;
    // With DIRECT each message is read by itself.
    let pipe = || pipe_with(PipeFlags::CLOEXEC | PipeFlags::DIRECT);
    let ((unread, requests), (answers, answering)) = (pipe()?, pipe()?);
    // A worker that reads nothing fills the pipe.
    fcntl_setfl(&requests, fcntl_getfl(&requests)? | OFlags::NONBLOCK)?;
    let gift = Gift {
        unread: unread.try_clone()?,
        answers: answering,
    };
    let end = HostEnd {
        socket: ours,
        requests,
        answers,
        _unread: unread,
    };
    Ok((end, theirs, gift))
}

impl HostEnd {
    /// Gives the worker its end, and the file of the first arena.
    pub(crate) fn open(&self, gift: &Gift, arena: BorrowedFd<'_>) -> io::Result<()> {
        let files = [arena, gift.unread.as_fd(), gift.answers.as_fd()];
        send_files(self.socket.as_fd(), &files)
    }

    /// Sends a request, with a file if there is one.
    pub(crate) fn tell(&self, request: &Request, file: Option<BorrowedFd<'_>>) -> io::Result<()> {
        if let Some(file) = file {
            send_files(self.socket.as_fd(), &[file])?;
        }
        tell(self.requests.as_fd(), request)
    }

    /// Waits for an answer; an end of the worker is `UnexpectedEof`, a time that is up `TimedOut`.
    pub(crate) fn hear(&self, left: Duration) -> io::Result<Response> {
        let until = Instant::now() + left;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).map_err(bad)?;
            let mut fds = [PollFd::new(&self.answers, PollFlags::IN)];
            match poll(&mut fds, Some(&left)) {
                Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
                Ok(_) => return hear(self.answers.as_fd()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl WorkerEnd {
    /// What comes through the socket first: this end, and the file of the first arena.
    pub(crate) fn open(socket: OwnedFd) -> io::Result<(Self, OwnedFd)> {
        let [arena, requests, answers] = receive_files(socket.as_fd())?;
        let end = Self {
            socket: Arc::new(socket),
            requests,
            answers,
        };
        Ok((end, arena))
    }

    /// Waits for a request; an end of the host is `UnexpectedEof`.
    pub(crate) fn hear(&self) -> io::Result<Request> {
        hear(self.requests.as_fd())
    }

    /// The file that came with a request.
    pub(crate) fn file(&self) -> io::Result<OwnedFd> {
        receive_files(self.socket.as_fd()).map(|[file]| file)
    }

    /// Sends an answer.
    pub(crate) fn tell(&self, response: &Response) -> io::Result<()> {
        tell(self.answers.as_fd(), response)
    }
}

fn bad(error: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.to_string())
}

fn tell(pipe: BorrowedFd<'_>, message: &impl Serialize) -> io::Result<()> {
    let mut buffer = [0; MAX_MESSAGE];
    let bytes = postcard::to_slice(message, &mut buffer).map_err(bad)?;
    match write(pipe, bytes) {
        Ok(length) if length == bytes.len() => Ok(()),
        Ok(_) => Err(bad("half a message was sent")),
        Err(Errno::AGAIN) => Err(io::ErrorKind::TimedOut.into()),
        Err(error) => Err(error.into()),
    }
}

fn hear<T: DeserializeOwned>(pipe: BorrowedFd<'_>) -> io::Result<T> {
    let mut buffer = [0; MAX_MESSAGE];
    loop {
        match rustix::io::read(pipe, &mut buffer[..]) {
            Ok(length) => return read(&buffer[..length.min(MAX_MESSAGE)]),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Files that are sent at once.
const MAX_FILES: usize = 3;

fn send_files(socket: BorrowedFd<'_>, files: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FILES))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(files));
    // A worker that is gone is seen as an error, not as a signal.
    match sendmsg(
        socket,
        &[IoSlice::new(b"f")],
        &mut control,
        SendFlags::NOSIGNAL,
    ) {
        Ok(_) => Ok(()),
        Err(Errno::AGAIN) => Err(io::ErrorKind::TimedOut.into()),
        Err(error) => Err(error.into()),
    }
}

fn receive_files<const N: usize>(socket: BorrowedFd<'_>) -> io::Result<[OwnedFd; N]> {
    let mut buffer = [0; 1];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FILES))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    loop {
        let mut parts = [IoSliceMut::new(&mut buffer)];
        match recvmsg(socket, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC) {
            Ok(message) if message.bytes == 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) => break,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let messages = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(files) => Some(files),
        _ => None,
    });
    let files: Vec<OwnedFd> = messages.flatten().collect();
    files
        .try_into()
        .map_err(|_| bad("other files than expected"))
}

/// A message of the other side; none is the end of it.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> io::Result<T> {
    if bytes.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    postcard::from_bytes(bytes).map_err(bad)
}
