//! Manifests survive a round trip, notice every flipped bit, and keep what a later version wrote.

use runtime_engine::{Offset, PartMeta};

use super::*;

fn sample() -> Manifest {
    let meta = ObjectMeta {
        id: ObjectId(7),
        parts: vec![
            PartMeta { name: "spans".to_owned(), id: ObjectId(7), len_bytes: 1 << 40 },
            PartMeta { name: "traces".to_owned(), id: ObjectId(u128::MAX), len_bytes: 0 },
        ],
        level: 3,
        rows: 12,
        time_min: Time(5),
        time_max: Time(u64::MAX),
        write_time: Time(99),
        log_first: Offset(1),
        log_end: Offset(300),
        expires_at: Time(u64::MAX),
        extra: vec![0, 255],
    };
    Manifest {
        live: vec![Entry::new(meta), Entry::new(ObjectMeta::default())],
        edits: vec![Edit { matchers: vec![1], time_min: Time(1), time_max: Time(2), position: Offset(3) }],
        removed: vec![Removed { ids: vec![ObjectId(8), ObjectId(9)], since: Time(4), ..Removed::default() }],
        lost: vec![ObjectId(10)],
        unknown: Unknown(vec![(77, b"later".to_vec())]),
    }
}

#[test]
fn a_manifest_survives_a_round_trip_with_fields_of_a_later_version() {
    let mut m = sample();
    m.live[0].unknown = Unknown(vec![(1000, vec![1, 2])]);
    m.removed[0].unknown = Unknown(vec![(5, vec![])]);
    assert_eq!(Manifest::decode(&m.encode()).unwrap(), m);
    assert_eq!(Manifest::decode(&Manifest::default().encode()).unwrap(), Manifest::default());
}

#[test]
fn every_flipped_bit_and_every_cut_is_noticed() {
    let bytes = sample().encode();
    for bit in 0..bytes.len() * 8 {
        let mut bad = bytes.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(matches!(Manifest::decode(&bad), Err(ManifestError::Corrupt { .. })), "bit {bit}");
    }
    for len in 0..bytes.len() {
        assert!(
            matches!(Manifest::decode(&bytes[..len]), Err(ManifestError::Corrupt { .. })),
            "length {len}"
        );
    }
}

#[test]
fn another_format_is_refused_by_number() {
    let mut bytes = sample().encode();
    bytes[6] = 9;
    let body = bytes.len() - 4;
    let crc = crc32c::crc32c(&bytes[..body]);
    bytes[body..].copy_from_slice(&crc.to_le_bytes());
    let e = Manifest::decode(&bytes).unwrap_err();
    assert_eq!(e, ManifestError::Format { found: 9, supported: 1 });
}

#[test]
fn broken_fields_under_a_good_checksum_are_corrupt_and_never_panic() {
    let mut state = 1u64;
    for len in 0..2000usize {
        let mut w = wire::Writer::default();
        w.out.extend_from_slice(&MAGIC);
        w.out.extend_from_slice(&FORMAT.to_le_bytes());
        for _ in 0..len % 60 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            w.out.push(u8::try_from((state >> 33) % 32).unwrap());
        }
        let crc = crc32c::crc32c(&w.out);
        w.out.extend_from_slice(&crc.to_le_bytes());
        if let Ok(m) = Manifest::decode(&w.out) {
            assert_eq!(Manifest::decode(&m.encode()).unwrap(), m);
        }
    }
}

#[test]
fn what_leaves_the_live_set_waits_for_deletion_and_is_forgotten_once_deleted() {
    let m = sample();
    let next = m.with(vec![], &[ObjectId(7)], Time(50));
    assert!(next.live(ObjectId(7)).is_none());
    assert!(next.names(ObjectId(7)) && next.names(ObjectId(u128::MAX)) && next.names(ObjectId(10)));
    let mut last = next.clone();
    last.forget(&[ObjectId(7), ObjectId(8), ObjectId(9)].into());
    assert_eq!(last.removed.len(), 1);
    assert!(!last.names(ObjectId(7)) && last.names(ObjectId(u128::MAX)));
}
