//! Damaged bytes: never a panic, and prost's opinion of the structure is ours.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};
use proptest::sample::Index;
use shared_proto::otlp::{Limits, Signal, admit};

use crate::bodies;
use crate::model::{SIGNALS, bytes, prost_takes};
use crate::requests::{logs, metrics, traces};

/// A change to some bytes.
#[derive(Debug, Clone)]
enum Damage {
    Flip(Index, u8),
    Set(Index, u8),
    Cut(Index),
    Insert(Index, u8),
    Remove(Index),
    /// A stretch once more, somewhere else.
    Copy(Index, Index, u8),
}

fn damage() -> impl Strategy<Value = Vec<Damage>> {
    let at = any::<Index>;
    let one = prop_oneof![
        (at(), 0u8..8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        (at(), any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        at().prop_map(Damage::Cut),
        (at(), any::<u8>()).prop_map(|(at, byte)| Damage::Insert(at, byte)),
        at().prop_map(Damage::Remove),
        (at(), at(), 1u8..40).prop_map(|(from, to, len)| Damage::Copy(from, to, len)),
    ];
    prop_oneof![Just(vec![]), vec(one, 1..4)]
}

fn apply(mut bytes: Vec<u8>, damage: &[Damage]) -> Bytes {
    for damage in damage {
        if bytes.is_empty() {
            break;
        }
        let len = bytes.len();
        match damage {
            Damage::Flip(at, bit) => bytes[at.index(len)] ^= 1 << bit,
            Damage::Set(at, byte) => bytes[at.index(len)] = *byte,
            Damage::Cut(at) => bytes.truncate(at.index(len)),
            Damage::Insert(at, byte) => bytes.insert(at.index(len), *byte),
            Damage::Remove(at) => drop(bytes.remove(at.index(len))),
            Damage::Copy(from, to, stretch) => {
                let from = from.index(len);
                let stretch = bytes[from..(from + usize::from(*stretch)).min(len)].to_vec();
                let to = to.index(len);
                bytes.splice(to..to, stretch);
            }
        }
    }
    bytes.into()
}

/// The two differences: prost refuses text that is not UTF-8 (repaired by us), we refuse ids of a wrong length.
fn agrees_with_prost(signal: Signal, bytes: &Bytes) {
    match admit(signal, bytes.clone(), &Limits::default()) {
        Ok(admitted) => {
            assert!(prost_takes(signal, &admitted.bytes), "prost refuses what was admitted");
            if admitted.bytes == bytes {
                assert!(prost_takes(signal, bytes));
            }
        }
        Err(error) if error.what.ends_with("bytes long or empty") => {}
        Err(error) => assert!(!prost_takes(signal, bytes), "prost takes it: {error}"),
    }
}

fn of_any_signal() -> impl Strategy<Value = (Signal, Bytes)> {
    prop_oneof![
        2 => traces().prop_map(|data| (Signal::Traces, bytes(&data))),
        1 => metrics().prop_map(|data| (Signal::Metrics, bytes(&data))),
        1 => logs().prop_map(|data| (Signal::Logs, bytes(&data))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn damaged_requests_are_judged_as_prost_judges_them((signal, request) in of_any_signal(), damage in damage()) {
        let damaged = apply(request.to_vec(), &damage);
        agrees_with_prost(signal, &damaged);
        bodies::admit_split(signal, &damaged);
    }

    #[test]
    fn noise_is_judged_as_prost_judges_it(noise in vec(prop_oneof![any::<u8>(), 0u8..32], 0..60)) {
        for signal in SIGNALS {
            agrees_with_prost(signal, &noise.clone().into());
            bodies::admit_split(signal, &noise);
        }
    }

    #[test]
    fn damaged_json_never_panics(
        request in traces(), damage in damage(), noise in "[\\[\\]{}:,\"a-z0-9 \\\\.-]{0,40}",
    ) {
        let mut text = Vec::new();
        shared_proto::otlp::json::encode_traces(&bytes(&request), &mut text).unwrap();
        bodies::json(Signal::Traces, &apply(text, &damage));
        for signal in SIGNALS {
            bodies::json(signal, noise.as_bytes());
        }
    }
}

#[test]
fn every_prefix_of_a_request_is_judged_as_prost_judges_it() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    for signal in SIGNALS {
        let strategy = of_any_signal();
        let request = loop {
            let (of, request) = strategy.new_tree(&mut runner).unwrap().current();
            if of == signal && request.len() > 200 {
                break request;
            }
        };
        for end in 0..request.len().min(3000) {
            agrees_with_prost(signal, &request.slice(..end));
        }
    }
}
