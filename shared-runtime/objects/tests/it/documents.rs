//! Documents: both media against one model, reopening, `kill -9`, foreign and damaged files.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use bytes::Bytes;
use proptest::prelude::*;
use runtime_objects::{BODY_BYTES_MAX, Documents, DocumentsError, MemoryDocuments, Put, SqliteDocuments};

/// Set in the child process of the `kill -9` test.
const CHILD_DIR: &str = "DOCUMENTS_CHILD_DIR";

fn block<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

#[derive(Debug, Clone)]
enum Op {
    /// Which key, which of the versions seen so far is expected (0: none), the body (none removes).
    Put(u8, usize, Option<u8>),
    Reopen,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let put = (0..4_u8, 0..4_usize, prop::option::of(any::<u8>())).prop_map(|(k, v, b)| Op::Put(k, v, b));
    prop::collection::vec(prop_oneof![20 => put, 1 => Just(Op::Reopen)], 1..60)
}

/// What the documents should hold, and which versions each had.
#[derive(Debug, Default)]
struct Model {
    documents: BTreeMap<String, (u64, Bytes)>,
    versions: BTreeMap<String, Vec<u64>>,
    newest: u64,
}

/// Applies `ops`, and compares every answer with the model.
async fn check(medium: &dyn Documents, model: &mut Model, ops: &[Op]) {
    for op in ops {
        if let Op::Put(key, back, body) = op {
            let key = format!("key{key}");
            let seen = model.versions.entry(key.clone()).or_default();
            let expect = if *back == 0 { 0 } else { seen.iter().rev().nth(back - 1).copied().unwrap_or(0) };
            let body = body.map(|b| Bytes::from(vec![b; usize::from(b)]));
            let now = model.documents.get(&key).map_or(0, |(version, _)| *version);
            let put = medium.put_if_version("a", &key, expect, body.clone()).await.unwrap();
            match (put, body) {
                (Put::Conflict, _) => assert_ne!(now, expect, "{key} was refused"),
                (Put::Done(0), None) => {
                    assert_eq!(now, expect);
                    model.documents.remove(&key);
                }
                (Put::Done(version), Some(body)) => {
                    assert_eq!(now, expect);
                    assert!(version > model.newest, "version {version} after {}", model.newest);
                    model.newest = version;
                    seen.push(version);
                    model.documents.insert(key, (version, body));
                }
                (done, body) => panic!("{done:?} for {body:?}"),
            }
        }
        let listed = medium.list("a", "", 100).await.unwrap();
        let listed: Vec<_> = listed.into_iter().map(|(k, d)| (k, (d.version, d.body))).collect();
        assert_eq!(listed, model.documents.clone().into_iter().collect::<Vec<_>>());
    }
}

fn open(dir: &Path) -> SqliteDocuments {
    block(SqliteDocuments::open(&dir.join("state.db"))).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn both_media_answer_as_a_map_with_versions(ops in ops()) {
        block(check(&MemoryDocuments::default(), &mut Model::default(), &ops));
        let dir = tempfile::tempdir().unwrap();
        let mut model = Model::default();
        for ops in ops.split(|op| matches!(op, Op::Reopen)) {
            let medium = open(dir.path());
            block(check(&medium, &mut model, ops));
            block(medium.close()).unwrap();
        }
    }
}

async fn pages(medium: &dyn Documents) {
    for n in 0..10 {
        let body = Some(Bytes::from(vec![n]));
        assert!(matches!(medium.put_if_version("b", &format!("{n}"), 0, body).await.unwrap(), Put::Done(_)));
    }
    let keys = async |after: &str, limit| {
        let page = medium.list("b", after, limit).await.unwrap();
        page.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
    };
    assert_eq!(keys("", 3).await, ["0", "1", "2"]);
    assert_eq!(keys("2", 3).await, ["3", "4", "5"]);
    assert_eq!(keys("9", 3).await, Vec::<String>::new());
    assert!(medium.list("c", "", 3).await.unwrap().is_empty());
    assert!(medium.get("a", "0").await.unwrap().is_none(), "collections are apart");
    let too_long = Bytes::from(vec![0; BODY_BYTES_MAX + 1]);
    let refused = medium.put_if_version("b", "x", 0, Some(too_long)).await;
    assert!(matches!(refused, Err(DocumentsError::TooLong { what: "body", .. })), "{refused:?}");
    let refused = medium.put_if_version("b", &"x".repeat(600), 0, None).await;
    assert!(matches!(refused, Err(DocumentsError::TooLong { what: "key", .. })), "{refused:?}");
}

#[test]
fn lists_come_in_pages_and_what_is_too_long_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    block(pages(&MemoryDocuments::default()));
    block(pages(&open(dir.path())));
}

#[test]
fn a_second_process_is_told_that_the_file_is_in_use() {
    let dir = tempfile::tempdir().unwrap();
    let held = open(dir.path());
    let refused = block(SqliteDocuments::open(&dir.path().join("state.db"))).unwrap_err();
    assert!(matches!(refused, DocumentsError::InUse { .. }), "{refused}");
    assert!(refused.to_string().contains("in use by another process"), "{refused}");
    drop(held);
}

#[test]
fn foreign_and_damaged_files_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.db");
    std::fs::write(&path, "not a database, but long enough to be taken for something of this kind").unwrap();
    let refused = block(SqliteDocuments::open(&path)).unwrap_err();
    assert!(
        matches!(refused, DocumentsError::Foreign { .. }) && refused.to_string().contains("state.db"),
        "{refused}"
    );
}

#[test]
fn a_changed_byte_is_found_by_the_checksum() {
    let dir = tempfile::tempdir().unwrap();
    let secret = "a text that stands in the file as it is";
    let documents = open(dir.path());
    block(documents.put_if_version("a", "k", 0, Some(Bytes::from(secret)))).unwrap();
    // closing moves everything from the WAL into the file
    block(documents.close()).unwrap();
    let path = dir.path().join("state.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let found = bytes.windows(secret.len()).position(|w| w == secret.as_bytes());
    let at = found.expect("the body stands in the file");
    bytes[at] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let read = block(open(dir.path()).get("a", "k"));
    assert!(matches!(read, Err(DocumentsError::Damaged { .. })), "{read:?}");
}

/// Not a test by itself: writes until it is killed, when its parent says so.
#[test]
fn child_that_writes_until_it_is_killed() {
    let Some(dir) = std::env::var_os(CHILD_DIR) else { return };
    let documents = open(Path::new(&dir));
    block(async {
        for n in 0_u64.. {
            let body = Some(Bytes::from(n.to_be_bytes().to_vec()));
            let expect = documents.get("a", "counter").await.unwrap().map_or(0, |d| d.version);
            documents.put_if_version("a", "counter", expect, body.clone()).await.unwrap();
            documents.put_if_version("b", &format!("{n:08}"), 0, body).await.unwrap();
            println!("acknowledged {n}");
        }
    });
}

#[test]
fn kill_minus_9_loses_nothing_that_was_acknowledged() {
    for round in 0..5 {
        let dir = tempfile::tempdir().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["documents::child_that_writes_until_it_is_killed", "--exact", "--nocapture"])
            .env(CHILD_DIR, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut acknowledged = None;
        for line in lines.map_while(Result::ok) {
            if let Some(n) = line.split("acknowledged ").nth(1).and_then(|n| n.trim().parse::<u64>().ok()) {
                acknowledged = Some(n);
                if n == 20 + round * 7 {
                    child.kill().unwrap();
                }
            }
        }
        child.wait().unwrap();
        let last = acknowledged.expect("the child wrote something");
        assert!(last >= 20 + round * 7);
        let documents = open(dir.path());
        let counter = block(documents.get("a", "counter")).unwrap().unwrap();
        let counter = u64::from_be_bytes(counter.body.as_ref().try_into().unwrap());
        assert!((last..=last + 1).contains(&counter), "the counter is {counter}, acknowledged was {last}");
        let rows = block(documents.list("b", "", 10_000)).unwrap();
        let expect: Vec<_> = (0..u64::try_from(rows.len()).unwrap()).map(|n| format!("{n:08}")).collect();
        assert_eq!(rows.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>(), expect);
        assert!(u64::try_from(rows.len()).unwrap() > last);
    }
}
