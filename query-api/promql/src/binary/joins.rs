//! Arithmetic and comparisons of two vectors: one-to-one, many-to-one, one-to-many, with fill values for series that are missing.

use std::collections::{HashMap, HashSet};

use super::changes_meaning;
use super::samples::{Outcome, combine, comparison, scalar_operation};
use crate::ast::{Cardinality, Matching};
use crate::engine::QueryError;
use crate::eval::{Evaluator, Remarks, Sink, merge_equal};
use crate::kernels::windows::Grid;
use crate::labels::{Builder, Labels, METRIC_NAME, METRIC_TYPE, METRIC_UNIT};
use crate::plan::{Binary, NodeId};
use crate::points::{ABSENT, Points, Row, Sample, is_absent};

/// Numbers for the labels that series are matched by.
pub(super) struct Signatures<'a> {
    matching: &'a Matching,
    numbers: HashMap<Labels, usize>,
}

impl<'a> Signatures<'a> {
    pub(super) fn new(matching: &'a Matching) -> Self {
        Self { matching, numbers: HashMap::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    fn number(&mut self, labels: &Labels) -> usize {
        let next = self.numbers.len();
        *self.numbers.entry(matched(self.matching, labels)).or_insert(next)
    }
}

/// The number of every row's signature.
pub(super) fn numbered(signatures: &mut Signatures<'_>, rows: &[Row]) -> Vec<usize> {
    rows.iter().map(|row| signatures.number(&row.labels)).collect()
}

/// The labels of a series that are matched by.
fn matched(matching: &Matching, labels: &Labels) -> Labels {
    let listed = |name: &str| matching.labels.iter().any(|label| label == name);
    if matching.on {
        labels.filtered(listed)
    } else {
        labels.filtered(|name| name != METRIC_NAME && !listed(name))
    }
}

/// The rows of one signature: positions in the vectors of rows.
#[derive(Default)]
struct Meeting {
    many: Vec<usize>,
    one: Vec<usize>,
}

/// A join under way. "Many" is the left side, but for `group_right`.
struct Join<'a> {
    binary: &'a Binary,
    grid: Grid,
    many: Vec<Row>,
    one: Vec<Row>,
    /// Whether either side has a sample, per step: a side without any means that nothing meets.
    many_present: Vec<bool>,
    one_present: Vec<bool>,
    delayed: bool,
}

impl Evaluator<'_> {
    pub(super) fn join(
        &self,
        id: NodeId,
        binary: &Binary,
        grid: Grid,
        sink: &mut Sink<'_>,
    ) -> Result<(), QueryError> {
        let lhs = self.collect(binary.lhs, grid)?;
        let rhs = self.collect(binary.rhs, grid)?;
        let flipped = binary.matching.cardinality == Cardinality::OneToMany;
        let (many, one) = if flipped { (rhs, lhs) } else { (lhs, rhs) };
        let mut signatures = Signatures::new(&binary.matching);
        let mut meetings: Vec<Meeting> = Vec::new();
        let mut place = |number: usize| {
            if meetings.len() <= number {
                meetings.resize_with(number + 1, Meeting::default);
            }
            number
        };
        let many_numbers: Vec<_> = numbered(&mut signatures, &many).into_iter().map(&mut place).collect();
        let one_numbers: Vec<_> = numbered(&mut signatures, &one).into_iter().map(&mut place).collect();
        let mut assign = |numbers: &[usize], side: fn(&mut Meeting) -> &mut Vec<usize>| {
            for (row, &number) in numbers.iter().enumerate() {
                if let Some(meeting) = meetings.get_mut(number) {
                    side(meeting).push(row);
                }
            }
        };
        assign(&many_numbers, |meeting| &mut meeting.many);
        assign(&one_numbers, |meeting| &mut meeting.one);
        let present = |rows: &[Row]| -> Vec<bool> {
            let mut present = vec![false; grid.count];
            for row in rows {
                for (step, flag) in present.iter_mut().enumerate().filter(|(_, flag)| !**flag) {
                    *flag = row.points.present(step);
                }
            }
            present
        };
        let join = Join {
            binary,
            grid,
            many_present: present(&many),
            one_present: present(&one),
            many,
            one,
            delayed: self.options.delayed_name_removal,
        };
        let span = self.plan.node(id).span;
        let mut rows = Vec::new();
        for meeting in &meetings {
            self.budget.work(1 + (meeting.many.len() + meeting.one.len()) * grid.count / 256)?;
            let nameless = Labels::empty();
            join.meet(meeting, self.remarks(&nameless, span), &mut |row| self.hold(&mut rows, row))?;
        }
        self.release(&join.many);
        self.release(&join.one);
        self.release(&rows);
        merge_equal(rows)?.into_iter().try_for_each(sink)
    }
}

impl Join<'_> {
    fn matching(&self) -> &Matching {
        &self.binary.matching
    }

    fn flipped(&self) -> bool {
        self.matching().cardinality == Cardinality::OneToMany
    }

    /// Values for samples that are missing on the "many" and on the "one" side.
    fn fills(&self) -> (Option<f64>, Option<f64>) {
        let (left, right) = (self.matching().fill_left, self.matching().fill_right);
        if self.flipped() { (right, left) } else { (left, right) }
    }

    fn meet(&self, meeting: &Meeting, remarks: Remarks<'_>, sink: &mut Sink<'_>) -> Result<(), QueryError> {
        let (fill_many, fill_one) = self.fills();
        if fill_many.is_none() && fill_one.is_none() {
            // two series of the "one" side are an error even if they meet nobody
            if meeting.one.is_empty() || meeting.many.is_empty() && meeting.one.len() < 2 {
                return Ok(());
            }
            if let ([many], [one]) = (meeting.many.as_slice(), meeting.one.as_slice())
                && let (Some(many), Some(one)) = (self.many.get(*many), self.one.get(*one))
            {
                let points = self.pair(many, one, remarks);
                return if points.is_empty() { Ok(()) } else { sink(self.row(many, one, points)) };
            }
            if let Some(rows) = self.fan_out(meeting, remarks) {
                return rows.into_iter().filter(|row| !row.points.is_empty()).try_for_each(sink);
            }
        }
        self.step_by_step(meeting, remarks, sink)
    }

    /// Many series that meet one and give results of different names: none can be in another's way.
    fn fan_out(&self, meeting: &Meeting, remarks: Remarks<'_>) -> Option<Vec<Row>> {
        let [one] = meeting.one.as_slice() else { return None };
        let one = self.one.get(*one)?;
        if self.matching().cardinality == Cardinality::OneToOne {
            return None;
        }
        let many = || meeting.many.iter().filter_map(|&place| self.many.get(place));
        let rows: Vec<Row> = many().map(|many| self.row(many, one, Points::default())).collect();
        let distinct: HashSet<&Labels> = rows.iter().map(|row| &row.labels).collect();
        if distinct.len() < rows.len() {
            return None;
        }
        let points = many().map(|many| self.pair(many, one, remarks)).collect::<Vec<_>>();
        Some(rows.into_iter().zip(points).map(|(row, points)| Row { points, ..row }).collect())
    }

    /// One series on each side.
    fn pair(&self, many: &Row, one: &Row, remarks: Remarks<'_>) -> Points {
        let (lhs, rhs) = if self.flipped() { (one, many) } else { (many, one) };
        let floats = lhs.points.histograms.is_empty() && rhs.points.histograms.is_empty();
        let op = self.binary.op;
        if floats && !op.is_trim() {
            let columns = lhs.points.floats.iter().zip(&rhs.points.floats);
            let both = |a: f64, b: f64| !is_absent(a) && !is_absent(b);
            let floats = match comparison(op) {
                Some(compare) if self.binary.return_bool => columns
                    .map(|(&a, &b)| if both(a, b) { f64::from(u8::from(compare(a, b))) } else { ABSENT })
                    .collect(),
                Some(compare) => {
                    columns.map(|(&a, &b)| if both(a, b) && compare(a, b) { a } else { ABSENT }).collect()
                }
                None => columns
                    .map(|(&a, &b)| if both(a, b) { scalar_operation(op, a, b) } else { ABSENT })
                    .collect(),
            };
            return Points { floats, histograms: Vec::new() };
        }
        let mut points = Points::absent(self.grid.count);
        for step in 0..self.grid.count {
            if let (Some(a), Some(b)) = (lhs.points.at(step), rhs.points.at(step)) {
                self.store(a, b, step, &mut points, remarks);
            }
        }
        points
    }

    /// Combines and stores; says whether the samples could be combined at all.
    fn store(
        &self,
        lhs: Sample<'_>,
        rhs: Sample<'_>,
        step: usize,
        points: &mut Points,
        remarks: Remarks<'_>,
    ) -> bool {
        let outcome = combine(self.binary.op, lhs, rhs, remarks);
        let combined = !matches!(outcome, Outcome::Nothing);
        super::finish(self.binary, outcome, lhs, step, points);
        combined
    }

    /// Several series on a side, or fill values: who meets whom is decided at every step.
    fn step_by_step(
        &self,
        meeting: &Meeting,
        remarks: Remarks<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<(), QueryError> {
        let (fill_many, fill_one) = self.fills();
        let filled = fill_many.is_some() || fill_one.is_some();
        let mut results: HashMap<(Option<usize>, Option<usize>), Row> = HashMap::new();
        for step in 0..self.grid.count {
            let here = |present: &[bool]| present.get(step) == Some(&true);
            let (any_many, any_one) = (here(&self.many_present), here(&self.one_present));
            if !(any_many && any_one || filled && (any_many || any_one)) {
                continue;
            }
            let one = self.only_one(meeting, step)?;
            let one_sample = one.and_then(|place| self.one.get(place)).and_then(|row| row.points.at(step));
            let mut met: HashSet<Labels> = HashSet::new();
            let mut matches = 0;
            for &place in &meeting.many {
                let Some(many) = self.many.get(place) else { continue };
                let Some(sample) = many.points.at(step) else { continue };
                let (one, other) = match (one_sample, fill_one) {
                    (Some(other), _) => (one, other),
                    (None, Some(fill)) => (None, Sample::Float(fill)),
                    (None, None) => continue,
                };
                let result =
                    results.entry((Some(place), one)).or_insert_with(|| self.result(Some(place), one));
                if self.store_ordered(sample, other, step, &mut result.points, remarks) {
                    matches += 1;
                    self.check_unique(matches, &result.labels, &mut met)?;
                }
            }
            if let (0, Some(other), Some(fill)) = (matches, one_sample, fill_many) {
                let result = results.entry((None, one)).or_insert_with(|| self.result(None, one));
                self.store_ordered(Sample::Float(fill), other, step, &mut result.points, remarks);
            }
        }
        let mut rows: Vec<_> = results.into_iter().filter(|(_, row)| !row.points.is_empty()).collect();
        rows.sort_by_key(|(places, _)| *places);
        rows.into_iter().try_for_each(|(_, row)| sink(row))
    }

    fn store_ordered(
        &self,
        many: Sample<'_>,
        one: Sample<'_>,
        step: usize,
        points: &mut Points,
        remarks: Remarks<'_>,
    ) -> bool {
        let (lhs, rhs) = if self.flipped() { (one, many) } else { (many, one) };
        self.store(lhs, rhs, step, points, remarks)
    }

    /// The series of the "one" side that is present at a step; two are an error.
    fn only_one(&self, meeting: &Meeting, step: usize) -> Result<Option<usize>, QueryError> {
        let there = |place: &&usize| self.one.get(**place).is_some_and(|row| row.points.present(step));
        let mut present = meeting.one.iter().filter(there);
        let first = present.next().copied();
        if let (Some(first), Some(&second)) = (first, present.next())
            && let (Some(first), Some(second)) = (self.one.get(first), self.one.get(second))
        {
            let side = if self.flipped() { "left" } else { "right" };
            let group = matched(self.matching(), &second.labels);
            return Err(QueryError::Execution(format!(
                "found duplicate series for the match group {group} on the {side} hand-side of the operation: [{}, {}]\
                 ;many-to-many matching not allowed: matching labels must be unique on one side",
                second.labels, first.labels
            )));
        }
        Ok(first)
    }

    fn check_unique(
        &self,
        matches: usize,
        labels: &Labels,
        met: &mut HashSet<Labels>,
    ) -> Result<(), QueryError> {
        if self.matching().cardinality == Cardinality::OneToOne {
            if matches > 1 {
                return Err(QueryError::execution(
                    "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)",
                ));
            }
        } else if !met.insert(labels.clone()) {
            return Err(QueryError::execution(
                "multiple matches for labels: grouping labels must ensure unique matches",
            ));
        }
        Ok(())
    }

    /// The row of the results of two series, of which one may be a fill value.
    fn result(&self, many: Option<usize>, one: Option<usize>) -> Row {
        let points = Points::absent(self.grid.count);
        let many = many.and_then(|place| self.many.get(place));
        let one = one.and_then(|place| self.one.get(place));
        let stand_in = |row: &Row| Row::new(matched(self.matching(), &row.labels), Points::default());
        match (many, one) {
            (Some(many), Some(one)) => self.row(many, one, points),
            (Some(many), None) => self.row(many, &stand_in(many), points),
            (None, Some(one)) => self.row(&stand_in(one), one, points),
            (None, None) => Row::new(Labels::empty(), points),
        }
    }

    fn row(&self, many: &Row, one: &Row, points: Points) -> Row {
        let mut builder = Builder::new(&many.labels);
        let matching = self.matching();
        if changes_meaning(self.binary.op) || self.binary.return_bool && !self.delayed {
            for name in [METRIC_NAME, METRIC_TYPE, METRIC_UNIT] {
                builder.delete(name);
            }
        }
        if matching.cardinality == Cardinality::OneToOne {
            if matching.on {
                builder.keep(&matching.labels);
            } else {
                matching.labels.iter().for_each(|name| {
                    builder.delete(name);
                });
            }
        }
        for name in &matching.include {
            builder.set(name, one.labels.get(name));
        }
        Row { labels: builder.finish(), drop_name: many.drop_name || self.binary.return_bool, points }
    }
}
