//! Boundaries are functions of the log; a root's offset drops whole generations or asks for a rebuild.

use runtime_engine::Snapshot;

use super::*;
use crate::toy::{Toy, payload};

const LIMITS: Limits =
    Limits { generation_bytes: 32, generation_age: Duration::from_nanos(100), head_bytes: 160 };

fn empty(at: u64) -> Generations<Toy> {
    Generations::new(&Toy, &[], Offset(at), LIMITS).unwrap()
}

/// Applies records of (offset, time, count of numbers).
fn apply(g: &mut Generations<Toy>, records: &[(u64, u64, u64)]) {
    for &(at, time, n) in records {
        let payload = payload(&(0..n).collect::<Vec<_>>());
        let r = Record { time: Time(time), tenant: "default", encoding: 1, payload: &payload };
        g.apply(&Toy, &[], Offset(at), r).unwrap();
        g.advance(Offset(at + 1));
    }
}

/// First offset, end and records of each sealed generation, then the first offset of the open one.
fn boundaries(g: &Generations<Toy>) -> (Vec<(u64, u64)>, u64) {
    (g.sealed.iter().map(|s| (s.span.first.0, s.end.0)).collect(), g.open.span.first.0)
}

#[test]
fn a_generation_ends_before_the_record_that_would_pass_its_bytes() {
    let mut g = empty(0);
    apply(&mut g, &[(3, 1, 2), (4, 1, 2), (9, 1, 1), (12, 1, 4)]);
    assert_eq!(boundaries(&g), (vec![(0, 9), (9, 12)], 12));
}

#[test]
fn a_generation_ends_at_its_age_whichever_way_the_clock_jumps() {
    let mut g = empty(0);
    apply(&mut g, &[(0, 1000, 1), (1, 1099, 1), (2, 1100, 1), (3, 1000, 1), (4, 1, 1)]);
    // 1100 → 1000 is a jump back by 100, 1000 → 1 by 999
    assert_eq!(boundaries(&g), (vec![(0, 2), (2, 3), (3, 4)], 4));
}

#[test]
fn a_full_head_ends_the_generation_and_a_record_beyond_any_head_is_refused() {
    let wide = Limits { generation_bytes: 1 << 20, ..LIMITS };
    let mut g = Generations::<Toy>::new(&Toy, &[], Offset(0), wide).unwrap();
    apply(&mut g, &[(0, 1, 6), (1, 1, 4), (2, 1, 1)]);
    assert_eq!(boundaries(&g), (vec![(0, 2)], 2));
    let payload = payload(&[0; 11]);
    let r = Record { time: Time(1), tenant: "default", encoding: 1, payload: &payload };
    let e = g.apply(&Toy, &[], Offset(3), r).unwrap_err();
    assert_eq!(e.to_string(), "corrupt log record 3: 88 bytes do not fit into an empty head");
}

#[test]
fn a_root_drops_whole_generations_and_asks_for_a_rebuild_inside_one() {
    let filled = || {
        let mut g = empty(0);
        apply(&mut g, &[(3, 1, 4), (6, 1, 4), (9, 1, 1)]);
        g.advance(Offset(20));
        assert_eq!(boundaries(&g), (vec![(0, 6), (6, 9)], 9));
        g
    };
    // (root's offset, generations left, or none for a rebuild)
    for (to, left) in [
        (0, Some(3)),
        (3, Some(3)),
        (4, Some(2)),
        (6, Some(2)),
        (7, Some(1)),
        (9, Some(1)),
        (10, None),
        (21, None),
    ] {
        let mut g = filled();
        assert_eq!(g.pass(Offset(to), false).then_some(g.len()), left, "offset {to}");
    }
    let mut idle = empty(0);
    idle.advance(Offset(50));
    assert!(idle.pass(Offset(40), false) && idle.open.span.first == Offset(40));
}

#[test]
fn objects_are_committed_only_where_no_record_is_missing_or_doubled() {
    let mut g = empty(5);
    apply(&mut g, &[(8, 1, 1), (9, 1, 1)]);
    let fits: Vec<u64> = (0..12).filter(|o| g.open.span.begins_at(Offset(*o))).collect();
    assert_eq!(fits, [5, 6, 7, 8]);
}

#[test]
fn views_show_every_generation_that_holds_a_record() {
    let mut g = empty(0);
    apply(&mut g, &[(0, 1, 4), (1, 1, 3)]);
    let snap = Snapshot::<Toy> {
        objects: Vec::new(),
        heads: g.views(&Toy),
        edits: Arc::from([]),
        position: runtime_engine::Position::default(),
        quarantined: 0,
    };
    assert_eq!(crate::toy::numbers(&snap), [0, 0, 1, 1, 2, 2, 3]);
    assert!(g.seal(&Toy, &[], Offset(2)).unwrap() && !g.seal(&Toy, &[], Offset(2)).unwrap());
    assert_eq!(g.views(&Toy).len(), 2);
}
