//! Duration expressions: arithmetic over seconds, `step()` and `range()`.

use super::build::Times;
use crate::ast::{BinaryOp, DurationExpr, DurationKind, Length};
use crate::engine::QueryError;

/// The length in milliseconds. A range or a step must be positive, an offset may be anything.
pub(super) fn millis(length: &Length, times: &Times, negative_allowed: bool) -> Result<i64, QueryError> {
    let expr = match length {
        Length::Millis(millis) => return Ok(*millis),
        Length::Expr(expr) => expr,
    };
    let seconds = seconds(expr, times)?;
    if seconds <= 0.0 && !negative_allowed {
        return Err(QueryError::execution("duration must be greater than 0"));
    }
    // Durations are nanoseconds in 64 bits elsewhere: what does not fit there is refused here too.
    if seconds.is_nan() || seconds.abs() > i64::MAX as f64 / 1e9 {
        return Err(QueryError::execution("duration is out of range"));
    }
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked above; fractions are cut")]
    Ok((seconds * 1000.0) as i64)
}

fn seconds(expr: &DurationExpr, times: &Times) -> Result<f64, QueryError> {
    let both =
        |a: &DurationExpr, b: &DurationExpr| Ok::<_, QueryError>((seconds(a, times)?, seconds(b, times)?));
    Ok(match &expr.kind {
        DurationKind::Number(number) => number.value,
        DurationKind::Step => times.step_seconds(),
        DurationKind::Range => times.range_seconds(),
        DurationKind::Negate(inner) => -seconds(inner, times)?,
        DurationKind::Same(inner) => seconds(inner, times)?,
        DurationKind::Min(a, b) => both(a, b).map(|(a, b)| a.min(b))?,
        DurationKind::Max(a, b) => both(a, b).map(|(a, b)| a.max(b))?,
        DurationKind::Binary(op, a, b) => {
            let (a, b) = both(a, b)?;
            match op {
                BinaryOp::Add => a + b,
                BinaryOp::Sub => a - b,
                BinaryOp::Mul => a * b,
                BinaryOp::Div if b == 0.0 => return Err(QueryError::execution("division by zero")),
                BinaryOp::Div => a / b,
                BinaryOp::Mod if b == 0.0 => return Err(QueryError::execution("modulo by zero")),
                BinaryOp::Mod => a % b,
                BinaryOp::Pow => a.powf(b),
                op => {
                    let message = format!("unexpected duration expression operator {:?}", op.symbol());
                    return Err(QueryError::Execution(message));
                }
            }
        }
    })
}
