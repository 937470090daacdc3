//! Exponential back-off that honours the next hop's hint and never outlives the caller's patience.
//!
//! Knows: `retry_on_failure`. Must not know: what is tried. Start at [`RetryConfig::run`].

use std::time::Duration;

use rand::Rng;
use serde::Deserialize;
use tokio::time::Instant;

use crate::config::GoDuration;
use crate::pipeline::Outcome;

/// `retry_on_failure`. The reference waits 5 s and retries for 5 min, having acknowledged long before; here the caller
/// waits, so by default a short fault is bridged and a longer one is answered with a retry hint.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct RetryConfig {
    enabled: bool,
    initial_interval: GoDuration,
    randomization_factor: f64,
    multiplier: f64,
    max_interval: GoDuration,
    /// 0 = for ever.
    max_elapsed_time: GoDuration,
}

impl Default for RetryConfig {
    fn default() -> Self {
        RetryConfig {
            enabled: true,
            initial_interval: GoDuration(Duration::from_millis(50)),
            randomization_factor: 0.5,
            multiplier: 1.5,
            max_interval: GoDuration(Duration::from_secs(30)),
            max_elapsed_time: GoDuration(Duration::from_millis(800)),
        }
    }
}

impl RetryConfig {
    pub(crate) fn validate(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if !(0.0..=1.0).contains(&self.randomization_factor) {
            problems.push("retry_on_failure: 'randomization_factor' must be within [0, 1]".to_owned());
        }
        if self.multiplier < 0.0 || !self.multiplier.is_finite() {
            problems.push("retry_on_failure: 'multiplier' must be non-negative".to_owned());
        }
        if !self.max_elapsed_time.0.is_zero() && self.max_elapsed_time.0 < self.initial_interval.0 {
            let text = "retry_on_failure: 'max_elapsed_time' must not be less than 'initial_interval'";
            problems.push(text.to_owned());
        }
        problems
    }

    /// Tries until it succeeds, fails for good, or the time is over; then the last failure is the answer.
    pub(crate) async fn run<F, T>(&self, mut attempt: F) -> Outcome
    where
        F: FnMut() -> T,
        T: Future<Output = Outcome>,
    {
        let begin = Instant::now();
        let mut interval = self.initial_interval.0;
        loop {
            let status = match attempt().await {
                Err(status) if self.enabled && status.kind.is_retryable() => status,
                outcome => return outcome,
            };
            let wait = self.spread(interval).max(status.retry_after.unwrap_or_default());
            let over = !self.max_elapsed_time.0.is_zero() && begin.elapsed() + wait > self.max_elapsed_time.0;
            if over {
                return Err(status);
            }
            tracing::debug!(error = %status, ?wait, "export failed, trying again");
            tokio::time::sleep(wait).await;
            interval = interval.mul_f64(self.multiplier.max(1.0)).min(self.max_interval.0);
        }
    }

    fn spread(&self, interval: Duration) -> Duration {
        let factor = self.randomization_factor;
        if factor <= 0.0 {
            return interval;
        }
        interval.mul_f64(rand::rng().random_range(1.0 - factor..=1.0 + factor))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use runtime_service::{Kind, Status};

    use super::*;
    use crate::pipeline::Ack;

    fn config(max_elapsed_ms: u64) -> RetryConfig {
        RetryConfig {
            initial_interval: GoDuration(Duration::from_millis(100)),
            randomization_factor: 0.0,
            multiplier: 2.0,
            max_elapsed_time: GoDuration(Duration::from_millis(max_elapsed_ms)),
            ..RetryConfig::default()
        }
    }

    async fn attempts(config: &RetryConfig, answers: &[Outcome]) -> (Vec<u128>, Outcome) {
        let begin = Instant::now();
        let times = RefCell::new(Vec::new());
        let outcome = config
            .run(|| {
                let at = times.borrow().len();
                times.borrow_mut().push(begin.elapsed().as_millis());
                let answer = answers.get(at).or(answers.last()).unwrap().clone();
                async move { answer }
            })
            .await;
        (times.into_inner(), outcome)
    }

    #[tokio::test(start_paused = true)]
    async fn retries_back_off_and_end_with_success() {
        let busy = Err(Status::new(Kind::Unavailable, "busy"));
        let answers = [busy.clone(), busy.clone(), busy, Ok(Ack::default())];
        let (times, outcome) = attempts(&config(10_000), &answers).await;
        assert_eq!(times, [0, 100, 300, 700]);
        assert!(outcome.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_hint_of_the_next_hop_is_waited_for() {
        let hinted = Err(Status {
            kind: Kind::Exhausted,
            message: "full".into(),
            retry_after: Some(Duration::from_secs(2)),
        });
        let (times, outcome) = attempts(&config(10_000), &[hinted, Ok(Ack::default())]).await;
        assert_eq!(times, [0, 2000]);
        assert!(outcome.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_permanent_failure_is_not_retried_and_time_ends_the_rest() {
        let (times, outcome) = attempts(&config(10_000), &[Err(Status::new(Kind::Invalid, "bad"))]).await;
        assert_eq!((times.len(), outcome.unwrap_err().kind), (1, Kind::Invalid));
        let (times, outcome) = attempts(&config(500), &[Err(Status::new(Kind::Unavailable, "away"))]).await;
        assert_eq!(times, [0, 100, 300]);
        assert_eq!(outcome.unwrap_err().message, "away");
    }
}
