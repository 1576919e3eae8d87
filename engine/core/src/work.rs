//! Work on several threads whose result does not depend on their number.

use std::{
    io,
    num::NonZero,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

/// So many threads as asked for; 0 takes one a core.
pub(crate) fn threads(jobs: usize) -> usize {
    match jobs {
        0 => std::thread::available_parallelism().map_or(1, NonZero::get),
        jobs => jobs,
    }
}

/// Files that whatever works beside the threads may open.
const SPARE_FILES: u64 = 8;

/// How many of these threads may each have this many files open, as far as the system says.
pub(crate) fn with_files(threads: usize, each: u64) -> usize {
    let most = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let open = std::fs::read_dir("/proc/self/fd").map_or(SPARE_FILES, |files| files.count() as u64);
    most.map_or(threads, |most| {
        fit_files(threads, each, most.saturating_sub(open))
    })
}

/// One thread is always left: what it cannot open, it says.
fn fit_files(threads: usize, each: u64, free: u64) -> usize {
    let fit = free.saturating_sub(SPARE_FILES) / each.max(1);
    usize::try_from(fit)
        .unwrap_or(usize::MAX)
        .clamp(1, threads.max(1))
}

/// Runs `each` on up to this many threads, including this one, and returns what each returned. Numbers run
/// from 0. A system that starts no more threads leaves the work to those that there are, so `each` has to
/// take its share from what all have in common.
pub(crate) fn on_threads<T: Send>(threads: usize, each: impl Fn(usize) -> T + Sync) -> Vec<T> {
    on_those_that_start(threads, &|_| Ok(()), each)
}

/// The same, for tests of systems that refuse threads.
fn on_those_that_start<T: Send>(
    threads: usize,
    may_start: &dyn Fn(usize) -> io::Result<()>,
    each: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    std::thread::scope(|scope| {
        let each = &each;
        let start = |number| {
            may_start(number)?;
            std::thread::Builder::new().spawn_scoped(scope, move || each(number))
        };
        let mut others = Vec::new();
        for number in 1..threads {
            match start(number) {
                Ok(thread) => others.push(thread),
                Err(error) => {
                    tracing::warn!("{number} threads work in place of {threads}: {error}");
                    break;
                }
            }
        }
        let mut found = vec![each(0)];
        for other in others {
            match other.join() {
                Ok(result) => found.push(result),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        found
    })
}

/// Computes something for 0 to `n`, started in that order, and gives it in that order.
pub(crate) fn map_in_order<T: Send>(
    threads: usize,
    n: usize,
    each: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(n));
    on_threads(threads.min(n).max(1), |_| {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= n {
                break;
            }
            let result = each(index);
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            done.push((index, result));
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_whatever_the_number_of_threads() {
        for threads in [1, 2, 7] {
            let found = map_in_order(threads, 100, |i| i * i);
            assert_eq!(found, (0..100).map(|i| i * i).collect::<Vec<_>>());
        }
        assert!(map_in_order(3, 0, |i| i).is_empty());
    }

    #[test]
    fn where_few_files_may_be_open_fewer_threads_work() {
        assert_eq!(fit_files(16, 3, 1000), 16);
        assert_eq!(fit_files(16, 3, 20), 4);
        assert_eq!(fit_files(16, 9, 10), 1);
        assert_eq!(fit_files(16, 3, 0), 1);
    }

    #[test]
    fn where_the_system_starts_no_more_threads_those_that_there_are_do_all() {
        for started in 1..4 {
            let may_start = |number| match number < started {
                true => Ok(()),
                false => Err(io::Error::from(io::ErrorKind::WouldBlock)),
            };
            let next = AtomicUsize::new(0);
            let found = on_those_that_start(8, &may_start, |_| {
                let mut sum = 0;
                loop {
                    match next.fetch_add(1, Ordering::Relaxed) {
                        number if number < 100 => sum += number,
                        _ => break sum,
                    }
                }
            });
            assert_eq!(found.len(), started);
            assert_eq!(found.iter().sum::<usize>(), 4950);
        }
    }
}
