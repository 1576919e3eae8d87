//! Work on several threads whose result does not depend on their number.

use std::{
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

/// Runs the same on so many threads, one of them this one; gives what each found. Numbers run from 0.
pub(crate) fn on_threads<T: Send>(threads: usize, each: impl Fn(usize) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let each = &each;
        let others: Vec<_> = (1..threads)
            .map(|number| scope.spawn(move || each(number)))
            .collect();
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
}
