//! Damage at rest: everything is noticed, and named.

use std::path::Path;
use std::sync::Arc;

use runtime_engine::ObjectId;
use runtime_files::Files;
use runtime_files::sim::SimFiles;
use runtime_objects::{Ids, LocalObjects, LocalRoots, Objects, ObjectsError, RootError, Roots};

use crate::media::{
    DATA, Dice, bytes, data_file, file, objects, partition, read, root, roots, sums_file, write,
};

const BLOCK: usize = 64 << 10;
const LEN: usize = 3 * BLOCK + 1000;

struct Stored {
    files: SimFiles,
    objects: LocalObjects,
    id: ObjectId,
    content: Vec<u8>,
}

fn stored() -> Stored {
    let files = SimFiles::new(1);
    let objects = objects(&files, 1);
    let content = bytes(7, LEN);
    let id = write(&objects, &partition(), 1, &content).unwrap();
    Stored { files, objects, id, content }
}

#[test]
fn each_bit_flip_in_data_is_noticed_and_the_other_blocks_are_served() {
    let s = stored();
    let of = partition();
    let path = data_file(&of, s.id);
    let mut dice = Dice(11);
    for _ in 0..1500 {
        let bit = dice.below(LEN * 8);
        let block = bit / 8 / BLOCK;
        assert!(s.files.flip_bit(&path, bit));
        let reader = s.objects.open(&of, s.id).unwrap();
        let at = (bit / 8) as u64;
        let error = reader.read_ranges(&[0..8, at..at + 1]).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidData, "bit {bit}");
        let text = error.to_string();
        assert!(
            text.starts_with(&format!("{} is corrupt: block {block} (bytes ", path.display())),
            "bit {bit}: {text}"
        );
        let (start, end) = if block == 0 { (BLOCK, LEN) } else { (0, block * BLOCK) };
        let other = reader.read_ranges(&[start as u64..end as u64]).unwrap();
        assert_eq!(other[0], s.content[start..end], "bit {bit}");
        assert!(s.files.flip_bit(&path, bit));
    }
    assert_eq!(read(&s.objects, &of, s.id).unwrap(), s.content);
}

#[test]
fn each_bit_flip_in_checksums_and_in_a_root_is_noticed() {
    let s = stored();
    let of = partition();
    let path = sums_file(&of, s.id);
    for bit in 0..s.files.contents(&path).unwrap().len() * 8 {
        assert!(s.files.flip_bit(&path, bit));
        let error = s.objects.open(&of, s.id).map(|_| ()).unwrap_err();
        assert!(error.is_corrupt(), "bit {bit}: {error}");
        assert!(error.to_string().contains(path.to_str().unwrap()), "bit {bit}: {error}");
        assert!(s.files.flip_bit(&path, bit));
    }
    let roots = roots(&s.files);
    roots.swap(&of, None, &root(1, 9, Some(s.id))).unwrap();
    let path = file(&of, "CURRENT");
    for bit in 0..s.files.contents(&path).unwrap().len() * 8 {
        assert!(s.files.flip_bit(&path, bit));
        let error = roots.load(&of).unwrap_err();
        assert!(matches!(error, RootError::Corrupt { .. } | RootError::Format { .. }), "bit {bit}: {error}");
        assert!(error.to_string().contains(path.to_str().unwrap()), "bit {bit}: {error}");
        assert!(roots.swap(&of, Some((1, 9)), &root(2, 9, None)).is_err(), "bit {bit}");
        assert!(s.files.flip_bit(&path, bit));
    }
    assert_eq!(roots.load(&of).unwrap(), Some(root(1, 9, Some(s.id))));
}

#[test]
fn files_of_a_wrong_length_or_with_moved_blocks_are_noticed() {
    let swapped: fn(&mut Vec<u8>) = |f| {
        let (first, second) = f.split_at_mut(BLOCK);
        first.swap_with_slice(&mut second[..BLOCK]);
    };
    // what is done to the file, and a part of what opening or reading it must say
    type Row = (&'static str, fn(&mut Vec<u8>), &'static str);
    let rows: [Row; 7] = [
        ("zero length", |f| f.clear(), "it is 0 bytes long, expected 197608"),
        ("last byte missing", |f| f.truncate(LEN - 1), "it is 197607 bytes long, expected 197608"),
        ("last block missing", |f| f.truncate(3 * BLOCK), "it is 196608 bytes long"),
        ("a byte more", |f| f.push(0), "it is 197609 bytes long"),
        ("blocks swapped", swapped, "block 0 (bytes 0 to 65536) has checksum"),
        ("a page of zeros", |f| f[2 * BLOCK..][..4096].fill(0), "block 2 (bytes 131072 to 196608)"),
        ("all zeros", |f| f.fill(0), "block 0 (bytes 0 to 65536) has checksum"),
    ];
    for (name, damage, expected) in rows {
        let s = stored();
        let mut damaged = s.content.clone();
        damage(&mut damaged);
        s.files.put(&data_file(&partition(), s.id), damaged).unwrap();
        let error = read(&s.objects, &partition(), s.id).unwrap_err();
        assert!(error.contains(expected) && error.contains(".parquet is corrupt: "), "{name}: {error}");
    }
}

#[test]
fn a_file_cut_while_it_is_open_is_noticed() {
    let s = stored();
    let reader = s.objects.open(&partition(), s.id).unwrap();
    s.files.put(&data_file(&partition(), s.id), s.content[..BLOCK].to_vec()).unwrap();
    assert!(reader.read_ranges(&[0..10]).is_ok());
    let error = reader.read_ranges(&[BLOCK as u64..BLOCK as u64 + 10]).unwrap_err();
    assert!(error.to_string().contains("is corrupt: it ends inside bytes 65536 to 131072"), "{error}");
}

#[test]
fn files_of_another_object_are_noticed() {
    let of = partition();
    let s = stored();
    let other = write(&s.objects, &of, 1, &bytes(8, LEN)).unwrap();
    let (mine, theirs) =
        (s.files.contents(&sums_file(&of, s.id)).unwrap(), s.files.contents(&sums_file(&of, other)).unwrap());

    s.files.put(&data_file(&of, s.id), bytes(8, LEN)).unwrap();
    let error = read(&s.objects, &of, s.id).unwrap_err();
    assert!(error.contains("block 0 (bytes 0 to 65536) has checksum"), "{error}");

    s.files.put(&sums_file(&of, s.id), theirs).unwrap();
    let error = read(&s.objects, &of, s.id).unwrap_err();
    assert!(error.contains(&format!("it belongs to object {other}, expected {}", s.id)), "{error}");

    s.files.put(&sums_file(&of, s.id), mine).unwrap();
    s.files.put(&data_file(&of, s.id), s.content.clone()).unwrap();
    assert_eq!(read(&s.objects, &of, s.id).unwrap(), s.content);
}

#[test]
fn missing_files_are_told_apart_from_missing_objects() {
    let of = partition();
    let s = stored();
    let never = s.objects.open(&of, ObjectId(1)).map(|_| ()).unwrap_err();
    assert!(matches!(never, ObjectsError::NotFound { .. }), "{never}");

    let sums = sums_file(&of, s.id);
    remove(&s.files, &sums);
    let error = s.objects.open(&of, s.id).map(|_| ()).unwrap_err();
    assert!(error.is_corrupt(), "{error}");
    assert!(error.to_string().ends_with(&format!("its checksums {} are missing", sums.display())), "{error}");

    remove(&s.files, &data_file(&of, s.id));
    let error = s.objects.open(&of, s.id).map(|_| ()).unwrap_err();
    assert!(matches!(error, ObjectsError::NotFound { .. }), "{error}");
}

fn remove(files: &SimFiles, path: &Path) {
    Files::remove(files, path).unwrap();
}

#[test]
fn extra_files_disturb_nothing_and_are_never_removed() {
    let of = partition();
    let s = stored();
    for extra in ["objects/default/notes.txt", "pending/readme", "objects/default/x.sum"] {
        s.files.put(&file(&of, extra), vec![1]).unwrap();
    }
    assert_eq!(s.objects.list(&of).unwrap().len(), 1);
    assert_eq!(s.objects.pending(&of).unwrap(), [(1, s.id)]);
    s.objects.clear_pending(&of, &[s.id]).unwrap();
    s.objects.delete(&of, s.id).unwrap();
    assert!(s.files.contents(&file(&of, "objects/default/notes.txt")).is_some());
    assert!(s.files.contents(&file(&of, "pending/readme")).is_some());
}

#[test]
fn a_lost_root_of_a_partition_with_committed_objects_is_noticed() {
    let of = partition();
    let s = stored();
    let roots = roots(&s.files);
    assert_eq!(roots.load(&of).unwrap(), None, "an object that is pending proves nothing");
    roots.swap(&of, None, &root(1, 9, Some(s.id))).unwrap();
    s.objects.clear_pending(&of, &[s.id]).unwrap();
    remove(&s.files, &file(&of, "CURRENT"));
    let error = roots.load(&of).unwrap_err().to_string();
    assert!(
        error.ends_with(&format!(
            "CURRENT is corrupt: it is missing, although object {} of traces/3 was committed",
            s.id
        )),
        "{error}"
    );
}

#[test]
fn a_directory_of_another_format_is_refused_by_name() {
    let files = SimFiles::new(1);
    drop(objects(&files, 1));
    let path = Path::new(DATA).join("FORMAT");
    let marker = files.contents(&path).unwrap();
    let open_objects = || LocalObjects::open(Arc::new(files.clone()), Path::new(DATA), Ids::seeded(1));
    let open_roots = || LocalRoots::open(Arc::new(files.clone()), Path::new(DATA));
    for bit in 0..marker.len() * 8 {
        assert!(files.flip_bit(&path, bit));
        assert!(open_objects().is_err() && open_roots().is_err(), "bit {bit}");
        assert!(files.flip_bit(&path, bit));
    }
    let newer = "yc-objects format 2 crc32c ";
    let newer = format!("{newer}{:08x}\n", crc32c::crc32c(newer.as_bytes()));
    files.put(&path, newer.into_bytes()).unwrap();
    let refused = [open_objects().err().unwrap().to_string(), open_roots().err().unwrap().to_string()];
    for text in refused {
        assert!(
            text.starts_with("/data/objects/FORMAT has format 2, this version reads format 1: "),
            "{text}"
        );
    }
}
