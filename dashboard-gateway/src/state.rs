//! Documents as values: JSON in a collection, changed by compare-and-swap.
//!
//! Knows: serde, how often a lost race is tried again. Must not know: whose values they are. Start at [`Collection`].

use std::marker::PhantomData;
use std::sync::Arc;

use runtime_objects::{Document, Documents, DocumentsError, Put};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Lost races that are tried again: more mean that something else is wrong.
const TRIES_MAX: u32 = 16;
/// Documents fetched at once when all are listed.
const PAGE: usize = 256;

/// Why state cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    /// The medium failed.
    #[error(transparent)]
    Documents(#[from] DocumentsError),
    /// A document is not what this program writes.
    #[error("document {collection}/{key} cannot be read: {source}")]
    Unreadable {
        /// Where.
        collection: &'static str,
        /// Which.
        key: String,
        /// What serde said.
        source: serde_json::Error,
    },
    /// Others changed the same document again and again.
    #[error("document {collection}/{key} changed {TRIES_MAX} times under a change of ours")]
    Busy {
        /// Where.
        collection: &'static str,
        /// Which.
        key: String,
    },
    /// A hash, a secret or an id could not be made.
    #[error("{0}")]
    Making(String),
}

impl From<crate::digest::NoRandomness> for StateError {
    fn from(error: crate::digest::NoRandomness) -> Self {
        Self::Making(error.to_string())
    }
}

/// Values of one type, by key.
#[derive(Clone)]
pub(crate) struct Collection<T> {
    documents: Arc<dyn Documents>,
    name: &'static str,
    of: PhantomData<fn() -> T>,
}

impl<T: Serialize + DeserializeOwned> Collection<T> {
    /// The collection called `name`.
    pub(crate) fn new(documents: Arc<dyn Documents>, name: &'static str) -> Self {
        Self { documents, name, of: PhantomData }
    }

    /// The value at `key`.
    pub(crate) async fn get(&self, key: &str) -> Result<Option<T>, StateError> {
        Ok(self.versioned(key).await?.map(|(_, value)| value))
    }

    async fn versioned(&self, key: &str) -> Result<Option<(u64, T)>, StateError> {
        let found = self.documents.get(self.name, key).await?;
        found.map(|document| Ok((document.version, self.read(key, &document)?))).transpose()
    }

    /// Adds a value; `false` when there is one already.
    pub(crate) async fn create(&self, key: &str, value: &T) -> Result<bool, StateError> {
        let put = self.documents.put_if_version(self.name, key, 0, Some(self.write(key, value)?)).await?;
        Ok(put != Put::Conflict)
    }

    /// Changes the value at `key`: the changed value, `None` when there is none, or what `change` refused.
    pub(crate) async fn update<E>(
        &self,
        key: &str,
        mut change: impl FnMut(&mut T) -> Result<(), E>,
    ) -> Result<Result<Option<T>, E>, StateError> {
        for _ in 0..TRIES_MAX {
            let Some((version, mut value)) = self.versioned(key).await? else { return Ok(Ok(None)) };
            if let Err(refused) = change(&mut value) {
                return Ok(Err(refused));
            }
            let body = self.write(key, &value)?;
            if self.documents.put_if_version(self.name, key, version, Some(body)).await? != Put::Conflict {
                return Ok(Ok(Some(value)));
            }
        }
        Err(StateError::Busy { collection: self.name, key: key.to_owned() })
    }

    /// Removes the value at `key`; whether there was one.
    pub(crate) async fn remove(&self, key: &str) -> Result<bool, StateError> {
        for _ in 0..TRIES_MAX {
            let Some(document) = self.documents.get(self.name, key).await? else { return Ok(false) };
            let put = self.documents.put_if_version(self.name, key, document.version, None).await?;
            if put != Put::Conflict {
                return Ok(true);
            }
        }
        Err(StateError::Busy { collection: self.name, key: key.to_owned() })
    }

    /// Every value, in the order of the keys.
    pub(crate) async fn all(&self) -> Result<Vec<(String, T)>, StateError> {
        let mut out: Vec<(String, T)> = Vec::new();
        loop {
            let after = out.last().map_or("", |(key, _)| key.as_str());
            let page = self.documents.list(self.name, after, PAGE).await?;
            let full = page.len() == PAGE;
            for (key, document) in page {
                let value = self.read(&key, &document)?;
                out.push((key, value));
            }
            if !full {
                return Ok(out);
            }
        }
    }

    fn read(&self, key: &str, document: &Document) -> Result<T, StateError> {
        serde_json::from_slice(&document.body).map_err(|source| self.unreadable(key, source))
    }

    fn write(&self, key: &str, value: &T) -> Result<bytes::Bytes, StateError> {
        let body = serde_json::to_vec(value).map_err(|source| self.unreadable(key, source))?;
        Ok(body.into())
    }

    fn unreadable(&self, key: &str, source: serde_json::Error) -> StateError {
        StateError::Unreadable { collection: self.name, key: key.to_owned(), source }
    }
}

/// The next number of a sequence: ids that are never given twice.
pub(crate) async fn next_number(counters: &Collection<u64>, name: &str) -> Result<u64, StateError> {
    loop {
        let next = counters.update(name, |n| {
            *n += 1;
            Ok::<_, std::convert::Infallible>(())
        });
        if let Ok(Some(number)) = next.await? {
            return Ok(number);
        }
        if counters.create(name, &1).await? {
            return Ok(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use runtime_objects::MemoryDocuments;

    use super::*;

    #[tokio::test]
    async fn concurrent_changes_are_all_applied() {
        let counters = Collection::<u64>::new(Arc::new(MemoryDocuments::default()), "counters");
        let all = futures_util::future::join_all((0..8).map(|_| next_number(&counters, "users"))).await;
        let mut numbers: Vec<_> = all.into_iter().map(Result::unwrap).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=8).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn lists_are_complete_beyond_one_page() {
        let values = Collection::<usize>::new(Arc::new(MemoryDocuments::default()), "values");
        for n in 0..PAGE * 2 + 3 {
            assert!(values.create(&format!("{n:05}"), &n).await.unwrap());
        }
        let all: Vec<_> = values.all().await.unwrap().into_iter().map(|(_, n)| n).collect();
        assert_eq!(all, (0..PAGE * 2 + 3).collect::<Vec<_>>());
        assert!(values.remove("00007").await.unwrap() && !values.remove("00007").await.unwrap());
    }
}
