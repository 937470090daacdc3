//! Where in a segment an attribute can be: its own columns, the list, events, links.
//!
//! Knows: what the statistics of a row group exclude, and how a row is looked through. Must not know: resources and
//! scopes, whose attributes were judged before.

use arrow_array::RecordBatch;
use parquet::file::statistics::Statistics;
use runtime_engine::Result;

use crate::query::text::Wanted;
use crate::segment::{
    AttributesColumn, DedicatedValues, Segment, ValueType, attributes_of_items, column, row_range,
};

/// Where one attribute condition can be fulfilled in a row group.
#[derive(Debug)]
pub(crate) struct Place {
    /// Own columns: by root at first, by their number in the batch after [`Place::project`].
    own: Vec<usize>,
    list: bool,
    events: bool,
    links: bool,
}

impl Place {
    /// What the statistics of a row group leave.
    pub(crate) fn new(segment: &Segment, group: usize, key: &str, wanted: &Wanted) -> Self {
        let is_possible = |(value, ordinal): (ValueType, u8)| {
            let root = column::DEDICATED + usize::from(ordinal);
            may_be(segment, group, root, value, wanted).then_some(root)
        };
        let keys = segment.keys;
        let may_name = |leaf: Option<usize>| leaf.is_none_or(|leaf| may_hold_text(segment, group, leaf, key));
        Self {
            own: segment.layout.dedicated_of(key).filter_map(is_possible).collect(),
            list: may_name(keys.list),
            events: may_name(keys.events),
            links: may_name(keys.links),
        }
    }

    /// Whether no row of the row group can have it.
    pub(crate) fn is_nowhere(&self) -> bool {
        self.own.is_empty() && !self.list && !self.events && !self.links
    }

    /// The columns to read.
    pub(crate) fn roots(&self) -> impl Iterator<Item = usize> {
        let lists =
            [(self.list, column::ATTRIBUTES), (self.events, column::EVENTS), (self.links, column::LINKS)];
        let lists = lists.into_iter().filter(|(is_read, _)| *is_read).map(|(_, root)| root);
        lists.chain(self.own.iter().copied())
    }

    /// Turns roots into numbers of columns of a batch that has these roots.
    pub(crate) fn project(&mut self, roots: &[usize]) {
        for own in &mut self.own {
            *own = roots.iter().position(|root| root == own).unwrap_or(usize::MAX);
        }
    }
}

/// Statistics of a leaf column; `None` when nothing is known of it.
fn statistics(segment: &Segment, group: usize, leaf: usize) -> Option<(&Statistics, bool)> {
    let column = segment.spans.metadata.metadata().row_groups().get(group)?.columns().get(leaf)?;
    let statistics = column.statistics()?;
    let values = u64::try_from(column.num_values()).ok()?;
    Some((statistics, statistics.null_count_opt() == Some(values)))
}

/// Whether a text can be among the values of a leaf column; bounds may be shortened, which keeps them bounds.
fn may_hold_text(segment: &Segment, group: usize, leaf: usize, text: &str) -> bool {
    let Some((statistics, is_empty)) = statistics(segment, group, leaf) else { return true };
    let text = text.as_bytes();
    !is_empty
        && statistics.min_bytes_opt().is_none_or(|min| min <= text)
        && statistics.max_bytes_opt().is_none_or(|max| max >= text)
}

fn may_be(segment: &Segment, group: usize, root: usize, value: ValueType, wanted: &Wanted) -> bool {
    let Some(leaf) = segment.spans.leaf_of(root) else { return true };
    match value {
        ValueType::String => may_hold_text(segment, group, leaf, wanted.text()),
        ValueType::Int => wanted.int().is_some_and(|int| match statistics(segment, group, leaf) {
            Some((_, true)) => false,
            Some((Statistics::Int64(s), _)) => {
                s.min_opt().is_none_or(|min| *min <= int) && s.max_opt().is_none_or(|max| *max >= int)
            }
            _ => true,
        }),
        ValueType::Double => wanted.is_double(),
        ValueType::Bool => wanted.is_truth(),
    }
}

/// The columns of a batch in which attributes are looked up.
pub(crate) struct Places<'a> {
    list: Option<AttributesColumn<'a>>,
    events: Option<(&'a [i32], AttributesColumn<'a>)>,
    links: Option<(&'a [i32], AttributesColumn<'a>)>,
    /// By condition.
    own: Vec<Vec<DedicatedValues<'a>>>,
}

impl<'a> Places<'a> {
    /// Looks at a batch.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when a column is not what it should be.
    pub(crate) fn new(places: &[Place], batch: &'a RecordBatch) -> Result<Self> {
        let column = |name: &str| batch.column_by_name(name);
        let own = |place: &Place| {
            place.own.iter().filter_map(|at| batch.columns().get(*at)).map(DedicatedValues::new).collect()
        };
        Ok(Self {
            list: column("attributes").map(|c| AttributesColumn::new(Some(c), "attributes")).transpose()?,
            events: column("events").map(|c| attributes_of_items(Some(c), "events")).transpose()?,
            links: column("links").map(|c| attributes_of_items(Some(c), "links")).transpose()?,
            own: places.iter().map(own).collect::<Result<_>>()?,
        })
    }

    /// Whether a row has an attribute.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when a value cannot be read.
    pub(crate) fn has(&self, row: usize, condition: usize, key: &str, wanted: &Wanted) -> Result<bool> {
        for values in self.own.get(condition).into_iter().flatten() {
            if values.value(row).is_some_and(|value| wanted.is(&value)) {
                return Ok(true);
            }
        }
        let any = |attributes: &AttributesColumn<'_>, of: usize| -> Result<bool> {
            for item in attributes.row(of) {
                if attributes.key(item) == key && wanted.is(&attributes.value(item)?) {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        if let Some(list) = &self.list
            && any(list, row)?
        {
            return Ok(true);
        }
        for (rows, attributes) in self.events.iter().chain(&self.links) {
            for item in row_range(rows, row) {
                if any(attributes, item)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}
