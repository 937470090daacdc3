//! An engine that panics: the store says so instead of looking alive.

use std::sync::{Arc, mpsc};

use runtime_engine::{
    Applied, Edit, Engine, Job, ObjectMeta, ObjectSink, Offset, Partition, Policy, ReadAt, Record, Result,
    Stop, Time,
};
use runtime_files::sim::SimFiles;
use runtime_store::Store;
use runtime_store::toy::{Toy, payload};

use crate::node;
use crate::shell::{LONG, log_config, media, record, until};

/// A toy that panics at one number.
struct Fragile;

impl Engine for Fragile {
    type Object = <Toy as Engine>::Object;
    type Head = <Toy as Engine>::Head;
    type View = <Toy as Engine>::View;

    fn head(
        &self,
        live: &[Arc<Self::Object>],
        before: Option<&Self::Head>,
        limit_bytes: u64,
    ) -> Result<Self::Head> {
        Toy.head(live, before, limit_bytes)
    }

    fn apply(&self, head: &mut Self::Head, at: Offset, record: Record<'_>) -> Result<Applied> {
        assert_ne!(*record.payload, payload(&[13]), "the panic of this test");
        Toy.apply(head, at, record)
    }

    fn view(&self, head: &Self::Head) -> Self::View {
        Toy.view(head)
    }

    fn flush(&self, sealed: &Self::Head, out: &mut dyn ObjectSink) -> Result<()> {
        Toy.flush(sealed, out)
    }

    fn open(&self, meta: &ObjectMeta, parts: &[Arc<dyn ReadAt>]) -> Result<Self::Object> {
        Toy.open(meta, parts)
    }

    fn plan(&self, live: &[ObjectMeta], edits: &[Edit], policy: &Policy, now: Time) -> Option<Job> {
        Toy.plan(live, edits, policy, now)
    }

    fn run(
        &self,
        job: &Job,
        inputs: &[Arc<Self::Object>],
        out: &mut dyn ObjectSink,
        stop: &Stop,
    ) -> Result<()> {
        Toy.run(job, inputs, out, stop)
    }
}

#[test]
fn a_store_whose_thread_died_takes_no_more_appends() {
    let files = SimFiles::new(15);
    let store = Store::open(Fragile, node::config(&[]), media(&files, log_config())).unwrap();
    let (tell, told) = mpsc::channel();
    store.append(vec![record(0, &[13])], Box::new(move |r| tell.send(r.is_ok()).unwrap()));
    assert!(told.recv_timeout(LONG).unwrap());
    until("the alarm", || store.ready_to_write().is_err());
    assert_eq!(store.stats().refusing, Some("a thread of the store died"));
    // the other partition is still read
    assert_eq!(store.snapshot(Partition(1)).quarantined, 0);
}
