//! One child process, from its start to its end: what it answered, what it wrote, how it ended.
//!
//! A child is never waited for longer than its deadline, and nothing of it is left afterwards: its process
//! group is killed before it is reaped, so that the number of the group cannot mean another one.

use std::{
    io::{self, PipeReader, Read},
    os::{
        fd::{AsFd, OwnedFd},
        unix::process::{CommandExt as _, ExitStatusExt as _},
    },
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid},
};

/// So much of what a plugin prints is kept; a child that prints more is stopped.
pub(crate) const MAX_PRINTED_BYTES: usize = 64 * 1024;
/// On standard error a check says besides what it asks next.
const MAX_TOLD_BYTES: usize = 1 << 20;
/// More than any answer has.
pub(crate) const MAX_ANSWER_BYTES: usize = 64 << 20;
/// How often a child is looked at that closed its pipes, or left them to children of its own.
const LOOK: Duration = Duration::from_millis(20);

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// With an exit code.
    Exited(i32),
    /// By a signal that nobody here sent.
    Signal(i32),
    /// It took longer than its deadline and was killed.
    TooLong,
    /// It printed more than it may, and was killed.
    PrintedTooMuch,
    /// Its answer was longer than it may be, and it was killed.
    AnsweredTooMuch,
}

/// What is known of a child after its end.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) how: End,
    pub(crate) answer: Vec<u8>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) took: Duration,
}

/// Starts a command and waits for its end, at most for `deadline`.
///
/// The child answers through the pipe that it finds as its standard input.
pub(crate) fn ask(mut command: Command, deadline: Duration) -> io::Result<Ended> {
    let (answer, write) = io::pipe()?;
    let (stdout, out) = io::pipe()?;
    let (stderr, err) = io::pipe()?;
    command
        .stdin(Stdio::from(OwnedFd::from(write)))
        .stdout(out)
        .stderr(err)
        .process_group(0);
    let started = Instant::now();
    let child = command.spawn()?;
    // It holds the write ends, and a pipe ends only when nobody does.
    drop(command);
    let mut pipes = [
        Stream::new(answer, MAX_ANSWER_BYTES)?,
        Stream::new(stdout, MAX_PRINTED_BYTES)?,
        Stream::new(stderr, MAX_TOLD_BYTES)?,
    ];
    let stopped = watch(&child, &mut pipes, started, deadline);
    let status = reap(child)?;
    // What a dead child left in its pipes is still to be read; a child of its own cannot delay this.
    for pipe in &mut pipes {
        pipe.read();
    }
    let ended = status
        .code()
        .map_or(End::Signal(status.signal().unwrap_or(0)), End::Exited);
    let [answer, stdout, stderr] = pipes.map(|pipe| pipe.bytes);
    Ok(Ended {
        how: stopped?.unwrap_or(ended),
        answer,
        stdout,
        stderr,
        took: started.elapsed(),
    })
}

/// Reads until the child ends, or until it must be killed.
fn watch(
    child: &Child,
    pipes: &mut [Stream; 3],
    started: Instant,
    deadline: Duration,
) -> io::Result<Option<End>> {
    loop {
        for pipe in pipes.iter_mut() {
            pipe.read();
        }
        match pipes.iter().position(|pipe| pipe.bytes.len() > pipe.most) {
            None => {}
            Some(0) => return Ok(Some(End::AnsweredTooMuch)),
            Some(_) => return Ok(Some(End::PrintedTooMuch)),
        }
        if is_over(child)? {
            return Ok(None);
        }
        let left = deadline.saturating_sub(started.elapsed());
        if left.is_zero() {
            return Ok(Some(End::TooLong));
        }
        rest(pipes, left)?;
    }
}

/// Waits until a pipe has something, for a moment at most.
fn rest(pipes: &[Stream; 3], left: Duration) -> io::Result<()> {
    let open: Vec<&Stream> = pipes.iter().filter(|pipe| pipe.open).collect();
    // A child that closed its answer is about to end.
    let look = if pipes[0].open { LOOK } else { LOOK / 20 };
    let time = Timespec::try_from(left.min(look)).map_err(io::Error::other)?;
    let mut fds: Vec<_> = open
        .iter()
        .map(|pipe| PollFd::from_borrowed_fd(pipe.reader.as_fd(), PollFlags::IN))
        .collect();
    match poll(&mut fds, Some(&time)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Whether it ended. It stays a zombie, so that its number stays its own.
fn is_over(child: &Child) -> io::Result<bool> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    match waitid(WaitId::Pid(Pid::from_child(child)), options) {
        Ok(status) => Ok(status.is_some()),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Ends what is left of the child and its group.
fn reap(mut child: Child) -> io::Result<std::process::ExitStatus> {
    // An error means that there is nobody left to kill.
    let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
    child.kill()?;
    child.wait()
}

/// A pipe that is read without waiting.
struct Stream {
    reader: PipeReader,
    bytes: Vec<u8>,
    most: usize,
    open: bool,
}

impl Stream {
    fn new(reader: PipeReader, most: usize) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&reader, true)?;
        Ok(Self {
            reader,
            bytes: Vec::new(),
            most,
            open: true,
        })
    }

    /// Takes what is there, and a little more than is allowed at most.
    fn read(&mut self) {
        let mut buffer = [0; 64 * 1024];
        while self.open && self.bytes.len() <= self.most {
            match self.reader.read(&mut buffer) {
                Ok(0) => self.open = false,
                Ok(n) => self.bytes.extend_from_slice(&buffer[..n]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => self.open = false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, deadline_ms: u64) -> Ended {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        ask(command, Duration::from_millis(deadline_ms)).expect("a shell")
    }

    #[test]
    fn what_a_child_answers_and_prints_is_kept_apart() {
        let ended = shell("echo answer >&0; echo out; echo err >&2; exit 3", 5000);
        assert_eq!(ended.how, End::Exited(3));
        assert_eq!(
            (&*ended.answer, &*ended.stdout, &*ended.stderr),
            (&b"answer\n"[..], &b"out\n"[..], &b"err\n"[..])
        );
        assert_eq!(shell("kill -SEGV $$", 5000).how, End::Signal(11));
    }

    #[test]
    fn a_child_that_does_not_end_is_killed_with_its_children() {
        let ended = shell("sleep 1000 & echo $!; wait", 300);
        assert_eq!(ended.how, End::TooLong);
        assert!(ended.took < Duration::from_secs(5), "{:?}", ended.took);
        let pid = String::from_utf8(ended.stdout).expect("a number");
        let gone = || match std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())) {
            // Killed, and somebody else is to reap it: not ours, as it is a child of the child.
            Ok(stat) => stat.contains(") Z "),
            Err(_) => true,
        };
        let start = Instant::now();
        while !gone() && start.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(LOOK);
        }
        assert!(gone(), "the child of the child lives on");
    }

    #[test]
    fn a_child_that_leaves_its_pipes_to_another_delays_nothing() {
        let ended = shell("sleep 1000 & exit 0", 5000);
        assert_eq!(ended.how, End::Exited(0));
        assert!(ended.took < Duration::from_secs(3), "{:?}", ended.took);
    }

    #[test]
    fn a_child_that_prints_without_end_is_stopped() {
        let ended = shell("yes", 20_000);
        assert_eq!(ended.how, End::PrintedTooMuch);
        assert!(ended.stdout.len() > MAX_PRINTED_BYTES);
        assert!(ended.stdout.len() < 4 * MAX_PRINTED_BYTES);
    }

    #[test]
    fn an_answer_without_end_is_not_taken_for_what_is_printed() {
        assert_eq!(shell("yes >&0", 20_000).how, End::AnsweredTooMuch);
    }
}
