//! The skeleton against the whole trace: the same spans, adjusted alike, in the order of a waterfall.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::{Span, Status, TracesData};
use serde_json::Value;

use crate::stack::{S, Stack, attribute, sent_with, span, text};

const ROOT: u32 = u32::MAX;
const ORPHAN: u32 = u32::MAX - 1;

/// A decoded skeleton.
#[derive(Debug)]
struct Skeleton {
    header: Value,
    body: Vec<u8>,
}

impl Skeleton {
    fn read(bytes: &[u8]) -> Self {
        assert_eq!((&bytes[..4], &bytes[4..8]), (b"YCSK".as_slice(), [1, 0, 0, 0].as_slice()));
        let length = usize::try_from(u32::from_le_bytes(bytes[8..12].try_into().unwrap())).unwrap();
        assert_eq!((12 + length) % 8, 0);
        let header = serde_json::from_slice(&bytes[12..12 + length]).unwrap();
        Self { header, body: bytes[12 + length..].to_vec() }
    }

    fn column<const N: usize>(&self, name: &str, r#type: &str) -> Vec<[u8; N]> {
        let columns = self.header["columns"].as_array().unwrap();
        let column = columns.iter().find(|c| c["name"] == name).unwrap();
        assert_eq!(column["type"], r#type);
        let number = |key: &str| usize::try_from(column[key].as_u64().unwrap()).unwrap();
        assert_eq!(number("offset") % 8, 0);
        let bytes = &self.body[number("offset")..number("offset") + number("length")];
        bytes.chunks(N).map(|c| c.try_into().unwrap()).collect()
    }

    fn u32s(&self, name: &str) -> Vec<u32> {
        self.column(name, "u32").into_iter().map(u32::from_le_bytes).collect()
    }

    fn f64s(&self, name: &str) -> Vec<u64> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole numbers of a test"
        )]
        let whole = |bytes| f64::from_le_bytes(bytes) as u64;
        self.column(name, "f64").into_iter().map(whole).collect()
    }

    fn flags(&self) -> Vec<u8> {
        self.column::<1>("flags", "u8").into_iter().map(|[flags]| flags).collect()
    }

    fn ids(&self) -> Vec<String> {
        self.u32s("spanId").chunks(2).map(|c| format!("{:08x}{:08x}", c[0], c[1])).collect()
    }

    fn name(&self, list: &str, at: u32) -> String {
        self.header[list][usize::try_from(at).unwrap()].as_str().unwrap().to_owned()
    }

    /// What a row shows, as Jaeger's v1 would: id, parent, start and duration in µs, service, operation, error.
    fn shown(&self) -> Vec<(String, String, u64, u64, String, String, bool)> {
        let base: u64 = self.header["start"].as_str().unwrap().parse().unwrap();
        let (ids, parents) = (self.ids(), self.u32s("parent"));
        let (starts, durations) = (self.f64s("startNano"), self.f64s("durationNano"));
        let (services, operations, flags) = (self.u32s("service"), self.u32s("operation"), self.flags());
        let row = |at: usize| {
            let parent = match parents[at] {
                ROOT => "-".to_owned(),
                ORPHAN => "?".to_owned(),
                row => ids[usize::try_from(row).unwrap()].clone(),
            };
            let (start, lasts) = ((base + starts[at]) / 1000, durations[at] / 1000);
            let names = (self.name("services", services[at]), self.name("operations", operations[at]));
            (ids[at].clone(), parent, start, lasts, names.0, names.1, flags[at] & 8 != 0)
        };
        let mut rows: Vec<_> = (0..ids.len()).map(row).collect();
        rows.sort();
        rows
    }

    /// Every promise about places.
    fn assert_waterfall(&self) {
        let (parents, children, descendants) =
            (self.u32s("parent"), self.u32s("children"), self.u32s("descendants"));
        let depths: Vec<u16> = self.column("depth", "u16").into_iter().map(u16::from_le_bytes).collect();
        let (starts, ids) = (self.f64s("startNano"), self.ids());
        let mut last_child: BTreeMap<u32, (u64, String)> = BTreeMap::new();
        let mut counted = vec![0_u32; parents.len()];
        for (at, &parent) in parents.iter().enumerate() {
            let key = if parent >= ORPHAN { ROOT } else { parent };
            let here = (starts[at], ids[at].clone());
            assert!(last_child.get(&key).is_none_or(|before| *before <= here), "row {at} is out of order");
            last_child.insert(key, here);
            if parent >= ORPHAN {
                assert_eq!(depths[at], 0);
                continue;
            }
            let of = usize::try_from(parent).unwrap();
            assert!(of < at && at <= of + usize::try_from(descendants[of]).unwrap());
            assert_eq!(depths[at], depths[of] + 1);
            counted[of] += 1;
        }
        assert_eq!(counted, children);
        let count = |wanted: u32| parents.iter().filter(|p| **p == wanted).count();
        assert_eq!(self.header["roots"], count(ROOT));
        assert_eq!(self.header["orphans"], count(ORPHAN));
    }
}

async fn skeleton(stack: &Stack, id: u128, params: &str) -> Skeleton {
    let answer = stack.get(&format!("/api/yc/v1/traces/{id:x}/skeleton?{params}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("content-type"), Some("application/vnd.yc.skeleton.v1"));
    let skeleton = Skeleton::read(&answer.bytes);
    skeleton.assert_waterfall();
    skeleton
}

/// The same from the v1 answer; the parent of a span in a cycle is not told apart from any other there.
fn shown_by_v1(trace: &Value) -> Vec<(String, String, u64, u64, String, String, bool)> {
    let spans = trace["spans"].as_array().unwrap();
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let ids: Vec<String> = spans.iter().map(|s| text(&s["spanID"])).collect();
    let row = |s: &Value| {
        let parent = match s["references"][0]["spanID"].as_str() {
            None => "-".to_owned(),
            Some(parent) if ids.iter().any(|id| id == parent) => parent.to_owned(),
            Some(_) => "?".to_owned(),
        };
        let process = &trace["processes"][s["processID"].as_str().unwrap()];
        let failed = s["tags"].as_array().unwrap().iter().any(|t| t["key"] == "error");
        let times = (s["startTime"].as_u64().unwrap(), s["duration"].as_u64().unwrap());
        let names = (text(&process["serviceName"]), text(&s["operationName"]));
        (text(&s["spanID"]), parent, times.0, times.1, names.0, names.1, failed)
    };
    let mut rows: Vec<_> = spans.iter().map(row).collect();
    rows.sort();
    rows
}

/// Numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// A trace with everything odd in it: shared ids, duplicates, orphans, skewed clocks, spans that end before they start.
fn odd_trace(id: u128, numbers: &mut Numbers) -> Vec<TracesData> {
    let mut batches: Vec<TracesData> = Vec::new();
    for n in 1..=numbers.below(24) + 1 {
        let parent = match numbers.below(8) {
            0 => 0,
            1 => 99,
            // parents have smaller ids: no cycles, which v1 cannot show
            _ => numbers.below(n),
        };
        let start = 100 * S + numbers.below(5_000) * 1_000_000;
        let lasts = numbers.below(3_000) * 1_000_000;
        let status = (numbers.below(5) == 0).then(|| Status { code: 2, message: "no".into() });
        let mut one = Span {
            start_time_unix_nano: start,
            end_time_unix_nano: if numbers.below(10) == 0 { start - 1_000_000 } else { start + lasts },
            kind: i32::try_from(numbers.below(6)).unwrap(),
            name: format!("op{}", numbers.below(4)),
            status,
            attributes: vec![attribute("n", Any::IntValue(i64::try_from(n).unwrap()))],
            ..span(id, n, parent)
        };
        let host = format!("h{}", numbers.below(3));
        let service = format!("s{}", numbers.below(3));
        let resource = vec![attribute("service.name", text(&service)), attribute("host.name", text(&host))];
        batches.push(sent_with(resource.clone(), vec![one.clone()]));
        match numbers.below(9) {
            // sent twice
            0 => batches.push(sent_with(resource, vec![one])),
            // all that a row shows is equal, the content is not
            1 => {
                one.attributes.push(attribute("other", text("x")));
                batches.push(sent_with(resource, vec![one]));
            }
            // Zipkin's shared ids
            2 => {
                one.kind = if one.kind == 3 { 2 } else { 3 };
                batches.push(sent_with(resource, vec![one]));
            }
            _ => {}
        }
    }
    batches
}

#[tokio::test]
async fn a_skeleton_shows_the_spans_of_the_adjusted_trace() {
    for max in ["0s", "1h", "700ms"] {
        let stack = Stack::start(&[&format!("clock_skew_adjust_max={max}")]).await;
        for seed in 1..40_u64 {
            let id = u128::from(seed);
            let mut numbers = Numbers(seed);
            odd_trace(id, &mut numbers).into_iter().for_each(|batch| drop(stack.store.write(batch)));
            for params in ["", "raw=true"] {
                let (skeleton, trace) = (skeleton(&stack, id, params).await, stack.trace(id, params).await);
                assert_eq!(skeleton.shown(), shown_by_v1(&trace), "seed {seed} {max} {params}");
                let warned = |s: &&Value| !s["warnings"].is_null();
                let warned = trace["spans"].as_array().unwrap().iter().filter(warned).count();
                assert_eq!(skeleton.header["warnings"], warned, "seed {seed} {max} {params}");
            }
        }
    }
}

#[tokio::test]
async fn a_cycle_is_broken_at_its_earliest_span() {
    let stack = Stack::start(&[]).await;
    stack.store.write(sent_with(vec![], vec![span(1, 3, 2), span(1, 2, 3), span(1, 9, 9), span(1, 4, 3)]));
    let skeleton = skeleton(&stack, 1, "").await;
    let short: Vec<u64> = skeleton.ids().iter().map(|id| u64::from_str_radix(id, 16).unwrap()).collect();
    assert_eq!(short, [2, 3, 4, 9]);
    assert_eq!(skeleton.u32s("parent"), [ORPHAN, 0, 1, ORPHAN]);
}

#[tokio::test]
async fn the_critical_path_goes_back_through_what_ended_last() {
    let stack = Stack::start(&[]).await;
    let lasting = |n, parent, start: u64, end: u64| Span {
        start_time_unix_nano: start * S,
        end_time_unix_nano: end * S,
        ..span(1, n, parent)
    };
    let spans = vec![
        lasting(1, 0, 100, 200),
        // waited for, with a child of its own that fills it
        lasting(2, 1, 110, 150),
        lasting(3, 2, 110, 150),
        // waited for later, and beyond its parent
        lasting(4, 1, 160, 220),
        // beside the one before
        lasting(5, 1, 162, 180),
        // outside of its parent
        lasting(6, 1, 230, 240),
    ];
    stack.store.write(sent_with(vec![], spans));
    let skeleton = skeleton(&stack, 1, "").await;
    let on_path: Vec<String> = skeleton
        .ids()
        .into_iter()
        .zip(skeleton.flags())
        .filter(|(_, flags)| flags & 0x80 != 0)
        .map(|(id, _)| id.trim_start_matches('0').to_owned())
        .collect();
    assert_eq!(on_path, ["1", "3", "4"]);
}

#[tokio::test]
async fn a_deep_trace_and_one_that_is_cut_are_answered() {
    let stack = Stack::start(&["limits.skeleton_spans_max=5000"]).await;
    stack.store.write(sent_with(vec![], (1..=5_001).map(|n| span(1, n, n - 1)).collect()));
    let skeleton = skeleton(&stack, 1, "").await;
    assert_eq!(skeleton.header["spans"], 5_000);
    assert_eq!(skeleton.header["cut"], serde_json::json!({ "limit": 5_000, "found": 5_001 }));
    let depths: Vec<u16> = skeleton.column("depth", "u16").into_iter().map(u16::from_le_bytes).collect();
    assert_eq!(depths.last(), Some(&4_999));
    assert_eq!(stack.get("/api/yc/v1/traces/2/skeleton").await.status, 404);
}
