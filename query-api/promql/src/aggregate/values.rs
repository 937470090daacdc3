//! `count_values`: how many series of a group have a value, one result per value.

use std::collections::HashMap;

use super::groups::Key;
use crate::engine::QueryError;
use crate::eval::{Evaluator, Sink, is_label_name};
use crate::kernels::windows::Grid;
use crate::labels::{Builder, Labels};
use crate::number;
use crate::plan::Aggregate;
use crate::points::{Points, Row, Sample, is_absent};
use crate::quote::quoted;

impl Evaluator<'_> {
    pub(super) fn count_values(
        &self,
        aggregate: &Aggregate,
        grid: Grid,
        sink: &mut Sink<'_>,
    ) -> Result<(), QueryError> {
        let params: Vec<_> = aggregate.param.into_iter().collect();
        let name = self.text(&params, 0)?;
        if !is_label_name(name) {
            return Err(QueryError::Execution(format!("invalid label name {}", quoted(name))));
        }
        let key = Key::of(aggregate);
        // a label that `without` drops is dropped though it has just been set
        let dropped = aggregate.without && aggregate.labels.iter().any(|label| label == name);
        let mut places: HashMap<Labels, usize> = HashMap::new();
        let mut rows: Vec<Row> = Vec::new();
        self.stream(aggregate.input, grid, &mut |row| {
            let group = key.group_of(&row.labels);
            let mut last: Option<(u64, usize)> = None;
            for step in 0..grid.count {
                let Some(sample) = row.points.at(step) else { continue };
                let bits = if let Sample::Float(value) = sample { Some(value.to_bits()) } else { None };
                let place = match last {
                    Some((known, place)) if Some(known) == bits => place,
                    _ => {
                        let text = match sample {
                            Sample::Float(value) => number::fixed(value),
                            Sample::Histogram(histogram) => histogram.to_string(),
                        };
                        let value = if dropped { "" } else { text.as_str() };
                        let labels = Builder::new(&group).set(name, value).finish();
                        let place = *places.entry(labels.clone()).or_insert(rows.len());
                        if place == rows.len() {
                            self.hold(&mut rows, Row::new(labels, Points::absent(grid.count)))?;
                        }
                        place
                    }
                };
                last = bits.map(|bits| (bits, place));
                if let Some(count) = rows.get_mut(place).and_then(|row| row.points.floats.get_mut(step)) {
                    *count = if is_absent(*count) { 1.0 } else { *count + 1.0 };
                }
            }
            Ok(())
        })?;
        self.release(&rows);
        rows.into_iter().try_for_each(sink)
    }
}
