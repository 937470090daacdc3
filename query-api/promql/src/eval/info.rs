//! `info`: adds the labels of info series (`target_info` unless said otherwise) that have the same `instance` and `job`.
//!
//! Info series are read at the instants at which the base series were: offsets and `@` of the argument move them too.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::fetch::Fetch;
use super::{Evaluator, Sink, result};
use crate::engine::QueryError;
use crate::kernels::picks::Picks;
use crate::kernels::windows::{Grid, Reference};
use crate::labels::{Builder, Labels, METRIC_NAME, MatchOp, Matcher};
use crate::plan::{NodeId, Op};
use crate::points::{Points, Row};
use crate::value::is_stale;

const IDENTIFYING: [&str; 2] = ["instance", "job"];
const DEFAULT_INFO: &str = "target_info";
/// What an info metric is called when a selector only says what it is not called.
const ANY_INFO: &str = ".+_info";

/// One info series: for every step the time of the sample that is seen there.
struct InfoSeries {
    labels: Labels,
    times: Vec<Option<i64>>,
}

/// The second argument: conditions on the name of info metrics, and on the labels to add.
struct Asked {
    names: Vec<Matcher>,
    data: BTreeMap<String, Vec<Matcher>>,
}

impl Asked {
    fn new(matchers: &[Matcher]) -> Result<Self, QueryError> {
        let (mut names, mut data) = (Vec::new(), BTreeMap::<String, Vec<Matcher>>::new());
        for matcher in matchers {
            if matcher.name == METRIC_NAME {
                names.push(matcher.clone());
            } else {
                data.entry(matcher.name.clone()).or_default().push(matcher.clone());
            }
        }
        if names.is_empty() {
            names.push(Matcher::equal(METRIC_NAME, DEFAULT_INFO));
        } else if !names.iter().any(|m| matches!(m.op, MatchOp::Equal | MatchOp::Regex)) {
            let any = Matcher::new(MatchOp::Regex, METRIC_NAME, ANY_INFO);
            names.push(any.map_err(|error| QueryError::Execution(error.to_string()))?);
        }
        Ok(Self { names, data })
    }

    fn is_info(&self, labels: &Labels) -> bool {
        self.names.iter().all(|matcher| matcher.matches(labels.name()))
    }

    fn optional(&self) -> bool {
        self.data.values().flatten().all(Matcher::matches_empty)
    }
}

impl Evaluator<'_> {
    pub(super) fn info(
        &self,
        id: NodeId,
        args: &[NodeId],
        grid: Grid,
        sink: &mut Sink<'_>,
    ) -> Result<(), QueryError> {
        let base = self.arg(args, 0)?;
        let matchers = args.get(1).and_then(|&arg| self.selected(arg)).map_or(&[][..], |s| &s.matchers);
        let asked = Asked::new(matchers)?;
        let rows = self.collect(base, grid)?;
        let infos = self.info_series(id, base, &asked, &rows, grid)?;
        let mut by_identity: HashMap<[&str; 2], Vec<&InfoSeries>> = HashMap::new();
        for info in &infos {
            by_identity.entry(identity(&info.labels)).or_default().push(info);
        }
        let mut out = Vec::new();
        for row in &rows {
            if asked.is_info(&row.labels) {
                self.hold(&mut out, row.clone())?;
                continue;
            }
            let candidates = by_identity.get(&identity(&row.labels)).map_or(&[][..], Vec::as_slice);
            self.enrich(row, candidates, &asked, &mut out)?;
        }
        self.release(&rows);
        self.release(&out);
        result::merge_equal(out)?.into_iter().try_for_each(sink)
    }

    /// Splits a row by what the info series say at each step.
    fn enrich(
        &self,
        row: &Row,
        candidates: &[&InfoSeries],
        asked: &Asked,
        out: &mut Vec<Row>,
    ) -> Result<(), QueryError> {
        let mut variants: HashMap<Labels, Points> = HashMap::new();
        let mut known: HashMap<Vec<usize>, Option<Labels>> = HashMap::new();
        let steps = row.points.steps();
        for step in (0..steps).filter(|&step| row.points.present(step)) {
            let seen = newest(candidates, step)?;
            let labels = match known.get(&seen) {
                Some(labels) => labels.clone(),
                None => {
                    let labels = enriched(
                        &row.labels,
                        seen.iter().filter_map(|&i| candidates.get(i).copied()),
                        asked,
                    )?;
                    known.insert(seen, labels.clone());
                    labels
                }
            };
            if let Some(labels) = labels {
                variants.entry(labels).or_insert_with(|| Points::absent(steps)).copy(step, &row.points);
            }
        }
        for (labels, points) in variants {
            self.hold(out, Row { labels, drop_name: row.drop_name, points })?;
        }
        Ok(())
    }

    fn info_series(
        &self,
        id: NodeId,
        base: NodeId,
        asked: &Asked,
        rows: &[Row],
        grid: Grid,
    ) -> Result<Vec<InfoSeries>, QueryError> {
        let mut found = Vec::new();
        let enrichable = || rows.iter().filter(|row| !asked.is_info(&row.labels));
        let known = |name: &'static str| -> BTreeSet<String> {
            enrichable()
                .map(|row| row.labels.get(name).to_owned())
                .filter(|value| !value.is_empty())
                .collect()
        };
        let identities = IDENTIFYING.map(|name| (name, known(name)));
        if identities.iter().all(|(_, values)| values.is_empty()) {
            return Ok(found);
        }
        let mut matchers = asked.names.clone();
        matchers.extend(asked.data.values().flatten().cloned());
        for (name, values) in identities.iter().filter(|(_, values)| !values.is_empty()) {
            let any: Vec<_> = values.iter().map(|value| regex::escape(value)).collect();
            let matcher = Matcher::new(MatchOp::Regex, *name, any.join("|"));
            matchers.push(matcher.map_err(|error| QueryError::Execution(error.to_string()))?);
        }
        let moves = self.moves(base);
        let times: Vec<i64> =
            grid.times().map(|time| moves.iter().fold(time, |time, r| r.time(time))).collect();
        let (Some(&first), Some(&last)) = (times.iter().min(), times.iter().max()) else { return Ok(found) };
        let (back, reference) = (self.options.lookback_ms, Reference::default());
        let window = Grid::range(first, last, last.saturating_sub(first));
        let fetch = Fetch { matchers: &matchers, reference, back, ahead: 0, range: 0, function: "info" };
        self.fetch(id, &fetch, window, &mut |view| {
            if !view.histograms.values.is_empty() {
                let labels = view.labels;
                let message = format!("this should be an info metric, with float samples: {labels}");
                return Err(QueryError::Execution(message));
            }
            let stamps = view.floats.timestamps;
            let seen = |&time: &i64| {
                let pick =
                    Picks::scan(stamps, Grid::instant(time), reference, back).iter().next().flatten()?;
                let stale = view.floats.values.get(pick).is_none_or(|&value| is_stale(value));
                (!stale).then(|| stamps.get(pick).copied()).flatten()
            };
            let times: Vec<_> = times.iter().map(seen).collect();
            let read = times.iter().flatten().count();
            found.push(InfoSeries { labels: view.labels.clone(), times });
            Ok(read)
        })?;
        Ok(found)
    }

    /// How the first selector inside an expression is moved in time, from the outside in.
    fn moves(&self, id: NodeId) -> Vec<Reference> {
        match &self.plan.node(id).op {
            Op::Select(select) => vec![select.reference],
            Op::Range(_, window) => vec![window.reference],
            Op::Subquery(inner, _, window) => {
                let mut moves = vec![window.reference];
                moves.extend(self.moves(*inner));
                moves
            }
            _ => {
                let children = self.plan.children(id);
                children
                    .into_iter()
                    .map(|child| self.moves(child))
                    .find(|m| !m.is_empty())
                    .unwrap_or_default()
            }
        }
    }
}

fn identity(labels: &Labels) -> [&str; 2] {
    IDENTIFYING.map(|name| labels.get(name))
}

/// The newest sample of each info metric at a step; two as new as each other are an error.
fn newest(candidates: &[&InfoSeries], step: usize) -> Result<Vec<usize>, QueryError> {
    let mut best: BTreeMap<&str, (i64, usize)> = BTreeMap::new();
    for (index, info) in candidates.iter().enumerate() {
        let Some(time) = info.times.get(step).copied().flatten() else { continue };
        match best.get(info.labels.name()) {
            Some(&(other, _)) if other > time => {}
            Some(&(other, existing)) if other == time => {
                let existing =
                    candidates.get(existing).map(|info| info.labels.to_string()).unwrap_or_default();
                return Err(QueryError::Execution(format!(
                    "found duplicate series for info metric: existing {existing} @ {other}, new {} @ {time}",
                    info.labels
                )));
            }
            _ => {
                best.insert(info.labels.name(), (time, index));
            }
        }
    }
    Ok(best.into_values().map(|(_, index)| index).collect())
}

/// The labels of a series with those of its info series; none if it has no info series but needs one.
fn enriched<'i>(
    base: &Labels,
    infos: impl Iterator<Item = &'i InfoSeries>,
    asked: &Asked,
) -> Result<Option<Labels>, QueryError> {
    let mut builder = Builder::new(base);
    let mut added: HashMap<String, String> = HashMap::new();
    let mut found = false;
    for info in infos {
        found = true;
        for (name, value) in info.labels.iter() {
            let wanted = asked.data.is_empty() || asked.data.contains_key(name);
            if name == METRIC_NAME || !wanted || base.has(name) {
                continue;
            }
            if added.get(name).is_some_and(|known| known != value) {
                return Err(QueryError::Execution(format!("conflicting label: {name}")));
            }
            added.insert(name.to_owned(), value.to_owned());
            builder.set(name, value);
        }
    }
    Ok((found || asked.optional()).then(|| builder.finish()))
}
