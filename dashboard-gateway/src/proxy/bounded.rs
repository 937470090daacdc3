//! A body with an end: after a moment it breaks off, and it holds its place in the line until then.
//!
//! Knows: frames, a deadline, a permit. Must not know: what is in it. Start at [`Bounded`].

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http_body::{Body, Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep, sleep_until};

/// The time for an answer was over before its last byte came.
#[derive(Debug, thiserror::Error)]
#[error("the answer took too long and was broken off")]
pub(super) struct TooLong;

/// `body` until the deadline; the permit is given back when it ends or is dropped.
pub(super) struct Bounded<B> {
    body: Pin<Box<B>>,
    deadline: Pin<Box<Sleep>>,
    _permit: OwnedSemaphorePermit,
}

impl<B> Bounded<B> {
    pub(super) fn new(body: B, deadline: Instant, permit: OwnedSemaphorePermit) -> Self {
        Self { body: Box::pin(body), deadline: Box::pin(sleep_until(deadline)), _permit: permit }
    }
}

impl<B> Body for Bounded<B>
where
    B: Body,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    type Data = B::Data;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, axum::BoxError>>> {
        if let Poll::Ready(frame) = self.body.as_mut().poll_frame(context) {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        ready!(self.deadline.as_mut().poll(context));
        Poll::Ready(Some(Err(Box::new(TooLong))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
