//! A started service: where it listens, and how it is drained, stage by stage.
//!
//! Knows: steps and deadlines. Must not know: what a step does. Start at [`Running`].

use std::fmt;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::Tasks;

/// How long cancelled tasks may take to notice.
const TASKS_DEADLINE: Duration = Duration::from_secs(1);

/// Something that a user or a neighbour can connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Such as `OTLP gRPC`.
    pub what: &'static str,
    /// Such as `http://127.0.0.1:4318`.
    pub url: String,
}

/// One stage of a drain.
pub struct Step {
    /// Such as `flush heads`.
    pub name: String,
    /// After this the drain goes on without it, and the process will exit with a failure.
    pub deadline: Duration,
    /// The work.
    pub run: BoxFuture<'static, anyhow::Result<()>>,
}

impl Step {
    /// A step that runs `work`, for at most `deadline`.
    pub fn new<F>(name: impl Into<String>, deadline: Duration, work: F) -> Self
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        Self { name: name.into(), deadline, run: work.boxed() }
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (≤ {:?})", self.name, self.deadline)
    }
}

/// A started service.
#[derive(Debug)]
pub struct Running {
    /// Name of the service.
    pub name: &'static str,
    /// Where it listens.
    pub addresses: Vec<Address>,
    /// Its tasks; what is left of them after the steps is cancelled.
    pub tasks: Tasks,
    /// Stages of its drain, in order.
    pub steps: Vec<Step>,
    /// Printed to standard output once the service runs.
    pub banner: Option<String>,
}

/// How a drain went.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Steps that missed their deadline or failed, with the reason.
    pub failures: Vec<String>,
}

impl Running {
    /// A service without steps or addresses yet.
    #[must_use]
    pub fn new(name: &'static str, tasks: Tasks) -> Self {
        Self { name, addresses: Vec::new(), tasks, steps: Vec::new(), banner: None }
    }

    /// The URL of the address called `what`.
    #[must_use]
    pub fn url(&self, what: &str) -> Option<&str> {
        self.addresses.iter().find(|a| a.what == what).map(|a| a.url.as_str())
    }

    /// Adds a stage to the end of the drain.
    pub fn step<F>(&mut self, name: impl Into<String>, deadline: Duration, work: F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.steps.push(Step::new(name, deadline, work));
    }

    /// Several services as one, drained one after the other in the order of `parts`.
    #[must_use]
    pub fn together(name: &'static str, tasks: Tasks, parts: Vec<Self>) -> Self {
        let mut all = Self::new(name, tasks);
        for part in parts {
            let (service, tasks) = (part.name, part.tasks);
            all.addresses.extend(part.addresses);
            let named =
                part.steps.into_iter().map(|step| Step { name: format!("{service}: {}", step.name), ..step });
            all.steps.extend(named);
            all.step(format!("{service}: end tasks"), TASKS_DEADLINE * 2, async move {
                end(&tasks).await;
                Ok(())
            });
        }
        all
    }

    /// Runs the stages in order, then cancels what is left.
    #[must_use]
    pub fn drain(self) -> BoxFuture<'static, Drained> {
        Box::pin(async move {
            let mut drained = Drained::default();
            for step in self.steps {
                let failure = match tokio::time::timeout(step.deadline, step.run).await {
                    Ok(Ok(())) => None,
                    Ok(Err(e)) => Some(format!("{}: {} failed: {e:#}", self.name, step.name)),
                    Err(_elapsed) => {
                        Some(format!("{}: {} took longer than {:?}", self.name, step.name, step.deadline))
                    }
                };
                if let Some(failure) = failure {
                    tracing::error!(service = self.name, step = step.name, failure, "drain step failed");
                    drained.failures.push(failure);
                }
            }
            end(&self.tasks).await;
            drained
        })
    }
}

async fn end(tasks: &Tasks) {
    tasks.cancel();
    if !tasks.join(TASKS_DEADLINE).await {
        tracing::warn!("tasks still run at the end of the drain");
    }
}
