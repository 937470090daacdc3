//! One node on simulated files: log, objects, roots and holders, a workload, and the acked-set checker.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use runtime_engine::{Offset, Partition, Policy, Stop};
use runtime_files::sim::{SimClock, SimFiles};
use runtime_log::{LocalLog, LogConfig, NewRecord};
use runtime_objects::{Ids, LocalObjects, LocalRoots, Objects, StorePartition};
use runtime_store::toy::{Toy, numbers, payload};
use runtime_store::{Budget, Holder, Media, Mutation, Replayed, StoreConfig};

use crate::chance::Dice;

pub(crate) const PARTITIONS: u32 = 2;
pub(crate) const START: u64 = 1_700_000_000_000_000_000;

pub(crate) fn config(mutations: &[Mutation]) -> StoreConfig {
    StoreConfig {
        name: Arc::from("toys"),
        partitions: PARTITIONS,
        head_bytes_max: 16 << 10,
        generation_bytes: 96,
        generation_age: Duration::from_secs(300),
        read_bytes: 64,
        policy: Policy { retention: None, retention_bytes: None, merge_fan_in: 2, object_bytes_max: 1 << 20 },
        compaction_cpu_share: 1.0,
        grace: Duration::from_secs(30),
        mutations: mutations.to_vec(),
        ..StoreConfig::default()
    }
}

pub(crate) fn log_config() -> LogConfig {
    LogConfig { file_bytes: 400, reserve_bytes: 0, tail_bytes_max: 256, ..LogConfig::new("/data/log") }
}

/// A running process.
pub(crate) struct Life {
    pub(crate) log: LocalLog,
    pub(crate) objects: Arc<LocalObjects>,
    pub(crate) holders: Vec<Holder<Toy>>,
}

pub(crate) fn media(
    files: &SimFiles,
    clock: &SimClock,
    salt: u64,
) -> Fallible<(LocalLog, Arc<LocalObjects>, Media)> {
    let shared: Arc<SimFiles> = Arc::new(files.clone());
    let roots = LocalRoots::open(shared.clone(), Path::new("/data"))?;
    let objects = Arc::new(LocalObjects::open(shared.clone(), Path::new("/data"), Ids::seeded(salt))?);
    let clock = Arc::new(clock.clone());
    let log = LocalLog::open(shared, clock.clone(), log_config(), Offset(0))?;
    let media = Media {
        writer: Arc::new(log.clone()),
        reader: Arc::new(log.clone()),
        keeper: Arc::new(log.clone()),
        objects: objects.clone(),
        roots: Arc::new(roots),
        clock,
    };
    Ok((log, objects, media))
}

/// Errors of a step are faults of the medium: the workload goes on.
pub(crate) type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

impl Life {
    pub(crate) fn open(
        files: &SimFiles,
        clock: &SimClock,
        salt: u64,
        config: &StoreConfig,
    ) -> Fallible<Self> {
        let (log, objects, media) = media(files, clock, salt)?;
        let (engine, config) = (Arc::new(Toy), Arc::new(config.clone()));
        let budget = Arc::new(Budget::new(config.head_bytes_max, config.partitions));
        let mut holders = Vec::new();
        for p in 0..config.partitions {
            let (engine, config, budget) = (engine.clone(), config.clone(), budget.clone());
            holders.push(Holder::open(engine, config, Partition(p), &media, budget)?);
        }
        media.keeper.raise_floor(holders.iter().map(|h| h.root().offset).max().unwrap());
        for (i, h) in holders.iter().enumerate() {
            h.claim(u128::from(salt) << 64 | (i as u128 + 1))?;
        }
        Ok(Self { log, objects, holders })
    }

    pub(crate) fn release_log(&self) {
        let offsets: Vec<_> = self.holders.iter().map(Holder::confirmed).collect();
        self.log.release(&offsets);
    }

    /// Replays until everything durable is in the heads; flushes when the budget asks for it.
    pub(crate) fn catch_up(&self) -> Fallible<()> {
        for h in &self.holders {
            for _ in 0..10_000 {
                match h.replay_step()? {
                    Replayed::CaughtUp => break,
                    Replayed::More => {}
                    Replayed::Paused => {
                        h.seal()?;
                        h.flush_step()?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The world around the process: its disk, its clock, and what it acknowledged.
pub(crate) struct Node {
    pub(crate) files: SimFiles,
    pub(crate) clock: SimClock,
    pub(crate) config: StoreConfig,
    pub(crate) life: Option<Life>,
    pub(crate) sent: BTreeSet<u64>,
    pub(crate) acked: BTreeSet<u64>,
    next: u64,
    lives: u64,
}

impl Node {
    pub(crate) fn new(seed: u64, mutations: &[Mutation]) -> Self {
        Self {
            files: SimFiles::new(seed),
            clock: SimClock::new(START),
            config: config(mutations),
            life: None,
            sent: BTreeSet::new(),
            acked: BTreeSet::new(),
            next: 1,
            lives: 0,
        }
    }

    pub(crate) fn start(&mut self) -> Fallible<()> {
        self.lives += 1;
        self.life = Some(Life::open(&self.files, &self.clock, self.lives, &self.config)?);
        Ok(())
    }

    pub(crate) fn stop(&mut self) {
        self.life = None;
    }

    /// One step of the workload; an error is what a fault did.
    pub(crate) fn step(&mut self, dice: &mut Dice) -> Fallible<()> {
        let Some(life) = &self.life else { return Ok(()) };
        let h = dice.pick(&life.holders);
        match dice.below(20) {
            0..=6 => return self.append(dice),
            7..=9 => life.catch_up()?,
            10 => {
                h.seal()?;
            }
            11..=13 => {
                h.flush_step()?;
            }
            14..=15 => {
                h.compaction_step(&Stop::default(), 1.0)?;
            }
            16 => {
                h.delete_step()?;
            }
            17 => {
                h.sweep()?;
            }
            18 => {
                h.empty_commit()?;
                life.release_log();
            }
            _ => self.clock.advance(Duration::from_secs(dice.below(60))),
        }
        Ok(())
    }

    pub(crate) fn append(&mut self, dice: &mut Dice) -> Fallible<()> {
        let Some(life) = &self.life else { return Ok(()) };
        let mut taken = Vec::new();
        let mut records = Vec::new();
        for _ in 0..=dice.below(3) {
            let some: Vec<u64> = (0..=dice.below(4)).map(|i| self.next + i).collect();
            self.next += 10;
            records.push(NewRecord {
                partition: *dice.pick(&[Partition(0), Partition(1)]),
                tenant: Arc::from("default"),
                encoding: 1,
                payload: payload(&some),
            });
            taken.extend(some);
        }
        self.sent.extend(&taken);
        life.log.append_now(&records)?;
        self.acked.extend(&taken);
        Ok(())
    }

    /// Puts `count` numbers from `first` on into objects of their own, in turn over the partitions.
    pub(crate) fn fill(&mut self, first: u64, count: u64) -> Vec<u64> {
        let life = self.life.as_ref().unwrap();
        for n in first..first + count {
            let partition = Partition(u32::try_from(n % u64::from(PARTITIONS)).unwrap());
            let record =
                NewRecord { partition, tenant: Arc::from("default"), encoding: 1, payload: payload(&[n]) };
            life.log.append_now(&[record]).unwrap();
            life.catch_up().unwrap();
            for h in &life.holders {
                h.seal().unwrap();
                h.flush_step().unwrap();
            }
        }
        (first..first + count).collect()
    }

    /// Everything that is visible once the log is replayed, sorted.
    pub(crate) fn seen(&self) -> Fallible<Vec<u64>> {
        let life = self.life.as_ref().ok_or("no life")?;
        life.catch_up()?;
        let mut all: Vec<u64> = life.holders.iter().flat_map(|h| numbers(&h.snapshot())).collect();
        all.sort_unstable();
        Ok(all)
    }

    /// Everything acknowledged is there once, nothing that was never sent is, and nothing is quarantined.
    pub(crate) fn check(&self, when: &str) -> Result<(), String> {
        let life = self.life.as_ref().ok_or("no life to check")?;
        life.catch_up().map_err(|e| format!("{when}: cannot replay: {e}"))?;
        let mut seen = Vec::new();
        for h in &life.holders {
            let snap = h.snapshot();
            if snap.quarantined != 0 {
                return Err(format!(
                    "{when}: {} quarantined in partition {}",
                    snap.quarantined,
                    h.partition()
                ));
            }
            seen.extend(numbers(&snap));
        }
        seen.sort_unstable();
        if let Some(w) = seen.windows(2).find(|w| w[0] == w[1]) {
            return Err(format!("{when}: {} is doubled", w[0]));
        }
        let seen: BTreeSet<u64> = seen.into_iter().collect();
        if let Some(lost) = self.acked.difference(&seen).next() {
            return Err(format!("{when}: {lost} was acknowledged and is lost"));
        }
        if let Some(phantom) = seen.difference(&self.sent).next() {
            return Err(format!("{when}: {phantom} was never sent"));
        }
        Ok(())
    }

    /// After a sweep and the grace period, the medium holds what the manifest names and nothing else.
    pub(crate) fn check_no_orphans(&self) -> Result<(), String> {
        let life = self.life.as_ref().ok_or("no life to check")?;
        let failed = |e: runtime_store::StepError| format!("cleaning failed: {e}");
        for h in &life.holders {
            h.sweep().map_err(failed)?;
            self.clock.advance(self.config.grace);
            h.delete_step().map_err(failed)?;
            let of = StorePartition::new("toys", h.partition().0);
            let stored = life.objects.list(&of).map_err(|e| e.to_string())?;
            let live = h.stats().objects * 2 + usize::from(h.root().manifest.is_some());
            if stored.len() != live {
                return Err(format!("{of}: {} stored, {live} named: {stored:?}", stored.len()));
            }
        }
        Ok(())
    }
}
