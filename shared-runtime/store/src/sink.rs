//! Where an engine's objects go: counted, registered as pending, and paced.
//!
//! Knows: parts being written and drafts added. Must not know: commits. Start at [`Sink`].

use std::io::{self, Write};

use runtime_engine::{Engine, Error, ObjectDraft, ObjectId, ObjectSink, PartMeta, PartWrite, Result};
use runtime_objects::ObjectWrite;

use crate::env::Env;
use crate::pace::Pace;

/// What one flush or merge wrote.
#[derive(Debug, Default)]
pub struct Written {
    /// Objects as the engine describes them.
    pub(crate) drafts: Vec<ObjectDraft>,
    /// Every stored part that was started.
    pub(crate) created: Vec<ObjectId>,
}

/// The sink of one flush or merge.
pub(crate) struct Sink<'a, E: Engine> {
    env: &'a Env<E>,
    epoch: u64,
    pace: Pace,
    written: Written,
}

impl<'a, E: Engine> Sink<'a, E> {
    pub(crate) fn new(env: &'a Env<E>, epoch: u64, pace: Pace) -> Self {
        Self { env, epoch, pace, written: Written::default() }
    }

    /// What was written; after an error, what is to be thrown away.
    pub(crate) fn into_written(self) -> Written {
        self.written
    }
}

impl<E: Engine> ObjectSink for Sink<'_, E> {
    fn create(&mut self, part: &'static str) -> Result<Box<dyn PartWrite>> {
        let out = self.env.objects.create(&self.env.of, self.epoch, extension(part))?;
        self.written.created.push(out.id());
        Ok(Box::new(Part { name: part, out, pace: self.pace.clone() }))
    }

    fn add(&mut self, draft: ObjectDraft) -> Result<()> {
        if draft.parts.is_empty() {
            return Err(Error::Invalid("an object without parts was added to a commit".to_owned()));
        }
        self.written.drafts.push(draft);
        Ok(())
    }

    fn breathe(&mut self) {
        self.pace.breathe();
    }
}

/// File name extension of a part: engines write parts that others read too.
fn extension(part: &str) -> &str {
    part.rsplit('.').next().unwrap_or(part)
}

struct Part {
    name: &'static str,
    out: Box<dyn ObjectWrite>,
    pace: Pace,
}

impl Write for Part {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.pace.breathe();
        self.out.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl PartWrite for Part {
    fn finish(self: Box<Self>) -> Result<PartMeta> {
        let id = self.out.id();
        let len_bytes = self.out.finish()?;
        Ok(PartMeta { name: self.name.to_owned(), id, len_bytes })
    }
}
