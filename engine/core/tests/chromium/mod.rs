//! Headless Chromium, and a server on a loopback port for pages that need an origin.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
};

use eyemap_engine::testing::skipped;

const FLAGS: [&str; 12] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--force-device-scale-factor=1",
];

/// The browser; where there is none, the calling test is noted as skipped.
#[track_caller]
pub(crate) fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = std::env::split_paths(&path)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|file| file.is_file());
    if found.is_none() {
        skipped("there is no `chromium` on the PATH");
    }
    found
}

/// Ends the browser that it holds, whatever happens.
pub(crate) struct Running {
    /// The browser.
    pub(crate) child: Child,
    _profile: tempfile::TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts the browser with a profile of its own.
pub(crate) fn start(program: &Path, extra: &[String], stdout: Stdio) -> Running {
    let profile = tempfile::tempdir().unwrap();
    let child = Command::new(program)
        .args(FLAGS)
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(extra)
        .stdout(stdout)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Running {
        child,
        _profile: profile,
    }
}

/// What a server gives for a path.
pub(crate) struct Page {
    /// The path, with its leading slash.
    pub(crate) path: &'static str,
    /// Its type.
    pub(crate) kind: &'static str,
    /// The Content-Security-Policy of its header; may be empty.
    pub(crate) policy: String,
    /// What it holds.
    pub(crate) body: String,
}

/// Serves pages on a loopback port, as many times as the browser asks. What is posted to any path
/// comes out of the receiver.
pub(crate) fn serve(pages: Vec<Page>) -> (u16, Receiver<String>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let pages: Arc<[Page]> = pages.into();
    let (posted, receiver) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let (pages, posted) = (Arc::clone(&pages), posted.clone());
            // A thread each, as browsers open connections on which nothing is asked.
            std::thread::spawn(move || answer(&stream, &pages, &posted));
        }
    });
    (port, receiver)
}

fn answer(mut stream: &TcpStream, pages: &[Page], posted: &Sender<String>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let (mut line, mut header, mut length) = (String::new(), String::new(), 0);
    reader.read_line(&mut line)?;
    while reader.read_line(&mut header)? > 2 {
        let field = header.to_ascii_lowercase();
        if let Some(value) = field.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        header.clear();
    }
    if line.starts_with("POST ") {
        let mut body = String::new();
        reader.take(length).read_to_string(&mut body)?;
        let _ = posted.send(body);
        return stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    }
    let path = line.split([' ', '?']).nth(1).unwrap_or("/");
    let found = pages.iter().find(|page| page.path == path);
    let (status, kind, policy, body) =
        found.map_or(("404 Not Found", "text/plain", "", ""), |page| {
            (
                "200 OK",
                page.kind,
                page.policy.as_str(),
                page.body.as_str(),
            )
        });
    let policy = match policy {
        "" => String::new(),
        policy => format!("Content-Security-Policy: {policy}\r\n"),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {}\r\n\
         {policy}Connection: close\r\n\r\n{body}",
        body.len()
    )
}
