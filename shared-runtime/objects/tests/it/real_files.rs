//! The same on the operating system's files.

use std::io::Write;
use std::sync::Arc;

use runtime_files::OsFiles;
use runtime_objects::{Ids, LocalObjects, LocalRoots, Objects, RootError, Roots, SwapOutcome};

use crate::media::{bytes, partition, read, root, write};

#[test]
fn objects_and_roots_are_there_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let of = partition();
    let content = bytes(3, 200_000);
    let open = || LocalObjects::open(Arc::new(OsFiles), dir.path(), Ids::random()).unwrap();
    let id = {
        let (roots, objects) = (LocalRoots::open(Arc::new(OsFiles), dir.path()).unwrap(), open());
        let id = write(&objects, &of, 1, &content).unwrap();
        let aborted = objects.create(&of, 1, "parquet").unwrap();
        drop(aborted);
        assert_eq!(objects.pending(&of).unwrap(), [(1, id)]);
        assert_eq!(roots.swap(&of, None, &root(1, 5, Some(id))).unwrap(), SwapOutcome::Applied);
        objects.clear_pending(&of, &[id]).unwrap();
        id
    };
    let roots = LocalRoots::open(Arc::new(OsFiles), dir.path()).unwrap();
    assert_eq!(roots.load(&of).unwrap(), Some(root(1, 5, Some(id))));
    let objects = open();
    assert_eq!(read(&objects, &of, id).unwrap(), content);
    assert_eq!(objects.pending(&of).unwrap(), []);
    let plain = dir.path().join(format!("traces/3/objects/default/{id}.parquet"));
    assert_eq!(std::fs::read(plain).unwrap(), content, "the data file is nothing but the bytes");
    objects.delete(&of, id).unwrap();
    objects.delete(&of, id).unwrap();
    assert_eq!(objects.list(&of).unwrap(), []);
}

#[test]
fn a_directory_in_use_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let first = LocalRoots::open(Arc::new(OsFiles), dir.path()).unwrap();
    let second = LocalRoots::open(Arc::new(OsFiles), dir.path()).err().unwrap();
    assert!(matches!(second, RootError::Locked { .. }));
    assert_eq!(
        second.to_string(),
        format!(
            "data directory {} is in use by another process: stop that process, or choose another data directory",
            dir.path().display()
        )
    );
    drop(first);
    assert!(LocalRoots::open(Arc::new(OsFiles), dir.path()).is_ok());
}

#[test]
fn open_readers_outlive_a_delete() {
    let dir = tempfile::tempdir().unwrap();
    let objects = LocalObjects::open(Arc::new(OsFiles), dir.path(), Ids::random()).unwrap();
    let of = partition();
    let mut object = objects.create(&of, 1, "parquet").unwrap();
    let id = object.id();
    object.write_all(b"bytes").unwrap();
    object.finish().unwrap();
    let reader = objects.open(&of, id).unwrap();
    objects.delete(&of, id).unwrap();
    assert_eq!(reader.read_ranges(&[1..3]).unwrap(), ["yt"]);
    assert!(objects.open(&of, id).is_err());
}
