//! The critical path: what the end of a trace waited for.
//!
//! The rule is Jaeger UI's: from the end of the first root back in time, always into the child that ended last before;
//! a span is on the path if some time of its own is. Children that reach beyond their parent count as far as they lie
//! within it. Must not know: how a trace is drawn. Start at [`mark`].

use super::{ORPHAN, Row, flag};

fn at(row: u32) -> usize {
    usize::try_from(row).unwrap_or(usize::MAX)
}

/// Sets the flag of rows on the critical path; rows are in the order of a waterfall.
pub(super) fn mark(rows: &mut [Row]) {
    let Some(root) =
        rows.iter().position(|row| row.parent == super::ROOT).or((!rows.is_empty()).then_some(0))
    else {
        return;
    };
    let below = rows.get(root).map_or(0, |row| at(row.descendants));
    let spans = within_parents(rows, root, below);
    let children = children_by_end(rows, &spans, root);
    // per row: how many of its children are passed already
    let mut passed = vec![0_usize; spans.len()];
    let mut here = 0_usize;
    let mut until: Option<u64> = None;
    loop {
        let Some(Some((start, end))) = spans.get(here).copied() else { return };
        let of_here = children.get(here).map(Vec::as_slice).unwrap_or_default();
        let from = passed.get(here).copied().unwrap_or(0);
        let ends_before = |child: &usize| {
            let end = spans.get(*child).copied().flatten().map_or(u64::MAX, |(_, end)| end);
            until.is_none_or(|until| end < until)
        };
        let next = (from..of_here.len()).find(|nth| of_here.get(*nth).is_some_and(ends_before));
        let section_end = until.unwrap_or(end);
        let child = next.and_then(|nth| of_here.get(nth)).copied();
        let child_end = child.and_then(|child| spans.get(child).copied().flatten()).map(|(_, end)| end);
        if child_end.unwrap_or(start) != section_end
            && let Some(row) = rows.get_mut(root + here)
        {
            row.flags |= flag::CRITICAL;
        }
        match (child, next) {
            (Some(child), Some(nth)) => {
                if let Some(passed) = passed.get_mut(here) {
                    *passed = nth + 1;
                }
                here = child;
                until = None;
            }
            _ => {
                let parent = rows.get(root + here).map_or(ORPHAN, |row| row.parent);
                if here == 0 || parent >= ORPHAN {
                    return;
                }
                until = Some(start);
                here = at(parent) - root;
            }
        }
    }
}

/// Start and end of each row of a tree, cut to what lies within its parent; nothing for a row that lies outside.
fn within_parents(rows: &[Row], root: usize, below: usize) -> Vec<Option<(u64, u64)>> {
    let tree = rows.get(root..=root + below).unwrap_or_default();
    let mut spans: Vec<Option<(u64, u64)>> = Vec::with_capacity(tree.len());
    for (number, row) in tree.iter().enumerate() {
        let (start, end) = (row.start, row.start.saturating_add(row.duration));
        if number == 0 {
            spans.push(Some((start, end)));
            continue;
        }
        let parent = spans.get(at(row.parent).wrapping_sub(root)).copied().flatten();
        spans.push(parent.and_then(|(parent_start, parent_end)| {
            let is_outside = if start >= parent_start { start >= parent_end } else { end <= parent_start };
            (!is_outside).then(|| (start.max(parent_start), end.min(parent_end)))
        }));
    }
    spans
}

/// The children of each row that are left, the last to end first; of equal ones in the order of the waterfall.
fn children_by_end(rows: &[Row], spans: &[Option<(u64, u64)>], root: usize) -> Vec<Vec<usize>> {
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); spans.len()];
    for number in (1..spans.len()).filter(|number| spans.get(*number).is_some_and(Option::is_some)) {
        let parent = rows.get(root + number).map_or(usize::MAX, |row| at(row.parent).wrapping_sub(root));
        if let Some(list) = children.get_mut(parent) {
            list.push(number);
        }
    }
    for list in &mut children {
        list.sort_by_key(|child| {
            std::cmp::Reverse(spans.get(*child).copied().flatten().map_or(0, |(_, end)| end))
        });
    }
    children
}
