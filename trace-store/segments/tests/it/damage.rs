//! Damaged bytes give an error that says so; never a panic, never an endless loop.

use bytes::Bytes;
use proptest::prelude::*;
use runtime_engine::{Engine, Error, Snapshot, Stop};
use trace_segments::{Cost, SearchQuery, Traces};

use crate::data::{trace_id, traces};
use crate::memory::{Store, get, open};

/// Reads everything; what comes back does not matter, only that it does.
fn read(store: &Store, parts: Vec<Bytes>) -> Result<(), Error> {
    let segment = std::sync::Arc::new(open(&store.metas[0], parts)?);
    let snap = Snapshot::<Traces> { objects: vec![segment.clone()], ..store.snapshot() };
    for n in 0..7 {
        get_lenient(&snap, trace_id(n))?;
    }
    let attributes = vec![("k".to_string(), "1".to_string())];
    let query = SearchQuery { attributes, limit: 10, ..SearchQuery::default() };
    trace_segments::search(&snap, &query, &Stop::default(), &mut Cost::default())?;
    let job = runtime_engine::Job::Merge { inputs: vec![store.metas[0].id], level: 1 };
    Traces.run(&job, &[segment], &mut crate::memory::Sink::default(), &Stop::default())
}

fn get_lenient(snap: &Snapshot<Traces>, id: [u8; 16]) -> Result<(), Error> {
    trace_segments::get_trace(snap, id, &mut |_| Ok(()), &mut Cost::default()).map(drop)
}

fn is_honest(result: &Result<(), Error>) -> bool {
    matches!(result, Ok(()) | Err(Error::Corrupt { .. }))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_damaged_part_is_corrupt_and_nothing_worse(
        data in traces(),
        flips in proptest::collection::vec((0_usize..3, any::<prop::sample::Index>(), 1_u8..=255), 40),
        cuts in proptest::collection::vec((0_usize..3, any::<prop::sample::Index>()), 10),
    ) {
        let mut store = Store::new();
        store.put(&data);
        store.flush();
        prop_assume!(!store.metas.is_empty());
        let parts = store.parts(&store.metas[0]);
        prop_assert!(read(&store, parts.clone()).is_ok());
        std::panic::set_hook(Box::new(|_| {}));
        for (part, at, mask) in flips {
            let mut damaged = parts.clone();
            let mut bytes = damaged[part].to_vec();
            let at = at.index(bytes.len());
            bytes[at] ^= mask;
            damaged[part] = bytes.into();
            let result = read(&store, damaged);
            let _ = std::panic::take_hook();
            prop_assert!(is_honest(&result), "byte {at} of part {part}: {result:?}");
            std::panic::set_hook(Box::new(|_| {}));
        }
        for (part, len) in cuts.into_iter().filter(|(part, _)| *part != 1) {
            let mut damaged = parts.clone();
            damaged[part] = damaged[part].slice(..len.index(parts[part].len()));
            let result = read(&store, damaged);
            prop_assert!(matches!(result, Err(Error::Corrupt { .. })), "{result:?}");
        }
        let _ = std::panic::take_hook();
    }
}

#[test]
fn an_entry_of_the_manifest_that_does_not_fit_is_corrupt() {
    let mut store = Store::new();
    store.put(&prost::Message::decode(crate::head::record_of(vec![crate::head::plain_span(1)])).unwrap());
    store.flush();
    let meta = store.metas[0].clone();
    let parts = store.parts(&meta);
    let damaged = runtime_engine::ObjectMeta { extra: vec![9], ..meta.clone() };
    assert!(matches!(open(&damaged, parts.clone()), Err(Error::Corrupt { .. })));
    assert!(matches!(open(&meta, parts[..2].to_vec()), Err(Error::Corrupt { .. })));
    let swapped = vec![parts[2].clone(), parts[1].clone(), parts[0].clone()];
    assert!(matches!(open(&meta, swapped), Err(Error::Corrupt { .. })));
    assert_eq!(get(&store.snapshot(), trace_id(1)).unwrap().len(), 1);
}
