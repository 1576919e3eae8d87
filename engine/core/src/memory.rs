//! How much memory this process has: sampled by a thread, read by anyone for the price of a load.
//!
//! What is measured is the resident set of the whole process as the system counts it (on Linux the
//! second number of `/proc/self/statm`): every page that is in RAM now, the heap as well as code,
//! stacks, loaded plugins and mapped files, also what an allocator keeps for later and pages shared
//! with other processes. Not counted is what was swapped out and what was asked for but never touched.
//! Several [`MemoryWatch`]es see the same process, so their numbers do not add up. Between two samples
//! anything can happen: of a burst that is shorter than [`SAMPLES_APART`] only the peak may tell.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// Time between two samples.
pub const SAMPLES_APART: Duration = Duration::from_millis(20);

/// A series has at most this many points.
pub const MAX_POINTS: usize = 600;

/// Asks the system for memory in small pages. With pages of 2 MiB each thread holds megabytes that nobody
/// asked for. A system that has no large pages, or does not let us choose, goes on as it is.
pub fn in_small_pages() {
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

/// The most that was seen in a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// Begin of the stretch, from the start of the watch.
    pub at: Duration,
    /// The largest sample of the stretch, in bytes.
    pub bytes: u64,
}

/// Watches the resident memory of this process until it is dropped.
///
/// Sampling costs one thread about 30 us each 20 ms. Where the system does not tell, all numbers are 0
/// and [`MemoryWatch::works`] is false.
#[derive(Debug)]
pub struct MemoryWatch {
    shared: Arc<Shared>,
    /// Dropping it wakes the thread and ends it.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    start: Instant,
    current: AtomicU64,
    peak: AtomicU64,
    works: AtomicBool,
    probe: Mutex<Option<Probe>>,
    series: Mutex<Series>,
}

impl MemoryWatch {
    /// Takes a first sample and starts the thread that takes the others. Without the thread, which a
    /// system may refuse, the numbers change with [`MemoryWatch::sample`] alone.
    pub fn start() -> Arc<Self> {
        let shared = Arc::new(Shared {
            start: Instant::now(),
            current: AtomicU64::new(0),
            peak: AtomicU64::new(0),
            works: AtomicBool::new(false),
            probe: Mutex::new(Probe::new()),
            series: Mutex::default(),
        });
        shared.sample();
        let (stop, stopped) = mpsc::channel();
        let sampled = Arc::clone(&shared);
        let run = move || {
            while stopped.recv_timeout(SAMPLES_APART) == Err(RecvTimeoutError::Timeout) {
                sampled.sample();
            }
        };
        let thread = std::thread::Builder::new().name("eyemap-memory".into());
        Arc::new(Self {
            shared,
            stop: Some(stop),
            thread: thread.spawn(run).ok(),
        })
    }

    /// Whether the system tells how much memory the process has.
    pub fn works(&self) -> bool {
        self.shared.works.load(Ordering::Relaxed)
    }

    /// Resident memory at the last sample, in bytes. One atomic load.
    pub fn current(&self) -> u64 {
        self.shared.current.load(Ordering::Relaxed)
    }

    /// The most resident memory that the process has had so far, in bytes: as the system counts it, which
    /// sees what lies between two samples, or else the largest sample.
    pub fn peak(&self) -> u64 {
        let sampled = self.shared.peak.load(Ordering::Relaxed);
        high_water().map_or(sampled, |bytes| bytes.max(sampled))
    }

    /// Takes a sample now and gives it, in bytes, for whoever cannot wait 20 ms: about 30 us.
    pub fn sample(&self) -> u64 {
        self.shared.sample();
        self.current()
    }

    /// Time since the watch was started.
    pub fn elapsed(&self) -> Duration {
        self.shared.start.elapsed()
    }

    /// Memory over time: at most [`MAX_POINTS`] stretches of equal length, in order. When they are
    /// full, two become one, so none of the peaks is lost.
    pub fn series(&self) -> Vec<Point> {
        let series = &self.shared.series;
        let series = series.lock().unwrap_or_else(PoisonError::into_inner);
        series.points.clone()
    }

    /// Time that all threads of the process spent computing since the process began, also in the
    /// system. Some systems count it in hundredths of a second.
    pub fn cpu_time(&self) -> Option<Duration> {
        let probe = &self.shared.probe;
        let mut probe = probe.lock().unwrap_or_else(PoisonError::into_inner);
        probe.as_mut().and_then(Probe::cpu_time)
    }
}

impl Drop for MemoryWatch {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // It has nothing to say: a panic in it was reported when it happened.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn sample(&self) {
        let mut probe = self.probe.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(bytes) = probe.as_mut().and_then(Probe::memory) else {
            return;
        };
        self.current.store(bytes, Ordering::Relaxed);
        self.peak.fetch_max(bytes, Ordering::Relaxed);
        self.works.store(true, Ordering::Relaxed);
        let mut series = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        series.add(self.start.elapsed(), bytes);
    }
}

/// The high-water mark of resident memory that Linux keeps.
fn high_water() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// Asks the system about this process.
#[derive(Debug)]
struct Probe {
    system: System,
    pid: Pid,
}

impl Probe {
    fn new() -> Option<Self> {
        Some(Self {
            system: System::new().ok()?,
            pid: sysinfo::get_current_pid().ok()?,
        })
    }

    fn ask(&mut self, what: ProcessRefreshKind) -> Option<&sysinfo::Process> {
        let this = ProcessesToUpdate::Some(&[self.pid]);
        // Threads share the memory of their process: to list them would only take time.
        let what = what.without_tasks();
        self.system.refresh_processes_specifics(this, false, what);
        self.system.process(self.pid)
    }

    fn memory(&mut self) -> Option<u64> {
        let process = self.ask(ProcessRefreshKind::nothing().with_memory())?;
        Some(process.memory()).filter(|&bytes| bytes > 0)
    }

    fn cpu_time(&mut self) -> Option<Duration> {
        let process = self.ask(ProcessRefreshKind::nothing().with_cpu())?;
        Some(Duration::from_millis(process.accumulated_cpu_time()))
    }
}

/// A bounded series: stretches of equal length, each with its largest sample.
#[derive(Debug)]
struct Series {
    points: Vec<Point>,
    /// Length of a stretch.
    stretch: Duration,
}

impl Default for Series {
    fn default() -> Self {
        Self {
            points: Vec::new(),
            stretch: SAMPLES_APART,
        }
    }
}

impl Series {
    fn add(&mut self, at: Duration, bytes: u64) {
        let mut begin = self.begin(at);
        if let Some(last) = self.points.last_mut()
            && begin <= last.at
        {
            last.bytes = last.bytes.max(bytes);
            return;
        }
        if self.points.len() == MAX_POINTS {
            self.halve();
            begin = self.begin(at);
        }
        match self.points.last_mut() {
            Some(last) if begin <= last.at => last.bytes = last.bytes.max(bytes),
            _ => self.points.push(Point { at: begin, bytes }),
        }
    }

    /// Begin of the stretch that a time is in.
    fn begin(&self, at: Duration) -> Duration {
        let stretches = at.as_nanos() / self.stretch.as_nanos();
        // 2^64 ns are 584 years.
        Duration::from_nanos((stretches * self.stretch.as_nanos()) as u64)
    }

    fn halve(&mut self) {
        self.stretch *= 2;
        let fine = std::mem::take(&mut self.points);
        for point in fine {
            self.add(point.at, point.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGE: usize = 100 << 20;

    #[test]
    fn memory_that_is_touched_is_seen_and_stays_the_peak() {
        let watch = MemoryWatch::start();
        assert!(watch.works());
        let before = watch.current();
        assert!(before > 1_000_000, "{before}");
        let mut large = vec![0_u8; LARGE];
        for page in large.chunks_mut(4096) {
            page[0] = 1;
        }
        // Nobody asks: the thread alone must see it.
        let wanted = before + (LARGE as u64) * 9 / 10;
        let start = Instant::now();
        while watch.current() < wanted && start.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(SAMPLES_APART);
        }
        assert!(watch.current() >= wanted, "{} of {wanted}", watch.current());
        assert_eq!(
            large.iter().map(|&byte| u64::from(byte)).sum::<u64>(),
            25_600
        );
        drop(large);
        let after = watch.sample();
        // Other tests of this process allocate at the same time, but not that much.
        assert!(after < wanted, "{after}");
        assert!(watch.peak() >= wanted);
        assert!(watch.series().iter().any(|point| point.bytes >= wanted));
        assert!(watch.cpu_time().is_some());
    }

    #[test]
    fn a_watch_that_is_dropped_ends_its_thread() {
        let watch = MemoryWatch::start();
        let shared = Arc::clone(&watch.shared);
        drop(watch);
        assert_eq!(Arc::strong_count(&shared), 1);
    }

    #[test]
    fn a_long_series_is_bounded_in_order_and_keeps_its_peak() {
        let mut series = Series::default();
        for n in 0..100_000_u32 {
            let bytes = if n == 777 { 1_000_000 } else { u64::from(n) };
            series.add(SAMPLES_APART * n, bytes);
        }
        let points = &series.points;
        assert!(
            (MAX_POINTS / 2..=MAX_POINTS).contains(&points.len()),
            "{}",
            points.len()
        );
        assert!(
            points
                .windows(2)
                .all(|two| two[1].at - two[0].at == series.stretch)
        );
        assert_eq!(
            points.iter().map(|point| point.bytes).max(),
            Some(1_000_000)
        );
        assert_eq!(points[0].at, Duration::ZERO);
    }
}
