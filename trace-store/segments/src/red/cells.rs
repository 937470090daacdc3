//! Sums by key while they grow.
//!
//! Knows: keys as numbers, a quick hash for them. Must not know: what they stand for. Start at [`Cells`]; [`Ordinals`]
//! makes numbers of things.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use shared_proto::durations::Durations;

/// A hash of small keys of our own making: their number is bounded, so collisions that somebody contrives cost little.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        // the multiplication leaves the best bits on top, the table takes the lowest
        self.0.rotate_left(26)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_i32(&mut self, value: i32) {
        self.write_u32(value.cast_unsigned());
    }

    fn write_u64(&mut self, value: u64) {
        // 2^64 divided by the golden ratio
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

type Quick = BuildHasherDefault<Mix>;

/// Things by the order in which they were first seen.
#[derive(Debug)]
pub(crate) struct Ordinals<T> {
    items: Vec<T>,
    known: HashMap<T, u32, Quick>,
}

impl<T> Default for Ordinals<T> {
    fn default() -> Self {
        Self { items: Vec::new(), known: HashMap::default() }
    }
}

impl<T: Copy + Eq + Hash> Ordinals<T> {
    /// The ordinal of a thing, or of `full` once there are `max` others.
    pub(crate) fn of(&mut self, item: T, max: usize, full: T) -> (u32, bool) {
        if let Some(known) = self.known.get(&item) {
            return (*known, true);
        }
        if self.items.len() >= max && item != full {
            return (self.of(full, max, full).0, false);
        }
        let new = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        self.items.push(item);
        self.known.insert(item, new);
        (new, true)
    }

    /// The thing with an ordinal.
    pub(crate) fn get(&self, ordinal: u32) -> Option<T> {
        self.items.get(ordinal as usize).copied()
    }
}

/// One sum.
#[derive(Debug, Default)]
pub(crate) struct Cell {
    pub(crate) count: u64,
    pub(crate) duration_sum: u64,
    pub(crate) durations: Durations,
}

/// Where a sum belongs: an ordinal, a status and a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) ordinal: u32,
    pub(crate) status: i32,
    pub(crate) minute: u32,
}

/// Sums by place.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    at: HashMap<u64, u32, Quick>,
    cells: Vec<(Place, Cell)>,
}

impl Cells {
    /// The sum of a place; nothing once there are `max` others.
    pub(crate) fn get(&mut self, place: Place, max: usize) -> Option<&mut Cell> {
        // a status is below 4 and a minute below 2^29
        let status = u64::from(place.status.cast_unsigned() & 3);
        let key = u64::from(place.ordinal) << 32 | status << 30 | u64::from(place.minute);
        let at = match self.at.entry(key) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(_) if self.cells.len() >= max => return None,
            Entry::Vacant(new) => {
                let at = u32::try_from(self.cells.len()).ok()?;
                self.cells.push((place, Cell::default()));
                *new.insert(at)
            }
        };
        self.cells.get_mut(at as usize).map(|(_, cell)| cell)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Place, &Cell)> {
        self.cells.iter().map(|(place, cell)| (*place, cell))
    }
}

impl Cell {
    /// Counts one span.
    pub(crate) fn add(&mut self, duration: u64) {
        self.count += 1;
        self.duration_sum = self.duration_sum.saturating_add(duration);
        self.durations.add(duration);
    }

    /// Adds another sum.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.duration_sum = self.duration_sum.saturating_add(other.duration_sum);
        self.durations.merge(&other.durations);
    }
}
