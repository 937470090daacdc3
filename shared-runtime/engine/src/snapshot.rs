//! A consistent look at one partition.

use std::sync::Arc;

use crate::{Edit, Engine, Position};

/// Everything that a read of one partition sees: atomic, so that a record is in a head or in the object that the
/// head became, never in both and never in neither.
pub struct Snapshot<E: Engine> {
    /// Opened immutable objects, in manifest order.
    pub objects: Vec<Arc<E::Object>>,
    /// Looks at the head generations, oldest first.
    pub heads: Vec<E::View>,
    /// Deletes that hide rows.
    pub edits: Arc<[Edit]>,
    /// How far the snapshot reaches.
    pub position: Position,
    /// Objects of the manifest that could not be opened: answers are partial.
    pub quarantined: usize,
}

impl<E: Engine> Clone for Snapshot<E> {
    fn clone(&self) -> Self {
        Self {
            objects: self.objects.clone(),
            heads: self.heads.clone(),
            edits: Arc::clone(&self.edits),
            position: self.position,
            quarantined: self.quarantined,
        }
    }
}
