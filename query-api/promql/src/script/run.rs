//! Running a script: each evaluation as it stands, pinned with `@` at other times, and as a step of a range query.
//!
//! Knows: what must give the same answer. Must not know: how results are compared (`compare`). Start at [`run`].

use std::sync::LazyLock;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::eval::{Eval, When};
use super::stored::Stored;
use super::{Command, Script, classic, compare};
use crate::ast::{At, Expr};
use crate::engine::{Answer, Engine};
use crate::limits::Control;
use crate::source::memory::MemorySource;
use crate::value::{Point, Value, VectorSample};

/// How an evaluation went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Line of the script, from 1.
    pub line: usize,
    /// What was evaluated.
    pub expr: String,
    /// What differed; nothing if all was as expected.
    pub failure: Option<String>,
}

/// Functions whose result changes with the time of evaluation though every selector is pinned.
const TIME_DEPENDENT: [&str; 15] = [
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "days_in_month",
    "end",
    "hour",
    "minute",
    "month",
    "predict_linear",
    "range",
    "start",
    "step",
    "time",
    "timestamp",
    "year",
];

/// What depends on a query's own times, so that instant and range queries differ.
static OF_THE_QUERY: LazyLock<Option<regex::Regex>> =
    LazyLock::new(|| regex::Regex::new(r"(start|end|range|step)\(\)").ok());

/// Runs a script and says how each evaluation went.
#[must_use]
pub fn run(script: &Script, engine: &Engine) -> Vec<Outcome> {
    let mut stored = Stored::default();
    let mut source = MemorySource::default();
    let mut outcomes = Vec::new();
    for command in &script.commands {
        match command {
            Command::Clear => {
                stored = Stored::default();
                source = stored.source();
            }
            Command::Load(load) => {
                stored.add(&load.series);
                if load.with_custom_histograms {
                    stored.add(&classic::converted(&load.series));
                }
                source = stored.source();
            }
            Command::Eval(eval) => {
                let failure = Run { eval, engine, source: &source }.all().err();
                outcomes.push(Outcome { line: eval.line, expr: eval.expr.clone(), failure });
            }
        }
    }
    outcomes
}

struct Run<'a> {
    eval: &'a Eval,
    engine: &'a Engine,
    source: &'a MemorySource,
}

impl Run<'_> {
    fn all(&self) -> Result<(), String> {
        match self.eval.when {
            When::Range(start, end, step) => match self.range(&self.eval.expr, start, end, step) {
                Err(error) => self.failed(&self.eval.expr, &error),
                Ok(answer) => self.compared(&self.eval.expr, &answer),
            },
            When::Instant(time) => {
                let time = self.eval.range_vector.map_or(time, |(_, end, _)| end);
                self.instant(&self.eval.expr, time)?;
                for (expr, time) in self.pinned(time) {
                    self.instant(&expr, time).map_err(|e| format!("{e} (as {expr} at {time} ms)"))?;
                }
                Ok(())
            }
        }
    }

    fn control<T>(run: impl FnOnce(Control<'_>) -> T) -> T {
        let cancelled = AtomicBool::new(false);
        run(Control { clock: &|| Duration::ZERO, cancelled: &cancelled })
    }

    fn parsed(&self, text: &str) -> Result<Expr, String> {
        crate::parse::expr(text, &self.engine.options.syntax).map_err(|e| e.to_string())
    }

    fn range(&self, text: &str, start: i64, end: i64, step: i64) -> Result<Answer, String> {
        let expr = self.parsed(text)?;
        Self::control(|c| self.engine.range(&expr, self.source, (start, end, step), c))
            .map_err(|e| e.to_string())
    }

    /// An error is right if one is expected, and is this one.
    fn failed(&self, text: &str, error: &str) -> Result<(), String> {
        match &self.eval.expect.fail {
            Some(expected) if expected.matches(error) => Ok(()),
            Some(expected) => Err(format!("expected failure {expected:?}, but got: {error}")),
            None => Err(format!("error evaluating {text}: {error}")),
        }
    }

    fn compared(&self, text: &str, answer: &Answer) -> Result<(), String> {
        if self.eval.expect.fail.is_some() {
            return Err("expected an error but got none".to_owned());
        }
        compare::annotations(self.eval, &answer.annotations, text)?;
        compare::value(self.eval, &answer.value)
    }

    fn instant(&self, text: &str, time: i64) -> Result<(), String> {
        let answer = self.parsed(text).and_then(|expr| {
            Self::control(|c| self.engine.instant(&expr, self.source, time, c)).map_err(|e| e.to_string())
        });
        let answer = match answer {
            Err(error) => return self.failed(text, &error),
            Ok(answer) => answer,
        };
        self.compared(text, &answer)?;
        let own_times = OF_THE_QUERY.as_ref().is_some_and(|r| r.is_match(text));
        if self.eval.range_vector.is_some() || self.eval.text.is_some() || own_times {
            return Ok(());
        }
        self.as_a_step(text, time, &answer.value).map_err(|e| format!("{e} (in range mode)"))
    }

    /// The middle step of a range query of three steps gives the same.
    fn as_a_step(&self, text: &str, time: i64, value: &Value) -> Result<(), String> {
        const MINUTE: i64 = 60_000;
        let answer = self.range(text, time - MINUTE, time + MINUTE, MINUTE)?;
        let Value::Matrix(series) = answer.value else { return Err("result is no matrix".to_owned()) };
        if self.eval.expect.ordered {
            return Ok(());
        }
        compare::sorted(&series)?;
        let mut samples = Vec::new();
        for one in series {
            let float = one.floats.iter().find(|(t, _)| *t == time).map(|(_, v)| Point::Float(*v));
            let histogram =
                one.histograms.iter().find(|(t, _)| *t == time).map(|(_, h)| Point::Histogram(h.clone()));
            let points = float.into_iter().chain(histogram);
            samples.extend(points.map(|point| VectorSample {
                labels: one.labels.clone(),
                time_ms: time,
                point,
            }));
        }
        if matches!(value, Value::Scalar { .. }) {
            let Some(Point::Float(value)) = samples.first().map(|s| &s.point) else {
                return Err("no value at the step".to_owned());
            };
            return compare::value(self.eval, &Value::Scalar { time_ms: time, value: *value });
        }
        compare::value(self.eval, &Value::Vector(samples))
    }

    /// The expression with every selector pinned to `time`, and other times to evaluate it at.
    fn pinned(&self, time: i64) -> Vec<(String, i64)> {
        let Ok(mut expr) = self.parsed(&self.eval.expr) else { return Vec::new() };
        let mut depends_on_time = false;
        expr.visit_mut(&mut |e| {
            let pin = |at: &mut At| {
                if !matches!(at, At::Millis(_)) {
                    *at = At::Millis(time);
                }
            };
            match e {
                Expr::Vector(v) => pin(&mut v.at),
                Expr::Matrix(m) => pin(&mut m.selector.at),
                Expr::Subquery(s) => {
                    pin(&mut s.at);
                    return false;
                }
                Expr::Call(c) => depends_on_time |= TIME_DEPENDENT.contains(&c.function.name),
                _ => {}
            }
            true
        });
        if depends_on_time {
            return Vec::new();
        }
        let text = expr.to_string();
        let times =
            if time == 0 { vec![-1000, 0, 1000] } else { vec![-10 * time, 0, time / 5, time, 10 * time] };
        times.into_iter().map(|t| (text.clone(), t)).collect()
    }
}
