//! The seam: what the store runtime asks of traces.
//!
//! Knows: which room answers each call of [`Engine`]. Must not know: how any of them does it.

use std::sync::Arc;

use runtime_engine::{
    Applied, Edit, Engine, Job, ObjectMeta, ObjectSink, Offset, Policy, ReadAt, Record, Result, Stop, Time,
};

use crate::compact::{plan, run};
use crate::flush::flush;
use crate::{Head, Segment, View};

/// The engine of traces.
#[derive(Debug, Clone, Copy, Default)]
pub struct Traces;

impl Engine for Traces {
    type Object = Segment;
    type Head = Head;
    type View = View;

    fn head(&self, _live: &[Arc<Segment>], _before: Option<&Head>, limit_bytes: u64) -> Result<Head> {
        Ok(Head::new(limit_bytes))
    }

    fn apply(&self, head: &mut Head, at: Offset, record: Record<'_>) -> Result<Applied> {
        head.apply(at, record)
    }

    fn view(&self, head: &Head) -> View {
        head.view()
    }

    fn flush(&self, sealed: &Head, out: &mut dyn ObjectSink) -> Result<()> {
        flush(&sealed.view(), out)
    }

    fn open(&self, meta: &ObjectMeta, parts: &[Arc<dyn ReadAt>]) -> Result<Segment> {
        Segment::open(meta, parts)
    }

    fn plan(&self, live: &[ObjectMeta], _edits: &[Edit], policy: &Policy, now: Time) -> Option<Job> {
        plan(live, policy, now)
    }

    fn run(&self, job: &Job, inputs: &[Arc<Segment>], out: &mut dyn ObjectSink, stop: &Stop) -> Result<()> {
        match job {
            Job::Merge { level, .. } => run(*level, inputs, out, stop),
            Job::Expire { .. } => Ok(()),
        }
    }
}
