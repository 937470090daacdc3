//! Room card: the entrance: an expression, a source and times in, an answer out. Knows what a query may cost and how its result is
//! shaped; how parts are evaluated is `eval`'s. Start at [`Engine::instant`] and [`Engine::range`].

use crate::annotation::Annotations;
use crate::ast::{Expr, ValueType};
use crate::eval::Evaluator;
use crate::explain::Explanation;
use crate::limits::{Budget, Control, Limits};
use crate::options::Options;
use crate::plan::{Plan, Times};
use crate::source::{SampleSource, SourceError};
use crate::statistics::Statistics;
use crate::value::Value;

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// It was understood, but makes no sense over this data.
    #[error("{0}")]
    Execution(String),
    /// It ran out of time.
    #[error("query timed out in expression evaluation")]
    Timeout,
    /// It was stopped from outside.
    #[error("query was canceled in expression evaluation")]
    Cancelled,
    /// It would read or hold too many samples.
    #[error("query processing would load too many samples into memory in query execution")]
    TooManySamples,
    /// It would hold too many bytes.
    #[error("query processing would use more than {limit} bytes of memory")]
    TooManyBytes {
        /// The limit.
        limit: u64,
    },
    /// It, or a subquery, has too many steps.
    #[error(
        "query would be evaluated at {steps} steps, the limit is {limit}: use a longer step or a shorter range"
    )]
    TooManySteps {
        /// How many it would have.
        steps: usize,
        /// The limit.
        limit: usize,
    },
    /// It is nested too deeply.
    #[error("expression is nested deeper than {limit} levels")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// The source failed.
    #[error("expanding series: {0}")]
    Source(#[source] SourceError),
}

impl QueryError {
    pub(crate) fn execution(message: &str) -> Self {
        Self::Execution(message.to_owned())
    }
}

/// The answer to a query.
#[derive(Debug)]
pub struct Answer {
    /// Its value.
    pub value: Value,
    /// What the user should know about it.
    pub annotations: Annotations,
    /// What it cost.
    pub statistics: Statistics,
    /// How it was computed.
    pub explanation: Explanation,
}

/// Evaluates expressions. Holds no state beside its settings.
#[derive(Clone, Debug, Default)]
pub struct Engine {
    /// How expressions are evaluated.
    pub options: Options,
    /// What a query may cost.
    pub limits: Limits,
}

impl Engine {
    /// The value of `expr` at `time` (milliseconds since the epoch).
    ///
    /// # Errors
    /// See [`QueryError`].
    pub fn instant(
        &self,
        expr: &Expr,
        source: &dyn SampleSource,
        time: i64,
        control: Control<'_>,
    ) -> Result<Answer, QueryError> {
        let plan = self.plan(expr, time, time, 1)?;
        self.evaluate(&plan, source, control, true)
    }

    /// The values of `expr` from `start` to `end`, `step` apart (milliseconds since the epoch).
    ///
    /// # Errors
    /// See [`QueryError`].
    pub fn range(
        &self,
        expr: &Expr,
        source: &dyn SampleSource,
        (start, end, step): (i64, i64, i64),
        control: Control<'_>,
    ) -> Result<Answer, QueryError> {
        let value_type = expr.value_type();
        if !matches!(value_type, ValueType::Scalar | ValueType::Vector) {
            let documented = value_type.documented();
            return Err(QueryError::Execution(format!(
                "invalid expression type {documented:?} for range query, must be Scalar or instant Vector"
            )));
        }
        if step <= 0 || end < start {
            return Err(QueryError::execution(
                "a range query needs a positive step and an end after its start",
            ));
        }
        let plan = self.plan(expr, start, end, step)?;
        self.evaluate(&plan, source, control, false)
    }

    /// The plan of `expr`, for [`Explanation::of`]; an instant query's if `start` is `end`.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub fn plan(&self, expr: &Expr, start: i64, end: i64, step: i64) -> Result<Plan, QueryError> {
        let times = Times { start, end, step, subquery_step: self.options.subquery_step_ms };
        Plan::build(expr, times)
    }

    fn evaluate(
        &self,
        plan: &Plan,
        source: &dyn SampleSource,
        control: Control<'_>,
        instant: bool,
    ) -> Result<Answer, QueryError> {
        let budget = Budget::new(self.limits, control);
        let evaluator = Evaluator::new(plan, source, &self.options, budget);
        let value = if instant { evaluator.instant_value()? } else { evaluator.range_value()? };
        let statistics = evaluator.statistics();
        let explanation = Explanation::with_work(plan, &evaluator.work());
        Ok(Answer { value, annotations: evaluator.into_annotations(), statistics, explanation })
    }
}
