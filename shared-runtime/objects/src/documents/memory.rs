//! Documents in memory, for tests and as the model that the real medium is checked against.
//!
//! Knows: one ordered map. Must not know: files.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};

use super::{Document, Documents, DocumentsError, Put, check};

/// Documents in memory; clones share them.
#[derive(Debug, Clone, Default)]
pub struct MemoryDocuments(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    documents: BTreeMap<(String, String), Document>,
    last_version: u64,
}

impl MemoryDocuments {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(
        &self,
        collection: &str,
        key: &str,
        expect: u64,
        body: Option<Bytes>,
    ) -> Result<Put, DocumentsError> {
        check(key, body.as_ref())?;
        let mut state = self.lock();
        let at = (collection.to_owned(), key.to_owned());
        if state.documents.get(&at).map_or(0, |d| d.version) != expect {
            return Ok(Put::Conflict);
        }
        let Some(body) = body else {
            state.documents.remove(&at);
            return Ok(Put::Done(0));
        };
        state.last_version += 1;
        let version = state.last_version;
        state.documents.insert(at, Document { version, body });
        Ok(Put::Done(version))
    }
}

impl Documents for MemoryDocuments {
    fn get<'a>(
        &'a self,
        collection: &'a str,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<Document>, DocumentsError>> {
        let found = self.lock().documents.get(&(collection.to_owned(), key.to_owned())).cloned();
        ready(Ok(found)).boxed()
    }

    fn put_if_version<'a>(
        &'a self,
        collection: &'a str,
        key: &'a str,
        expect: u64,
        body: Option<Bytes>,
    ) -> BoxFuture<'a, Result<Put, DocumentsError>> {
        ready(self.put(collection, key, expect, body)).boxed()
    }

    fn list<'a>(
        &'a self,
        collection: &'a str,
        after: &'a str,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<(String, Document)>, DocumentsError>> {
        let state = self.lock();
        let from = Bound::Excluded((collection.to_owned(), after.to_owned()));
        let rest = state.documents.range((from, Bound::Unbounded));
        let own = rest.take_while(|((of, _), _)| of == collection);
        let page = own.take(limit).map(|((_, key), document)| (key.clone(), document.clone())).collect();
        ready(Ok(page)).boxed()
    }
}
