//! Reading under a clock that the test moves: slow clients, steps of admission, exact framing.

use std::convert::Infallible;
use std::sync::Arc;

use futures_util::{StreamExt, stream};

use super::*;
use crate::admission::{Admission, Budget};
use crate::metrics::Number;

/// A body that yields `pieces`, one every `pause`.
fn paced(pieces: Vec<Bytes>, pause: Duration) -> Body {
    Body::from_stream(stream::iter(pieces).then(move |piece| async move {
        tokio::time::sleep(pause).await;
        Ok::<_, Infallible>(piece)
    }))
}

fn budget(bytes: u64) -> (Lease, Number) {
    let used = Number::default();
    let mut admission = Admission::default();
    admission.add(Arc::new(Budget::new(bytes, used.clone())));
    (admission.lease(), used)
}

#[tokio::test(start_paused = true)]
async fn a_client_that_trickles_is_cut_off_and_one_that_makes_progress_is_not() {
    let (mut lease, _) = budget(1 << 20);
    let begin = Instant::now();
    let trickle = paced(vec![Bytes::from_static(b"x"); 100], Duration::from_secs(1));
    let failed = Reader::new(trickle, 1 << 20, &mut lease).all().await.unwrap_err();
    assert!(matches!(failed, Failed::TooSlow), "{failed:?}");
    assert_eq!(begin.elapsed(), PROGRESS_TIME);
    let (mut lease, _) = budget(1 << 20);
    let steady = paced(vec![Bytes::from(vec![7; PROGRESS_BYTES]); 20], Duration::from_secs(20));
    let body = Reader::new(steady, 1 << 20, &mut lease).all().await.unwrap();
    assert_eq!(body.len(), 20 * PROGRESS_BYTES);
}

#[tokio::test]
async fn bytes_of_unknown_number_are_admitted_in_steps_and_announced_ones_at_once() {
    let (mut lease, used) = budget(1 << 20);
    let pieces = vec![Bytes::from(vec![1; 100]); 3];
    Reader::new(paced(pieces.clone(), Duration::ZERO), 1 << 20, &mut lease).all().await.unwrap();
    assert_eq!(used.get(), 64 << 10);
    drop(lease);
    assert_eq!(used.get(), 0);
    let (mut lease, used) = budget(1 << 20);
    let mut reader = Reader::new(paced(pieces, Duration::ZERO), 1 << 20, &mut lease);
    reader.announce(300).unwrap();
    assert_eq!(reader.all().await.unwrap().len(), 300);
    assert_eq!(used.get(), 300);
    let (mut lease, used) = budget(100 << 10);
    let large = paced(vec![Bytes::from(vec![1; 60 << 10]); 3], Duration::ZERO);
    let failed = Reader::new(large, 1 << 20, &mut lease).all().await.unwrap_err();
    assert!(matches!(&failed, Failed::Refused(status) if status.kind == Kind::Unavailable), "{failed:?}");
    drop(lease);
    assert_eq!(used.get(), 0);
}

#[tokio::test]
async fn frames_are_cut_and_joined_exactly_wherever_the_transport_cuts() {
    let whole: Vec<u8> = (0..=255).collect();
    for size in [1, 2, 3, 5, 7, 64, 255, 256] {
        let pieces = whole.chunks(size).map(Bytes::copy_from_slice).collect();
        let (mut lease, _) = budget(1 << 20);
        let mut reader = Reader::new(paced(pieces, Duration::ZERO), 1 << 20, &mut lease);
        let mut got = Vec::new();
        for length in [5, 0, 100, 1, 149] {
            got.extend_from_slice(&reader.exactly(length).await.unwrap().unwrap());
        }
        assert_eq!(got, whole[..255], "in pieces of {size}");
        assert!(!reader.at_end().await.unwrap());
        assert_eq!(reader.exactly(1).await.unwrap().unwrap(), whole[255..]);
        assert!(reader.at_end().await.unwrap());
        assert!(reader.exactly(1).await.unwrap().is_none());
    }
}
