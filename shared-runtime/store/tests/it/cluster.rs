//! Two holders of one partition over shared objects, roots and log, interleaved step by step.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use runtime_engine::{Offset, Partition, Snapshot, Stop};
use runtime_files::sim::{SimClock, SimFiles};
use runtime_log::{LocalLog, NewRecord};
use runtime_objects::{MemoryObjects, MemoryRoots, ObjectFaults, Objects, RootFaults, Roots, StorePartition};
use runtime_store::toy::{Toy, numbers, payload};
use runtime_store::{Budget, Counters, Flush, Holder, Media, Merge, Mutation, Planned, StoreConfig, Written};

use crate::chance::Dice;
use crate::node::{START, config, log_config};

/// One process that holds the partition.
struct Replica {
    holder: Holder<Toy>,
    flush: Option<(Flush<Toy>, Written)>,
    merges: Vec<(Merge<Toy>, Written)>,
}

/// Shared media and both processes.
pub(crate) struct Cluster {
    media: Media,
    log: LocalLog,
    clock: SimClock,
    objects: MemoryObjects,
    roots: MemoryRoots,
    replicas: Vec<Replica>,
    config: Arc<StoreConfig>,
    /// What the log holds, by offset.
    records: BTreeMap<u64, Vec<u64>>,
    dice: Dice,
    writers: u128,
    /// Claims come often, and work is held long.
    rivalry: bool,
    /// Counters of processes that are gone.
    past: Vec<Counters>,
    /// Merges that were committed although a flush came between.
    pub(crate) rebased: u64,
}

/// Steps of one run.
pub(crate) const STEPS: u64 = 300;

const ROOT_FAULTS: RootFaults = RootFaults {
    lost_per_mille: 150,
    delayed_per_mille: 200,
    answer_lost_per_mille: 150,
    load_per_mille: 30,
    deliver_per_mille: 200,
};
const OBJECT_FAULTS: ObjectFaults = ObjectFaults { before_per_mille: 20, after_per_mille: 20 };

impl Cluster {
    pub(crate) fn new(seed: u64, mutations: &[Mutation]) -> Self {
        let clock = SimClock::new(START);
        let files = Arc::new(SimFiles::new(seed));
        let log = LocalLog::open(files, Arc::new(clock.clone()), log_config(), Offset(0)).unwrap();
        let (objects, roots) = (MemoryObjects::new(seed), MemoryRoots::new(seed));
        let media = Media {
            writer: Arc::new(log.clone()),
            reader: Arc::new(log.clone()),
            keeper: Arc::new(log.clone()),
            objects: Arc::new(objects.clone()),
            roots: Arc::new(roots.clone()),
            clock: Arc::new(clock.clone()),
        };
        let config = Arc::new(StoreConfig { partitions: 1, ..config(mutations) });
        let mut cluster = Self {
            media,
            log,
            clock,
            objects,
            roots,
            replicas: Vec::new(),
            config,
            records: BTreeMap::new(),
            dice: Dice::new(seed),
            writers: 0,
            rivalry: seed % 2 == 1,
            past: Vec::new(),
            rebased: 0,
        };
        for _ in 0..2 {
            let replica = cluster.open().unwrap();
            cluster.replicas.push(replica);
        }
        cluster
    }

    fn set_faults(&self, on: bool) {
        self.roots.set_faults(if on { ROOT_FAULTS } else { RootFaults::default() });
        self.objects.set_faults(if on { OBJECT_FAULTS } else { ObjectFaults::default() });
    }

    fn open(&self) -> Option<Replica> {
        let budget = Arc::new(Budget::new(self.config.head_bytes_max, 1));
        let config = Arc::clone(&self.config);
        let holder = Holder::open(Arc::new(Toy), config, Partition(0), &self.media, budget).ok()?;
        Some(Replica { holder, flush: None, merges: Vec::new() })
    }

    /// One step of one process, or of the world; whatever it answers, the rules must hold.
    pub(crate) fn step(&mut self) {
        self.set_faults(true);
        let i = usize::from(self.dice.below(2) == 1);
        let roll = self.dice.below(100);
        if self.rivalry && roll < 20 {
            match roll {
                0..=7 => self.claim(i),
                8..=13 => drop(self.replicas[i].holder.follow()),
                _ => self.begin_flush(i),
            }
            return self.set_faults(false);
        }
        match self.dice.below(100) {
            0..=13 => self.append(),
            14..=28 => drop(self.replicas[i].holder.replay_step()),
            29..=35 => drop(self.replicas[i].holder.seal()),
            36..=48 => self.begin_flush(i),
            49..=60 => self.commit_flush(i),
            61..=69 => self.begin_merge(i),
            70..=76 => self.commit_merge(i),
            77..=81 => drop(self.replicas[i].holder.delete_step()),
            82..=85 => drop(self.replicas[i].holder.sweep()),
            86..=88 => self.claim(i),
            89..=92 => drop(self.replicas[i].holder.follow()),
            93 => self.restart(i),
            94 => drop(self.replicas[i].holder.empty_commit()),
            95..=96 => self.log.release(&[self.replicas[i].holder.confirmed()]),
            97 => drop(self.roots.deliver_one()),
            98 if self.dice.below(3) == 0 => drop(self.replicas[i].holder.release()),
            _ => self.clock.advance(Duration::from_secs(self.dice.below(40))),
        }
        self.set_faults(false);
    }

    /// Two holders that nothing goes wrong for, and that nobody steps.
    pub(crate) fn quiet() -> Self {
        let cluster = Self::new(0, &[]);
        cluster.set_faults(false);
        cluster
    }

    pub(crate) fn holders(&self) -> (&Holder<Toy>, &Holder<Toy>) {
        (&self.replicas[0].holder, &self.replicas[1].holder)
    }

    pub(crate) fn append(&mut self) {
        let first = self.records.len() as u64 * 10;
        let some: Vec<u64> = (0..=self.dice.below(3)).map(|i| first + i).collect();
        let record = NewRecord {
            partition: Partition(0),
            tenant: Arc::from("default"),
            encoding: 1,
            payload: payload(&some),
        };
        let offsets = self.log.append_now(&[record]).unwrap();
        self.records.insert(offsets[0].0, some);
    }

    fn begin_flush(&mut self, i: usize) {
        let r = &mut self.replicas[i];
        if let Ok(Some(flush)) = r.holder.begin_flush()
            && let Ok(written) = r.holder.write_flush(&flush)
        {
            r.flush = Some((flush, written));
        }
    }

    fn commit_flush(&mut self, i: usize) {
        let r = &mut self.replicas[i];
        if let Some((flush, written)) = r.flush.take() {
            drop(r.holder.commit_flush(&flush, written));
        }
    }

    fn begin_merge(&mut self, i: usize) {
        let r = &mut self.replicas[i];
        if let Ok(Planned::Merge(merge)) = r.holder.plan()
            && let Ok(written) = r.holder.write_merge(&merge, &Stop::default(), 1.0)
        {
            r.merges.push((merge, written));
        }
    }

    fn commit_merge(&mut self, i: usize) {
        let r = &mut self.replicas[i];
        if r.merges.is_empty() {
            return;
        }
        let (merge, written) = r.merges.remove(0);
        let before = r.holder.stats().counters;
        drop(r.holder.commit_merge(&merge, written));
        if r.holder.stats().counters.merges > before.merges && r.flush.is_some() {
            self.rebased += 1;
        }
    }

    fn claim(&mut self, i: usize) {
        self.writers += 1;
        drop(self.replicas[i].holder.claim(self.writers));
    }

    fn restart(&mut self, i: usize) {
        if let Some(replica) = self.open() {
            self.past.push(self.replicas[i].holder.stats().counters);
            self.replicas[i] = replica;
        }
    }

    /// A snapshot shows the records below its position, each once, and no others.
    fn check_snapshot(&self, who: &str, snap: &Snapshot<Toy>) -> Result<(), String> {
        let mut expected: Vec<u64> =
            self.records.range(..snap.position.offset.0).flat_map(|(_, n)| n.iter().copied()).collect();
        expected.sort_unstable();
        let seen = numbers(snap);
        if seen == expected {
            return Ok(());
        }
        let doubled: Vec<_> = seen.windows(2).filter(|w| w[0] == w[1]).map(|w| w[0]).collect();
        let lost: Vec<_> = expected.iter().filter(|n| !seen.contains(n)).collect();
        let phantom: Vec<_> = seen.iter().filter(|n| !expected.contains(n)).collect();
        if lost.len() + doubled.len() + phantom.len() > 0
            && snap.quarantined > 0
            && doubled.len() + phantom.len() == 0
        {
            return Ok(());
        }
        Err(format!(
            "{who} at {}: lost {lost:?}, doubled {doubled:?}, phantom {phantom:?}",
            snap.position.offset
        ))
    }

    /// What holds after every step: both snapshots are exact, and so is what the root names.
    pub(crate) fn check(&self) -> Result<(), String> {
        for (i, r) in self.replicas.iter().enumerate() {
            self.check_snapshot(&format!("replica {i}"), &r.holder.snapshot())?;
        }
        let fresh = self.open().ok_or("the root cannot be opened")?.holder.snapshot();
        if fresh.quarantined > 0 {
            return Err(format!("{} objects that the root names cannot be read", fresh.quarantined));
        }
        self.check_snapshot("the root", &fresh)
    }

    /// Without further faults everything comes to rest: all in objects, nothing missing, no garbage.
    pub(crate) fn settle(&mut self) -> Result<(), String> {
        self.set_faults(false);
        self.roots.lose_all();
        for i in 0..2 {
            self.replicas[i].flush = None;
            self.replicas[i].merges.clear();
        }
        self.writers += 1;
        let failed = |e: runtime_store::StepError| format!("a step failed without a fault: {e}");
        let h = &self.replicas[0].holder;
        // what the simulator dropped half written is the next epoch's to sweep
        h.release().map_err(failed)?;
        let mine = h.claim(self.writers).map_err(failed)?;
        if !mine {
            return Err("a claim was refused without a rival".to_owned());
        }
        for _ in 0..1000 {
            h.replay_step().map_err(failed)?;
        }
        h.seal().map_err(failed)?;
        while h.flush_step().map_err(failed)? == runtime_store::Outcome::Committed {}
        while h.compaction_step(&Stop::default(), 1.0).map_err(failed)? == runtime_store::Outcome::Committed {
        }
        h.reopen();
        let other = &self.replicas[1].holder;
        other.follow().map_err(failed)?;
        other.reopen();
        for _ in 0..1000 {
            other.replay_step().map_err(failed)?;
        }
        self.check()?;
        for (i, h) in [h, other].into_iter().enumerate() {
            let end = self.records.last_key_value().map_or(0, |(o, _)| o + 1);
            if h.position().offset.0 < end || h.quarantined() != 0 {
                return Err(format!(
                    "replica {i}: position {} of {end}, {} quarantined, {:?}",
                    h.position().offset,
                    h.quarantined(),
                    h.stats()
                ));
            }
        }
        Ok(())
    }

    /// After a sweep and the grace period the medium holds what the root names, and nothing else.
    pub(crate) fn check_garbage(&self) -> Result<(), String> {
        let h = &self.replicas[0].holder;
        h.sweep().map_err(|e| e.to_string())?;
        self.clock.advance(self.config.grace);
        h.delete_step().map_err(|e| e.to_string())?;
        let of = StorePartition::new("toys", 0);
        let stored = self.objects.list(&of).map_err(|e| e.to_string())?;
        let root = self.roots.load(&of).map_err(|e| e.to_string())?.ok_or("no root")?;
        let named = h.stats().objects * 2 + usize::from(root.manifest.is_some());
        if stored.len() == named { Ok(()) } else { Err(format!("{} stored, {named} named", stored.len())) }
    }

    /// Sums of all processes, gone ones too.
    pub(crate) fn counters(&self) -> Vec<Counters> {
        let now = self.replicas.iter().map(|r| r.holder.stats().counters);
        self.past.iter().copied().chain(now).collect()
    }
}

/// Runs a cluster; says which rule broke first.
pub(crate) fn run(seed: u64, steps: u64, mutations: &[Mutation]) -> Result<Cluster, String> {
    let mut cluster = Cluster::new(seed, mutations);
    for n in 0..steps {
        cluster.step();
        cluster.check().map_err(|e| format!("seed {seed}, step {n}: {e}"))?;
    }
    cluster.settle().map_err(|e| format!("seed {seed}, at rest: {e}"))?;
    Ok(cluster)
}
