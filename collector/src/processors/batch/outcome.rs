//! What each of several merged requests is answered.
//!
//! Knows: acks, partial success, refusals. Must not know: when requests are merged. Start at [`export`].

use shared_proto::otlp::Rejected;

use super::{Waiting, merged};
use crate::pipeline::{Ack, Consumer, Outcome};

/// Exports a group and answers each of its requests.
///
/// A merged request that is refused for good is tried again in its parts, so that one poisoned request does not fail
/// its neighbours: nothing of it was taken, so nothing is doubled.
pub(super) async fn export(next: &dyn Consumer, group: Vec<Waiting>) {
    let Some(batch) = merged(&group) else { return };
    match next.consume(batch).await {
        Err(status) if group.len() > 1 && !status.kind.is_retryable() => {
            for one in group {
                let outcome = next.consume(one.batch).await;
                let _the_caller_is_gone = one.answer.send(outcome);
            }
        }
        Err(status) => {
            for one in group {
                let _the_caller_is_gone = one.answer.send(Err(status.clone()));
            }
        }
        Ok(ack) => {
            let items: Vec<u64> = group.iter().map(|one| one.batch.items).collect();
            for (one, outcome) in group.into_iter().zip(shares(&ack, &items)) {
                let _the_caller_is_gone = one.answer.send(outcome);
            }
        }
    }
}

/// Each request's part of an ack. The next hop says how many items it rejected, not whose: the count is shared out by
/// size, so that it stays exact in sum, never exceeds a request's items, and the message says so.
fn shares(ack: &Ack, items: &[u64]) -> Vec<Outcome> {
    let Some(rejected) = ack.rejected.as_ref().filter(|_| items.len() > 1) else {
        return items.iter().map(|_| Ok(ack.clone())).collect();
    };
    let total: u64 = items.iter().sum();
    let mut left = rejected.items.min(total);
    let mut shares: Vec<u64> = Vec::with_capacity(items.len());
    for own in items {
        let share = u128::from(rejected.items.min(total)) * u128::from(*own) / u128::from(total.max(1));
        let share = u64::try_from(share).unwrap_or(0).min(left);
        left -= share;
        shares.push(share);
    }
    for (share, own) in shares.iter_mut().zip(items) {
        let more = left.min(own - *share);
        *share += more;
        left -= more;
    }
    let (count, requests, first) = (rejected.items, items.len(), &rejected.first);
    let text =
        format!("{count} of {total} items of {requests} requests sent together were rejected: {first}");
    shares
        .into_iter()
        .map(|share| {
            let rejected = Some(Rejected { items: share, first: text.clone() });
            Ok(Ack { positions: ack.positions.clone(), rejected })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejected_items_are_shared_out_exactly() {
        let check = |rejected: u64, items: &[u64], expect: &[u64]| {
            let ack =
                Ack { positions: None, rejected: Some(Rejected { items: rejected, first: "why".into() }) };
            let got: Vec<u64> =
                shares(&ack, items).into_iter().map(|o| o.unwrap().rejected.unwrap().items).collect();
            assert_eq!(got, expect, "{rejected} of {items:?}");
        };
        check(3, &[10], &[3]);
        check(3, &[10, 10], &[2, 1]);
        check(1, &[1, 99], &[1, 0]);
        check(100, &[1, 99], &[1, 99]);
        check(0, &[5, 5], &[0, 0]);
        check(7, &[0, 7, 0], &[0, 7, 0]);
    }
}
