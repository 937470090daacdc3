//! A writer that dies at every file operation, by `kill -9` or by power loss, and once more while it recovers.

use std::collections::BTreeMap;

use runtime_engine::{ObjectId, Offset};
use runtime_files::sim::SimFiles;
use runtime_objects::{Ids, LocalObjects, LocalRoots, Objects, Root, Roots, SwapOutcome};

use crate::media::{DATA, Dice, bytes, partition, read};

/// What the outside world knows after the writer died.
#[derive(Default)]
struct Known {
    /// The last root that was answered with `Applied` or loaded.
    applied: Option<Root>,
    /// The root of a swap without an answer.
    asked: Option<Root>,
    /// Contents of all objects that were finished.
    finished: BTreeMap<ObjectId, Vec<u8>>,
    /// Ids that were created and whose clearing or removal has not begun.
    pending: BTreeMap<ObjectId, u64>,
    /// Ids whose clearing has begun: only after the commit that names them.
    cleared: Vec<ObjectId>,
    /// Ids whose delete was answered.
    deleted: Vec<ObjectId>,
}

type Died = Box<dyn std::error::Error>;

/// One life of a writer on `files`; `Err` when it died in it.
struct Life<'a> {
    objects: LocalObjects,
    roots: LocalRoots,
    known: &'a mut Known,
    dice: Dice,
}

impl<'a> Life<'a> {
    fn start(files: &SimFiles, seed: u64, known: &'a mut Known) -> Result<Self, Died> {
        let files = std::sync::Arc::new(files.clone());
        let roots = LocalRoots::open(files.clone(), DATA.as_ref())?;
        let objects = LocalObjects::open(files, DATA.as_ref(), Ids::seeded(seed))?;
        Ok(Self { objects, roots, known, dice: Dice(seed) })
    }

    fn swap(&mut self, from: Option<Root>, new: Root) -> Result<(), Died> {
        self.known.asked = Some(new);
        let outcome = self.roots.swap(&partition(), from.map(|r| r.expectation()), &new)?;
        assert_eq!(outcome, SwapOutcome::Applied);
        self.known.asked = None;
        self.known.applied = Some(new);
        Ok(())
    }

    /// Loads, checks what must hold after any crash, and claims.
    fn recover(&mut self) -> Result<Root, Died> {
        let of = partition();
        let found = self.roots.load(&of)?;
        let expected = [self.known.applied, self.known.asked.or(self.known.applied)];
        assert!(expected.contains(&found), "root {found:?}, expected one of {expected:?}");
        (self.known.applied, self.known.asked) = (found, None);
        if let Some(id) = found.and_then(|root| root.manifest) {
            let content = self.known.finished.get(&id).expect("only finished objects are named");
            assert_eq!(read(&self.objects, &of, id).as_ref(), Ok(content));
        }
        let pending = BTreeMap::from_iter(self.objects.pending(&of)?.into_iter().map(|(e, id)| (id, e)));
        for (id, epoch) in &self.known.pending {
            assert_eq!(pending.get(id), Some(epoch), "{id} is not pending any more");
        }
        for object in self.objects.list(&of)? {
            let id = object.id;
            assert!(pending.contains_key(&id) || self.known.cleared.contains(&id), "{id} is forgotten");
            assert!(!self.known.deleted.contains(&id), "{id} was deleted and is back");
        }
        let before = found.unwrap_or_default();
        let writer = u128::from(self.dice.roll()) + 1;
        let claimed = Root { version: before.version + 1, epoch: before.epoch + 1, writer, ..before };
        self.swap(found, claimed)?;
        self.sweep(&claimed, &pending)?;
        Ok(claimed)
    }

    /// Removes what older epochs left; forgets the registration of what they committed.
    fn sweep(&mut self, root: &Root, pending: &BTreeMap<ObjectId, u64>) -> Result<(), Died> {
        let of = partition();
        for (id, epoch) in pending {
            assert!(*epoch < root.epoch);
            if root.manifest != Some(*id) {
                self.objects.delete(&of, *id)?;
                self.known.deleted.push(*id);
            }
            self.known.pending.remove(id);
            if root.manifest == Some(*id) {
                self.known.cleared.push(*id);
            }
            self.objects.clear_pending(&of, &[*id])?;
        }
        Ok(())
    }

    fn commit(&mut self, root: &mut Root, len: usize) -> Result<(), Died> {
        let of = partition();
        let content = bytes(self.dice.roll(), len);
        let mut object = self.objects.create(&of, root.epoch, "parquet")?;
        let id = object.id();
        self.known.pending.insert(id, root.epoch);
        std::io::Write::write_all(&mut object, &content)?;
        if self.dice.below(4) == 0 {
            self.known.pending.remove(&id);
            drop(object);
            return Ok(());
        }
        if let Err(e) = object.finish() {
            self.known.pending.remove(&id);
            return Err(e.into());
        }
        self.known.finished.insert(id, content);
        let new = Root {
            version: root.version + 1,
            offset: Offset(root.offset.0 + 1),
            manifest: Some(id),
            ..*root
        };
        self.swap(Some(*root), new)?;
        self.known.pending.remove(&id);
        self.known.cleared.push(id);
        self.objects.clear_pending(&of, &[id])?;
        if let Some(old) = root.manifest {
            self.objects.delete(&of, old)?;
            self.known.deleted.push(old);
        }
        *root = new;
        Ok(())
    }

    fn live(&mut self) -> Result<(), Died> {
        let mut root = self.recover()?;
        for len in [70_000, 0, 300_000] {
            self.commit(&mut root, len)?;
        }
        Ok(())
    }
}

/// Runs lives until one comes to its end: the first dies at operation `first`, the second at `second`.
fn lives(seed: u64, first: u64, second: u64) -> u64 {
    let mut known = Known::default();
    let mut files = SimFiles::new(seed);
    let mut dice = Dice(seed);
    for (life, crash) in [(0, Some(first)), (1, Some(second)), (2, None)] {
        let start = files.operations();
        if let Some(at) = crash {
            files.crash_at(start + at);
        }
        let ended = Life::start(&files, seed * 1000 + life, &mut known).and_then(|mut l| l.live());
        match ended {
            Ok(()) if life == 0 => return files.operations(),
            Ok(()) if files.is_crashed() => {}
            Ok(()) => break,
            Err(e) => assert!(files.is_crashed(), "seed {seed}, crashes {first} and {second}: {e}"),
        }
        files = if dice.below(3) == 0 { files.reboot() } else { files.power_loss(dice.roll()) };
    }
    files.crash_at(u64::MAX);
    let mut last = Life::start(&files, seed * 1000 + 3, &mut known).unwrap();
    let root = last.recover().unwrap();
    let left: Vec<_> = last.objects.list(&partition()).unwrap();
    let live = left.iter().filter(|o| root.manifest == Some(o.id)).count();
    assert_eq!(live, usize::from(root.manifest.is_some()));
    assert_eq!(last.objects.pending(&partition()).unwrap(), []);
    files.operations()
}

/// Seeds of this run: `OBJECTS_SEEDS` says how many, for long runs.
fn seeds() -> u64 {
    std::env::var("OBJECTS_SEEDS").ok().map_or(8, |n| n.parse().expect("OBJECTS_SEEDS is a number"))
}

#[test]
fn a_crash_at_every_operation_leaves_the_old_or_the_new_root_and_whole_objects() {
    let mut cases = 0;
    for seed in 0..seeds() {
        let operations = lives(seed, u64::MAX, 0);
        let mut dice = Dice(!seed);
        for first in 0..operations {
            // the second life dies too, mostly while it recovers
            lives(seed, first, dice.roll() % 40);
            cases += 1;
        }
    }
    println!("{cases} crashes, seeds 0..{}", seeds());
    assert!(cases > 60 * seeds());
}
