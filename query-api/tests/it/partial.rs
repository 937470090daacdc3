//! What an answer says when not every partition answered, and how positions are waited for.

use shared_proto::hash::partition_of;
use tonic::Status;

use crate::memory_store::{Behaviour, PARTITIONS};
use crate::stack::{Stack, sent, span};

/// A trace id that falls into `partition`.
fn id_in(partition: u32) -> u128 {
    (1..).find(|id: &u128| partition_of(&id.to_be_bytes(), PARTITIONS) == partition).unwrap()
}

/// One trace in every partition.
async fn filled(sets: &[&str]) -> Stack {
    let stack = Stack::start(sets).await;
    for partition in 0..PARTITIONS {
        let service = format!("s{partition}");
        stack.store.write(sent(&service, vec![span(id_in(partition), u64::from(partition) + 1, 0)]));
    }
    stack
}

const SEARCH: &str = "/api/traces?start=0&end=1000000000&limit=10";

#[tokio::test]
async fn a_whole_answer_carries_no_mark() {
    let stack = filled(&[]).await;
    for path in ["/api/services", SEARCH, "/api/operations?service=s1", "/api/v3/services"] {
        let answer = stack.get(path).await;
        assert_eq!((answer.status, answer.header("x-yc-partial")), (200, None), "{path}");
    }
    let services = stack.get("/api/services").await.json();
    assert_eq!(services["data"], serde_json::json!(["s0", "s1", "s2", "s3"]));
    assert_eq!((&services["total"], &services["errors"]), (&4.into(), &serde_json::Value::Null));
}

#[tokio::test]
async fn a_silent_partition_makes_an_answer_partial_never_an_absence() {
    let stack = filled(&["timeouts.read=300ms"]).await;
    stack.store.behave(2, Behaviour { silent: true, ..Behaviour::default() });

    let services = stack.get("/api/services").await;
    assert_eq!((services.status, services.header("x-yc-partial")), (200, Some("traces/2=silent")));
    assert_eq!(services.json()["data"], serde_json::json!(["s0", "s1", "s3"]));
    let error = serde_json::json!([{"code": 206, "msg": "partial answer: traces/2=silent"}]);
    assert_eq!(services.json()["errors"], error);

    let search = stack.get(SEARCH).await;
    assert_eq!((search.status, search.header("x-yc-partial")), (200, Some("traces/2=silent")));
    assert_eq!(search.json()["data"].as_array().unwrap().len(), 3);
    assert_eq!(search.json()["errors"], error);

    let found = stack.get(&format!("/api/traces/{:x}", id_in(1))).await;
    assert_eq!((found.status, found.header("x-yc-partial")), (200, Some("traces/2=silent")));
    for path in ["/api/traces", "/api/v3/traces"] {
        let missed = stack.get(&format!("{path}/{:x}", id_in(2))).await;
        assert_eq!((missed.status, missed.header("retry-after")), (503, Some("1")), "{path}");
        assert_eq!(missed.header("x-yc-partial"), Some("traces/2=silent"), "{path}");
        assert!(missed.text.contains("partial: traces/2=silent"), "{}", missed.text);
    }
}

#[tokio::test]
async fn an_absence_is_certain_unless_waiting_could_mend_it() {
    let stack = filled(&[]).await;
    let check = async |partial: &'static str, status: u16| {
        stack.store.behave(0, Behaviour { partial, ..Behaviour::default() });
        let missed = stack.get("/api/traces/fff").await;
        assert_eq!(missed.status, status, "{partial}");
        let mark = (!partial.is_empty()).then(|| format!("traces/0={partial}"));
        assert_eq!(missed.header("x-yc-partial"), mark.as_deref());
    };
    check("", 404).await;
    check("replaying", 503).await;
    check("lagging", 503).await;
    check("quarantined", 404).await;
}

#[tokio::test]
async fn no_partition_at_all_is_unavailable_and_says_which_store() {
    let stack = filled(&[]).await;
    for partition in 0..PARTITIONS {
        let refuses = Some(Status::unavailable("disk on fire"));
        stack.store.behave(partition, Behaviour { refuses, ..Behaviour::default() });
    }
    for path in ["/api/services", "/api/traces/1", SEARCH, "/api/v3/services"] {
        let answer = stack.get(path).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")), "{path}");
        assert!(answer.text.contains("trace-store 127.0.0.1:17281: disk on fire"), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_read_waits_for_the_position_of_a_write() {
    let stack = filled(&[]).await;
    let id = id_in(3);
    let late = async {
        stack.store.has_a_waiting_read().await;
        stack.store.write(sent("late", vec![span(id, 77, 0)]))
    };
    let path = format!("/api/traces/{id:x}");
    let (answer, written) =
        tokio::join!(stack.get_with(&path, &[("x-yc-position", "traces/3@1,metrics/9@9")]), late);
    assert_eq!(written, [(3, 1)]);
    assert_eq!(answer.json()["data"][0]["spans"].as_array().unwrap().len(), 2);
    assert_eq!(stack.get(&format!("{path}?min-position=traces/3@1")).await.status, 200);
}

#[tokio::test]
async fn a_position_that_is_not_reached_or_not_one_is_refused_by_name() {
    let stack = filled(&["timeouts.position=50ms"]).await;
    let check = async |position: &str, status: u16, expect: &str| {
        for path in
            ["/api/services", SEARCH, "/api/traces/1", "/api/v3/traces/1", "/api/operations?service=s1"]
        {
            let answer = stack.get_with(path, &[("x-yc-position", position)]).await;
            assert_eq!(answer.status, status, "{path} {position}: {}", answer.text);
            assert!(answer.text.contains(expect), "{}", answer.text);
        }
    };
    check("traces/1@5", 412, "position 6 not reached, partition is at 1").await;
    check("traces/4@0", 400, "position names partition 4, the store has 4").await;
    check("traces/x", 400, "`traces/x` is not a position").await;
}
