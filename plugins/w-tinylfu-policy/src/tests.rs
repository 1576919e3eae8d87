use eyemap_sdk::{
    CachePolicy,
    testing::{Request, Step, replay, replay_steps},
};

use super::{Options, WTinyLfu, model::Model};

fn options(window_fraction: f64, protected_fraction: f64) -> Options {
    Options {
        window_fraction,
        protected_fraction,
    }
}

fn bits(options: &Options, capacity_bytes: u64, keys: &[u64]) -> String {
    let requests: Vec<_> = keys.iter().map(|&key| Request::new(key, 1)).collect();
    replay::<WTinyLfu>(options, capacity_bytes, &requests).bits
}

#[test]
fn a_newcomer_must_be_asked_for_more_often_than_its_victim() {
    // No window: 1 and 2 fill the cache, with 2 requests each. 3 is refused twice and comes in with
    // its third; then 1 is gone, the older of the two, and must catch up with 2.
    let keys = [1, 2, 1, 2, 3, 3, 3, 3, 2, 1];
    assert_eq!(bits(&options(0.0, 0.5), 2, &keys), "0011000110");
}

#[test]
fn the_window_takes_every_newcomer() {
    // A window of 1 in a cache of 3. window 1; 2: window 2, probation 1; 3: window 3, probation
    // 1 2. 4: 3 contends with 1, equal, and dies; 4 is hit, once: 2 requests. 5: 4 beats 1.
    let keys = [1, 2, 3, 4, 4, 5, 4, 2, 5, 1];
    assert_eq!(bits(&options(0.34, 0.5), 3, &keys), "0000101110");
}

#[test]
fn what_was_hit_is_protected() {
    // No window, one protected: 1 is hit and protected; 3 asks twice and evicts 2, with 1 request.
    let keys = [1, 2, 1, 3, 3, 1, 3];
    assert_eq!(bits(&options(0.0, 0.5), 2, &keys), "0010011");
}

/// A seeded generator of requests: skewed keys whose weight depends on the key alone.
fn requests(seed: u64, count: usize, keys: u64, heaviest: u64) -> Vec<Request> {
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let mut request = |index: usize| {
        // The least of three is asked for more often; every fifth request is of a moving range.
        let skewed = (next() % keys).min(next() % keys).min(next() % keys);
        let key = if index.is_multiple_of(5) {
            index as u64 / 3
        } else {
            skewed
        };
        Request::new(key, key.wrapping_mul(2_654_435_761) % (heaviest + 1))
    };
    (0..count).map(&mut request).collect()
}

#[test]
fn the_model_decides_alike() {
    let cases = [
        (options(0.01, 0.8), 400, 1, 1000, 11_000),
        (options(0.01, 0.8), 5_000, 100, 1000, 5_000),
        (options(0.2, 0.5), 5_000, 300, 1000, 5_000),
        (options(1.0, 0.8), 900, 30, 300, 5_000),
        (options(0.0, 1.0), 900, 30, 300, 5_000),
        (options(0.3, 0.0), 900, 600, 300, 5_000),
        // Wide enough that the sketch grows and is halved.
        (options(0.05, 0.8), 900, 1, 4000, 25_000),
    ];
    for (seed, (options, capacity, heaviest, keys, count)) in cases.into_iter().enumerate() {
        let requests = requests(seed as u64, count, keys, heaviest);
        let mut model = Model::new(&options, capacity);
        let expected = requests
            .iter()
            .map(|request| model.ask(request.key, request.weight));
        let expected: String = expected.map(|hit| if hit { '1' } else { '0' }).collect();
        let replayed = replay::<WTinyLfu>(&options, capacity, &requests);
        let mut pairs = expected.chars().zip(replayed.bits.chars());
        let differs = pairs.position(|(model, policy)| model != policy);
        assert_eq!(differs, None, "case {seed}: the first request that differs");
        assert!(
            replayed.hits > 150,
            "case {seed} tells little: {}",
            replayed.hits
        );
    }
}

#[test]
fn weights_removals_and_capacities_of_any_size_are_taken() {
    let ask = |key, weight| Step::Ask(Request::new(key, weight));
    let mut steps: Vec<_> = (0..300).map(|key| ask(key % 90, key % 90 % 7)).collect();
    steps.extend([
        Step::Remove(29),
        Step::Remove(28),
        Step::Reweigh(27, 90),
        Step::Reweigh(27, 0),
        Step::Resize(0),
        ask(1, 0),
    ]);
    steps.extend([
        Step::Resize(1000),
        ask(8, 5),
        ask(8, 5),
        ask(9, 2000),
        Step::Resize(1),
    ]);
    steps.extend((100..300).map(|key| ask(key, 0)));
    let replayed = replay_steps::<WTinyLfu>(&Options::default(), 100, &steps);
    assert_eq!(&replayed.bits[301..304], "010");
}

#[test]
fn options_out_of_range_are_errors() {
    for wrong in [
        options(-0.1, 0.8),
        options(1.1, 0.8),
        options(0.1, f64::NAN),
    ] {
        assert!(WTinyLfu::create(wrong, 10).is_err());
    }
}
