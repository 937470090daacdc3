//! Rows put in the order of a waterfall: depth first, children by start.
//!
//! Knows: parents by id. Must not know: what a row shows. Start at [`arrange`].

use std::collections::HashMap;

use super::{Note, ORPHAN, ROOT, Row, Skeleton};

const NONE: u32 = u32::MAX;

/// Children of rows, as runs of one list.
struct Children {
    /// Where the run of a row begins; one more than there are rows.
    begins: Vec<usize>,
    list: Vec<u32>,
}

impl Children {
    fn of(&self, row: u32) -> &[u32] {
        let at = usize::try_from(row).unwrap_or(usize::MAX);
        let (from, to) = (self.begins.get(at), self.begins.get(at.saturating_add(1)));
        from.zip(to).and_then(|(from, to)| self.list.get(*from..*to)).unwrap_or_default()
    }
}

fn at(row: u32) -> usize {
    usize::try_from(row).unwrap_or(usize::MAX)
}

/// Puts the rows of a skeleton in order and fills in what tells of their place. Parents may form a cycle: it is broken
/// at its earliest row, which counts as an orphan then.
pub(super) fn arrange(skeleton: &mut Skeleton) {
    let rows = &skeleton.rows;
    let count = u32::try_from(rows.len()).unwrap_or(NONE);
    let mut by_start: Vec<u32> = (0..count).collect();
    by_start.sort_unstable_by_key(|row| rows.get(at(*row)).map(|r| (r.start, r.id, *row)));
    let parents = parents(rows);
    let children = children(&parents, &by_start);
    let mut walk = Walk {
        children: &children,
        placed: vec![false; rows.len()],
        order: Vec::with_capacity(rows.len()),
        places: vec![NONE; rows.len()],
    };
    let parent_of = |row: u32| parents.get(at(row)).copied().unwrap_or(NONE);
    for &row in by_start.iter().filter(|row| parent_of(**row) == NONE) {
        let of_row = rows.get(at(row));
        walk.place(row, if of_row.is_some_and(|r| r.parent_id == 0) { ROOT } else { ORPHAN });
    }
    if walk.order.len() < rows.len() {
        for &row in &by_start {
            walk.place(row, ORPHAN);
        }
        walk.sort_roots(rows);
    }
    let Walk { order, places, .. } = walk;
    let mut arranged: Vec<Row> = Vec::with_capacity(rows.len());
    for placed in &order {
        if let Some(row) = rows.get(at(placed.row)) {
            arranged.push(Row { parent: placed.parent, depth: placed.depth, ..*row });
        }
    }
    count_below(&mut arranged);
    let notes = skeleton.notes.iter().filter_map(|(row, note)| Some((*places.get(at(*row))?, *note)));
    let mut notes: Vec<(u32, Note)> = notes.collect();
    notes.sort_by_key(|(row, _)| *row);
    skeleton.notes = notes;
    skeleton.rows = arranged;
}

/// The row of each row's parent; of several rows that share an id, the first is the parent.
fn parents(rows: &[Row]) -> Vec<u32> {
    let mut by_id: HashMap<u64, u32> = HashMap::with_capacity(rows.len());
    for (number, row) in (0..).zip(rows) {
        by_id.entry(row.id).or_insert(number);
    }
    let parent = |row: &Row| if row.parent_id == 0 { None } else { by_id.get(&row.parent_id).copied() };
    rows.iter().map(|row| parent(row).unwrap_or(NONE)).collect()
}

fn children(parents: &[u32], by_start: &[u32]) -> Children {
    let mut begins = vec![0_usize; parents.len() + 1];
    for parent in parents.iter().filter(|parent| **parent != NONE) {
        if let Some(count) = begins.get_mut(at(*parent) + 1) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for begin in &mut begins {
        sum += *begin;
        *begin = sum;
    }
    let mut next = begins.clone();
    let mut list = vec![NONE; sum];
    for row in by_start {
        let parent = parents.get(at(*row)).copied().unwrap_or(NONE);
        let Some(place) = next.get_mut(at(parent)).filter(|_| parent != NONE) else { continue };
        if let Some(slot) = list.get_mut(*place) {
            *slot = *row;
        }
        *place += 1;
    }
    Children { begins, list }
}

/// A row that has its place.
#[derive(Debug, Clone, Copy)]
struct Placed {
    row: u32,
    /// Place of the parent, [`ROOT`] or [`ORPHAN`].
    parent: u32,
    depth: u16,
}

struct Walk<'a> {
    children: &'a Children,
    placed: Vec<bool>,
    order: Vec<Placed>,
    /// By row.
    places: Vec<u32>,
}

impl Walk<'_> {
    /// Places a row and everything below it that has no place yet.
    fn place(&mut self, row: u32, parent: u32) {
        let mut todo = vec![Placed { row, parent, depth: 0 }];
        while let Some(next) = todo.pop() {
            let Some(placed) = self.placed.get_mut(at(next.row)) else { continue };
            if std::mem::replace(placed, true) {
                continue;
            }
            let place = u32::try_from(self.order.len()).unwrap_or(NONE);
            if let Some(slot) = self.places.get_mut(at(next.row)) {
                *slot = place;
            }
            self.order.push(next);
            let depth = next.depth.saturating_add(1);
            let below = self.children.of(next.row).iter().rev();
            todo.extend(below.map(|child| Placed { row: *child, parent: place, depth }));
        }
    }

    /// Cycles were placed last: their rows move to where their starts belong among the roots.
    fn sort_roots(&mut self, rows: &[Row]) {
        let is_root = |placed: &Placed| placed.parent >= ORPHAN;
        let begins: Vec<usize> =
            self.order.iter().enumerate().filter(|(_, p)| is_root(p)).map(|(at, _)| at).collect();
        let ends = begins.iter().skip(1).copied().chain([self.order.len()]);
        let mut trees: Vec<(usize, usize)> = begins.iter().copied().zip(ends).collect();
        let key = |tree: &(usize, usize)| {
            let row = self.order.get(tree.0).map(|placed| placed.row);
            row.and_then(|number| rows.get(at(number)).map(|r| (r.start, r.id, number)))
        };
        trees.sort_by_key(key);
        let before = std::mem::take(&mut self.order);
        for (from, to) in trees {
            let moved_to = self.order.len();
            for placed in before.get(from..to).unwrap_or_default() {
                let place = u32::try_from(self.order.len()).unwrap_or(NONE);
                if let Some(slot) = self.places.get_mut(at(placed.row)) {
                    *slot = place;
                }
                let parent = if is_root(placed) {
                    placed.parent
                } else {
                    u32::try_from(at(placed.parent) - from + moved_to).unwrap_or(NONE)
                };
                self.order.push(Placed { parent, ..*placed });
            }
        }
    }
}

/// Children and descendants, from the last row to the first: what is below a row stands after it.
fn count_below(rows: &mut [Row]) {
    for number in (0..rows.len()).rev() {
        let Some(row) = rows.get(number).copied() else { continue };
        if row.parent >= ORPHAN {
            continue;
        }
        if let Some(parent) = rows.get_mut(at(row.parent)) {
            parent.children += 1;
            parent.descendants += row.descendants + 1;
        }
    }
}
