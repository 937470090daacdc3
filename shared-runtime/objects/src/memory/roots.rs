//! Roots in memory.
//!
//! Knows: the register and the swaps on their way to it, as `root_protocol.py` models them. Must not know: objects.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::ids::Dice;
use crate::layout::check_store;
use crate::{Root, RootError, Roots, StorePartition, SwapOutcome};

/// How often swaps and loads of [`MemoryRoots`] go wrong, in a thousand.
#[derive(Debug, Clone, Copy, Default)]
pub struct RootFaults {
    /// The swap never arrives; its outcome is unknown to the caller.
    pub lost_per_mille: u32,
    /// The swap arrives later, perhaps after others; its outcome is unknown to the caller.
    pub delayed_per_mille: u32,
    /// The swap arrives and its answer is lost.
    pub answer_lost_per_mille: u32,
    /// The load fails.
    pub load_per_mille: u32,
    /// Before each call, each swap on its way arrives with this chance.
    pub deliver_per_mille: u32,
}

/// Roots in memory; clones share them.
#[derive(Clone)]
pub struct MemoryRoots(Arc<Mutex<State>>);

struct State {
    roots: BTreeMap<StorePartition, Root>,
    in_flight: Vec<Swap>,
    dice: Dice,
    faults: RootFaults,
}

#[derive(Clone)]
struct Swap {
    of: StorePartition,
    expect: Option<(u64, u128)>,
    new: Root,
}

impl MemoryRoots {
    /// An empty register whose faults follow from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            roots: BTreeMap::new(),
            in_flight: Vec::new(),
            dice: Dice::new(seed),
            faults: RootFaults::default(),
        })))
    }

    /// Changes how often calls go wrong from now on.
    pub fn set_faults(&self, faults: RootFaults) {
        self.lock().faults = faults;
    }

    /// Swaps that were issued and have not arrived yet.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.lock().in_flight.len()
    }

    /// Lets one swap on its way arrive, chosen by the dice; says whether there was one.
    pub fn deliver_one(&self) -> bool {
        let mut state = self.lock();
        let roll = usize::try_from(state.dice.roll() >> 32).unwrap_or(0);
        let Some(at) = roll.checked_rem(state.in_flight.len()) else { return false };
        let swap = state.in_flight.swap_remove(at);
        state.arrive(&swap);
        true
    }

    /// Lets all swaps on their way be lost for ever.
    pub fn lose_all(&self) {
        self.lock().in_flight.clear();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn arrive(&mut self, swap: &Swap) -> SwapOutcome {
        let current = self.roots.get(&swap.of);
        if current == Some(&swap.new) {
            return SwapOutcome::Applied;
        }
        if current.map(Root::expectation) != swap.expect {
            return SwapOutcome::Refused(current.copied());
        }
        self.roots.insert(swap.of.clone(), swap.new);
        SwapOutcome::Applied
    }

    fn deliver_some(&mut self) {
        let chance = self.faults.deliver_per_mille;
        for swap in std::mem::take(&mut self.in_flight) {
            if self.dice.chance(chance) {
                self.arrive(&swap);
            } else {
                self.in_flight.push(swap);
            }
        }
    }
}

impl Roots for MemoryRoots {
    fn load(&self, of: &StorePartition) -> Result<Option<Root>, RootError> {
        check_store(&of.store)?;
        let mut state = self.lock();
        state.deliver_some();
        let chance = state.faults.load_per_mille;
        if state.dice.chance(chance) {
            let source = io::Error::other("injected fault");
            return Err(RootError::Io { action: "load", path: format!("root of {of} in memory"), source });
        }
        Ok(state.roots.get(of).copied())
    }

    fn swap(
        &self,
        of: &StorePartition,
        expect: Option<(u64, u128)>,
        new: &Root,
    ) -> Result<SwapOutcome, RootError> {
        check_store(&of.store)?;
        crate::root::check_growth(of, expect, new)?;
        let unknown = |action| RootError::Unknown {
            of: of.clone(),
            version: new.version,
            action,
            source: io::Error::other("injected fault"),
        };
        let mut state = self.lock();
        state.deliver_some();
        let faults = state.faults;
        let swap = Swap { of: of.clone(), expect, new: *new };
        if state.dice.chance(faults.lost_per_mille) {
            return Err(unknown("send it"));
        }
        if state.dice.chance(faults.delayed_per_mille) {
            state.in_flight.push(swap);
            return Err(unknown("wait for its answer"));
        }
        let outcome = state.arrive(&swap);
        if state.dice.chance(faults.answer_lost_per_mille) {
            return Err(unknown("read its answer"));
        }
        Ok(outcome)
    }
}
