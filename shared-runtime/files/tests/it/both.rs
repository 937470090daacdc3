//! What both file systems do in the same way.

use std::io::ErrorKind;
use std::path::Path;

use runtime_files::sim::{SimClock, SimFiles};
use runtime_files::{Clock, Entry, Files, OsFiles, SystemClock};

fn check(check: impl Fn(&dyn Files, &Path)) {
    let dir = tempfile::tempdir().unwrap();
    check(&OsFiles, dir.path());
    let sim = SimFiles::new(1);
    sim.create_dir_all(Path::new("/tmp/sim")).unwrap();
    check(&sim, Path::new("/tmp/sim"));
}

#[test]
fn a_file_is_made_once_appended_to_read_and_cut() {
    check(|files, dir| {
        let path = dir.join("a");
        let file = files.create(&path).unwrap();
        file.append(b"hello ").unwrap();
        file.append(b"world").unwrap();
        file.sync().unwrap();
        let mut word = [0; 5];
        file.read_exact_at(&mut word, 6).unwrap();
        assert_eq!(&word, b"world");
        assert_eq!(file.read_exact_at(&mut word, 7).unwrap_err().kind(), ErrorKind::UnexpectedEof);
        file.truncate(5).unwrap();
        file.append(b"!").unwrap();
        let again = files.open(&path).unwrap();
        assert_eq!(again.len_bytes().unwrap(), 6);
        let mut all = [0; 6];
        again.read_exact_at(&mut all, 0).unwrap();
        assert_eq!(&all, b"hello!");
        assert!(again.append(b"x").is_err(), "opened for reading");
        files.open_append(&path).unwrap().append(b"?").unwrap();
        assert_eq!(again.len_bytes().unwrap(), 7);
        assert_eq!(files.create(&path).err().unwrap().kind(), ErrorKind::AlreadyExists);
    });
}

#[test]
fn names_are_listed_renamed_and_removed() {
    check(|files, dir| {
        let deep = dir.join("one/two");
        files.create_dir_all(&deep).unwrap();
        files.create_dir_all(&deep).unwrap();
        for name in ["b", "a"] {
            files.create(&deep.join(name)).unwrap().append(name.as_bytes()).unwrap();
        }
        files.sync_dir(&deep).unwrap();
        let entry = |name: &str| Entry { name: name.to_owned(), len_bytes: 1 };
        assert_eq!(files.list(&deep).unwrap(), [entry("a"), entry("b")]);
        files.rename(&deep.join("a"), &deep.join("b")).unwrap();
        assert_eq!(files.list(&deep).unwrap(), [entry("b")]);
        let mut byte = [0];
        files.open(&deep.join("b")).unwrap().read_exact_at(&mut byte, 0).unwrap();
        assert_eq!(&byte, b"a");
        files.remove(&deep.join("b")).unwrap();
        assert_eq!(files.list(&deep).unwrap(), []);
        assert_eq!(files.list(dir).unwrap(), [], "directories are not listed");
    });
}

#[test]
fn errors_name_the_operation_and_the_path_and_keep_their_kind() {
    check(|files, dir| {
        let gone = dir.join("gone");
        let errors = [
            files.open(&gone).err().unwrap(),
            files.open_append(&gone).err().unwrap(),
            files.remove(&gone).unwrap_err(),
            files.rename(&gone, &dir.join("x")).unwrap_err(),
            files.list(&gone).unwrap_err(),
            files.sync_dir(&gone).unwrap_err(),
            files.create(&gone.join("x")).err().unwrap(),
        ];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
            let text = error.to_string();
            assert!(text.starts_with("cannot ") && text.contains("gone"), "{text}");
        }
    });
}

#[test]
fn a_lock_is_held_until_it_is_dropped_and_says_what_to_do() {
    check(|files, dir| {
        let path = dir.join("LOCK");
        let held = files.lock(&path).unwrap();
        let error = files.lock(&path).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        assert!(error.to_string().contains("LOCK: another process holds it; stop"), "{error}");
        drop(held);
        files.lock(&path).unwrap();
    });
}

#[test]
fn free_space_is_told() {
    check(|files, dir| assert!(files.available_bytes(dir).unwrap() > 0));
}

#[test]
fn clocks_move_forward_and_a_simulated_one_only_when_told() {
    let clock = SystemClock::new();
    let (wall, since) = (clock.now(), clock.monotonic());
    assert!(wall > 1_600_000_000_000_000_000 && clock.monotonic() >= since);
    let clock = SimClock::new(50);
    clock.clone().advance(std::time::Duration::from_nanos(7));
    assert_eq!((clock.now(), clock.monotonic().as_nanos()), (57, 7));
    clock.set(3);
    assert_eq!((clock.now(), clock.monotonic().as_nanos()), (3, 7));
}
