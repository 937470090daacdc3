//! A store of one partition in memory: just enough to drive the engine.

use std::collections::HashMap;
use std::io::{self, Write};
use std::ops::Range;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use opentelemetry_proto::tonic::trace::v1::TracesData;
use prost::Message;
use runtime_engine::{
    Applied, Engine, Job, ObjectDraft, ObjectId, ObjectMeta, ObjectSink, Offset, PartMeta, PartWrite,
    Position, ReadAt, Record, Result, Snapshot, Stop, Time,
};
use trace_segments::{Cost, Head, SearchQuery, Segment, Traces};

type Stored = Arc<Mutex<HashMap<ObjectId, Bytes>>>;

#[derive(Default)]
pub(crate) struct Sink {
    pub(crate) stored: Stored,
    pub(crate) added: Vec<ObjectDraft>,
    next_id: u128,
}

struct Part {
    stored: Stored,
    name: &'static str,
    id: ObjectId,
    bytes: Vec<u8>,
}

impl Write for Part {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl PartWrite for Part {
    fn finish(self: Box<Self>) -> Result<PartMeta> {
        let meta = PartMeta { name: self.name.into(), id: self.id, len_bytes: self.bytes.len() as u64 };
        self.stored.lock().unwrap().insert(self.id, self.bytes.into());
        Ok(meta)
    }
}

impl ObjectSink for Sink {
    fn create(&mut self, name: &'static str) -> Result<Box<dyn PartWrite>> {
        self.next_id += 1;
        let id = ObjectId(self.next_id);
        Ok(Box::new(Part { stored: Arc::clone(&self.stored), name, id, bytes: Vec::new() }))
    }

    fn add(&mut self, draft: ObjectDraft) -> Result<()> {
        self.added.push(draft);
        Ok(())
    }
}

pub(crate) struct Memory(pub(crate) Bytes);

impl ReadAt for Memory {
    fn len_bytes(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_ranges(&self, ranges: &[Range<u64>]) -> io::Result<Vec<Bytes>> {
        let read = |r: &Range<u64>| {
            let range = usize::try_from(r.start).unwrap()..usize::try_from(r.end).unwrap();
            if range.start > range.end || range.end > self.0.len() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            Ok(self.0.slice(range))
        };
        ranges.iter().map(read).collect()
    }
}

/// Heads, objects and their metadata.
pub(crate) struct Store {
    pub(crate) sink: Sink,
    pub(crate) heads: Vec<Head>,
    pub(crate) metas: Vec<ObjectMeta>,
    offset: u64,
}

impl Store {
    pub(crate) fn new() -> Self {
        let head = Traces.head(&[], None, u64::MAX).unwrap();
        Self { sink: Sink::default(), heads: vec![head], metas: Vec::new(), offset: 0 }
    }

    pub(crate) fn put(&mut self, data: &TracesData) {
        let payload = Bytes::from(data.encode_to_vec());
        let record = Record { time: Time(0), tenant: "default", encoding: 1, payload: &payload };
        let applied = Traces.apply(self.heads.last_mut().unwrap(), Offset(self.offset), record).unwrap();
        assert!(matches!(applied, Applied::Taken { .. }));
        self.offset += 1;
    }

    pub(crate) fn seal(&mut self) {
        self.heads.push(Traces.head(&[], None, u64::MAX).unwrap());
    }

    pub(crate) fn flush(&mut self) {
        for head in std::mem::take(&mut self.heads) {
            Traces.flush(&head, &mut self.sink).unwrap();
        }
        self.commit();
        self.seal();
    }

    pub(crate) fn merge_all(&mut self) {
        let inputs = self.objects();
        let ids = self.metas.iter().map(|meta| meta.id).collect();
        let job = Job::Merge { inputs: ids, level: 1 };
        Traces.run(&job, &inputs, &mut self.sink, &Stop::default()).unwrap();
        self.metas.clear();
        self.commit();
    }

    pub(crate) fn commit(&mut self) {
        for draft in self.sink.added.drain(..) {
            self.metas.push(ObjectMeta {
                id: draft.parts[0].id,
                parts: draft.parts,
                level: draft.level,
                rows: draft.rows,
                time_min: draft.time_min,
                time_max: draft.time_max,
                extra: draft.extra,
                ..ObjectMeta::default()
            });
        }
    }

    pub(crate) fn parts(&self, meta: &ObjectMeta) -> Vec<Bytes> {
        let stored = self.sink.stored.lock().unwrap();
        meta.parts.iter().map(|part| stored[&part.id].clone()).collect()
    }

    pub(crate) fn objects(&self) -> Vec<Arc<Segment>> {
        let open = |meta: &ObjectMeta| Arc::new(open(meta, self.parts(meta)).unwrap());
        self.metas.iter().map(open).collect()
    }

    pub(crate) fn snapshot(&self) -> Snapshot<Traces> {
        Snapshot {
            objects: self.objects(),
            heads: self.heads.iter().map(|head| Traces.view(head)).collect(),
            edits: Arc::from([]),
            position: Position::default(),
            quarantined: 0,
        }
    }
}

pub(crate) fn open(meta: &ObjectMeta, parts: Vec<Bytes>) -> Result<Segment> {
    let parts: Vec<Arc<dyn ReadAt>> =
        parts.into_iter().map(|p| Arc::new(Memory(p)) as Arc<dyn ReadAt>).collect();
    Traces.open(meta, &parts)
}

pub(crate) fn get(snap: &Snapshot<Traces>, trace_id: [u8; 16]) -> Result<Vec<TracesData>> {
    let mut pieces = Vec::new();
    let mut emit = |bytes: Bytes| {
        pieces.push(TracesData::decode(bytes).unwrap());
        Ok(())
    };
    let found = trace_segments::get_trace(snap, trace_id, &mut emit, &mut Cost::default())?;
    assert_eq!(found, !pieces.is_empty());
    Ok(pieces)
}

pub(crate) fn search(snap: &Snapshot<Traces>, query: &SearchQuery) -> Vec<(u64, [u8; 16])> {
    trace_segments::search(snap, query, &Stop::default(), &mut Cost::default()).unwrap()
}
