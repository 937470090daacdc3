//! A log on a simulated machine, and the checker that knows what must be in it: everything acknowledged or delivered,
//! nothing that was not sent, nothing twice.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use runtime_engine::{Offset, Partition};
use runtime_files::sim::{Operation, Outcome, SimClock, SimFiles};
use runtime_log::{AppendError, LocalLog, LogConfig, LogReader, Mutation, NewRecord, OwnedRecord};

pub(crate) const PARTITIONS: u32 = 3;

/// Random numbers that a seed repeats.
#[derive(Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5DEE_CE66_D1CE_4E5B)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

/// What the checker found wrong.
pub(crate) type Checked = Result<(), String>;

pub(crate) struct World {
    pub(crate) files: SimFiles,
    pub(crate) clock: SimClock,
    pub(crate) dice: Dice,
    pub(crate) log: Option<LocalLog>,
    mutation: Option<Mutation>,
    /// Everything that was ever sent, by its number.
    sent: HashMap<u64, NewRecord>,
    /// What must be there: acknowledged or delivered.
    must: BTreeMap<Offset, u64>,
    /// Root offsets.
    pub(crate) roots: Vec<Offset>,
    serial: u64,
    traced: usize,
}

pub(crate) fn dir() -> PathBuf {
    PathBuf::from("/data/log")
}

/// Small files, so that every workload rolls them.
pub(crate) fn config() -> LogConfig {
    let mut config = LogConfig::new(dir());
    config.file_bytes = 1500;
    config.tail_bytes_max = 700;
    config.reserve_bytes = 0;
    config
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            files: SimFiles::new(seed),
            clock: SimClock::new(1_700_000_000_000_000_000),
            dice: Dice::new(seed),
            log: None,
            mutation: None,
            sent: HashMap::new(),
            must: BTreeMap::new(),
            roots: vec![Offset(0); PARTITIONS as usize],
            serial: 0,
            traced: 0,
        }
    }

    pub(crate) fn with_mutation(mut self, mutation: Mutation) -> Self {
        self.mutation = Some(mutation);
        self
    }

    pub(crate) fn floor(&self) -> Offset {
        self.roots.iter().copied().max().unwrap()
    }

    pub(crate) fn open(&mut self) -> Result<(), String> {
        let files = Arc::new(self.files.clone());
        let clock = Arc::new(self.clock.clone());
        let log = LocalLog::open_mutated(files, clock, config(), self.floor(), self.mutation);
        self.log = Some(log.map_err(|e| format!("cannot open: {e}: {:?}", std::error::Error::source(&e)))?);
        Ok(())
    }

    pub(crate) fn log(&self) -> &LocalLog {
        self.log.as_ref().unwrap()
    }

    /// A record never sent before.
    pub(crate) fn record(&mut self) -> NewRecord {
        self.serial += 1;
        let (filler, len) = (self.dice.below(2) == 0, self.dice.below(300));
        let mut payload = self.serial.to_le_bytes().to_vec();
        for n in 0..len {
            payload.push(if filler { b'x' } else { (self.serial.wrapping_mul(n + 7) >> 3) as u8 });
        }
        let record = NewRecord {
            partition: Partition(self.dice.below(u64::from(PARTITIONS)) as u32),
            tenant: "default".into(),
            encoding: 1,
            payload: payload.into(),
        };
        self.sent.insert(self.serial, record.clone());
        record
    }

    /// Appends up to three records; what is acknowledged must be there from now on.
    pub(crate) fn append(&mut self) -> Result<bool, String> {
        let records: Vec<NewRecord> = (0..=self.dice.below(3)).map(|_| self.record()).collect();
        let highest = self.must.last_key_value().map(|(offset, _)| *offset);
        match self.log().append_now(&records) {
            Ok(offsets) => {
                assert_eq!(offsets.len(), records.len());
                for (offset, record) in offsets.iter().zip(&records) {
                    if highest.is_some_and(|highest| *offset <= highest) || *offset < self.floor() {
                        return Err(format!("offset {offset} was given out a second time"));
                    }
                    self.must.insert(*offset, number(&record.payload));
                }
                Ok(true)
            }
            Err(
                AppendError::Poisoned { .. } | AppendError::DiskFull { .. } | AppendError::LogFull { .. },
            ) => Ok(false),
            Err(other) => Err(format!("unexpected refusal: {other}")),
        }
    }

    /// Moves some roots up to the end and lets files go.
    pub(crate) fn release(&mut self) {
        let end = self.log().durable_end();
        for n in 0..self.roots.len() {
            if self.dice.below(2) == 0 {
                self.roots[n] = end;
            }
        }
        self.log().release(&self.roots);
    }

    /// One random step of a life.
    pub(crate) fn step(&mut self) -> Checked {
        match self.dice.below(12) {
            0 => self.release(),
            1 => self.clock.advance(Duration::from_millis(self.dice.below(3000))),
            2 => self.log().probe(),
            3 => self.check_reads()?,
            4 if self.dice.below(4) == 0 => {
                self.log().close();
                self.log = None;
                if self.open().is_err() && !self.files.is_crashed() {
                    // an injected failure may well stop a start; the next one is spared
                    self.files.fail_one_in(None);
                    self.files.fail_next(Operation::Sync, 0);
                    self.open()?;
                }
            }
            _ => {
                self.append()?;
            }
        }
        Ok(())
    }

    /// All records of a partition from its root on, and how many are damaged.
    pub(crate) fn read(&self, partition: Partition, from: Offset) -> Result<(Vec<OwnedRecord>, u64), String> {
        let (mut at, mut records, mut damaged) = (from, Vec::new(), 0);
        loop {
            let batch = self.log().read(partition, at, 500).map_err(|e| format!("cannot read: {e}"))?;
            damaged += batch.damaged;
            let done = batch.records.is_empty();
            records.extend(batch.records);
            if done && batch.next != batch.durable_end.max(at) {
                return Err(format!("an empty batch stops at {} of {}", batch.next, batch.durable_end));
            }
            at = batch.next;
            if done {
                return Ok((records, damaged));
            }
        }
    }

    /// Everything that must be there is there, as it was sent, once, and nothing else.
    pub(crate) fn check_reads(&mut self) -> Checked {
        for number in 0..PARTITIONS {
            let partition = Partition(number);
            let from = self.roots[number as usize];
            let (records, damaged) = self.read(partition, from)?;
            if damaged > 0 {
                return Err(format!("{damaged} records are said to be damaged; the medium was not"));
            }
            self.check_partition(partition, from, &records)?;
        }
        let quarantined = self.log().stats().quarantined_records;
        if quarantined > 0 {
            return Err(format!("{quarantined} records are quarantined; the medium was not damaged"));
        }
        Ok(())
    }

    /// Nothing is a phantom or doubled.
    pub(crate) fn check_sent(&self, partition: Partition, records: &[OwnedRecord]) -> Checked {
        let mut seen = HashSet::new();
        let mut last = None;
        for record in records {
            let sent = self.sent.get(&number(&record.payload));
            if !sent.is_some_and(|s| s.payload == record.payload && s.partition == partition) {
                return Err(format!("phantom: {} was never sent", record.offset));
            }
            if last.is_some_and(|last| record.offset <= last) || !seen.insert(number(&record.payload)) {
                return Err(format!("doubled: {}", record.offset));
            }
            last = Some(record.offset);
        }
        Ok(())
    }

    fn check_partition(&mut self, partition: Partition, from: Offset, records: &[OwnedRecord]) -> Checked {
        self.check_sent(partition, records)?;
        let read: BTreeMap<Offset, u64> = records.iter().map(|r| (r.offset, number(&r.payload))).collect();
        for (offset, number) in self.must.range(from..) {
            if self.sent[number].partition == partition && read.get(offset) != Some(number) {
                return Err(format!("lost: {offset} of partition {partition} (got {:?})", read.get(offset)));
            }
        }
        self.must.extend(read);
        Ok(())
    }

    /// No file is written or synced through a handle that has failed (fsyncgate).
    pub(crate) fn check_trace(&mut self) -> Checked {
        let trace = self.files.trace();
        let mut failed = HashSet::new();
        for step in &trace[self.traced..] {
            let writes = matches!(step.operation, Operation::Append | Operation::Sync);
            if writes && failed.contains(&step.handle) {
                return Err(format!("{:?} of {} after a failure", step.operation, step.path.display()));
            }
            if writes && step.outcome == Outcome::Failed {
                failed.insert(step.handle);
            }
        }
        self.traced = trace.len();
        Ok(())
    }

    /// A new life after `kill -9`, or after a power loss.
    pub(crate) fn restart(&mut self, power_loss: Option<u64>) -> Checked {
        self.check_trace()?;
        self.log = None;
        self.files = match power_loss {
            Some(seed) => self.files.power_loss(seed),
            None => self.files.reboot(),
        };
        self.open()
    }

    /// Restarts, checks, and goes on for a while.
    pub(crate) fn survive(&mut self, power_loss: Option<u64>) -> Checked {
        self.restart(power_loss)?;
        self.check_reads()?;
        for _ in 0..3 {
            if !self.append()? {
                return Err("a healthy disk refuses appends".to_owned());
            }
        }
        self.check_reads()
    }

    /// Everything acknowledged or delivered so far.
    pub(crate) fn acknowledged(&self) -> BTreeMap<Offset, u64> {
        self.must.clone()
    }

    pub(crate) fn log_files(&self) -> Vec<PathBuf> {
        let is_log = |path: &PathBuf| path.extension().is_some_and(|e| e == "log");
        self.files.paths().into_iter().filter(is_log).collect()
    }
}

pub(crate) fn number(payload: &[u8]) -> u64 {
    u64::from_le_bytes(payload[..8].try_into().unwrap())
}

/// Like `assert!`, with the seed that repeats it.
pub(crate) fn expect(checked: Checked, what: &str, seed: u64) {
    if let Err(wrong) = checked {
        panic!("{what}, seed {seed}: {wrong}");
    }
}
