//! One thread that appends, fsyncs once for all that waits, and only then answers.
//!
//! Knows: one file and its rotation. Must not know: records' content. After a failed write or fsync the file is never
//! trusted again (its unacknowledged tail may or may not be there): it is cut at the last good length if that works, put
//! aside, and the next batch starts a new one. Start at [`Writer::append`].

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::SystemTime;

use runtime_service::{Kind, Status};
use tokio::sync::oneshot;

use super::rotation::{self, Rotation};

/// Bytes written before an fsync, so that one commit does not starve its first caller.
const COMMIT_BYTES_MAX: usize = 16 << 20;
/// Records that wait for the thread; beyond that callers are refused.
const WAITING_MAX: usize = 1024;

struct Record {
    bytes: Vec<u8>,
    answer: oneshot::Sender<Result<(), Status>>,
}

/// The caller's side.
pub(super) struct Writer {
    name: String,
    path: PathBuf,
    rotation: Option<Rotation>,
    thread: Mutex<Option<(mpsc::SyncSender<Record>, JoinHandle<()>)>>,
}

impl Writer {
    pub(super) fn new(name: String, path: PathBuf, rotation: Option<Rotation>) -> Self {
        Writer { name, path, rotation, thread: Mutex::default() }
    }

    /// Opens the file, so that a wrong path is told at the start, and begins to write.
    pub(super) fn start(&self) -> anyhow::Result<()> {
        let mut current = Current { path: self.path.clone(), rotation: self.rotation.clone(), open: None };
        current.open().map_err(|error| {
            anyhow::anyhow!("exporter {} cannot open {}: {error}", self.name, self.path.display())
        })?;
        let (send, records) = mpsc::sync_channel(WAITING_MAX);
        let name = self.name.clone();
        let thread = std::thread::Builder::new().name("file exporter".to_owned());
        let handle = thread.spawn(move || write_all(&name, &records, &mut current))?;
        *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some((send, handle));
        Ok(())
    }

    /// Appends one record; `Ok` means that it is on disk.
    pub(super) async fn append(&self, bytes: Vec<u8>) -> Result<(), Status> {
        let (answer, outcome) = oneshot::channel();
        let sent = {
            let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
            thread.as_ref().map(|(send, _)| send.try_send(Record { bytes, answer }))
        };
        match sent {
            Some(Ok(())) => {}
            Some(Err(mpsc::TrySendError::Full(_))) => {
                let text = format!("exporter {} has {WAITING_MAX} batches waiting", self.name);
                return Err(Status::retryable(Kind::Exhausted, text));
            }
            Some(Err(mpsc::TrySendError::Disconnected(_))) | None => return Err(stopped(&self.name)),
        }
        outcome.await.unwrap_or_else(|_ended| Err(stopped(&self.name)))
    }

    /// Writes what waits, then ends the thread.
    pub(super) async fn stop(&self) -> anyhow::Result<()> {
        let taken = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some((send, handle)) = taken else { return Ok(()) };
        drop(send);
        let joined = tokio::task::spawn_blocking(move || handle.join()).await?;
        joined.map_err(|_panic| anyhow::anyhow!("exporter {} ended by a panic", self.name))
    }
}

fn stopped(name: &str) -> Status {
    Status::retryable(Kind::Unavailable, format!("exporter {name} is not running"))
}

fn write_all(name: &str, records: &mpsc::Receiver<Record>, current: &mut Current) {
    while let Ok(first) = records.recv() {
        let mut bytes = first.bytes;
        let mut answers = vec![first.answer];
        while bytes.len() < COMMIT_BYTES_MAX
            && let Ok(next) = records.try_recv()
        {
            bytes.extend_from_slice(&next.bytes);
            answers.push(next.answer);
        }
        let outcome = current.commit(&bytes).map_err(|error| {
            let text = format!("exporter {name} cannot write {}: {error}", current.path.display());
            Status::retryable(Kind::Unavailable, text)
        });
        for answer in answers {
            let _the_caller_is_gone = answer.send(outcome.clone());
        }
    }
}

/// The file that is written.
struct Current {
    path: PathBuf,
    rotation: Option<Rotation>,
    open: Option<(File, u64)>,
}

impl Current {
    fn open(&mut self) -> io::Result<(&mut File, &mut u64)> {
        if self.open.is_none() {
            let folder = rotation::folder(&self.path);
            std::fs::create_dir_all(&folder)?;
            let file = OpenOptions::new().create(true).append(true).open(&self.path)?;
            let length = file.metadata()?.len();
            rotation::sync_folder(&folder)?;
            self.open = Some((file, length));
        }
        match &mut self.open {
            Some((file, length)) => Ok((file, length)),
            None => Err(io::Error::other("the file is not open")),
        }
    }

    fn commit(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.rotate(u64::try_from(bytes.len()).unwrap_or(u64::MAX))?;
        let (file, length) = self.open()?;
        let outcome = file.write_all(bytes).and_then(|()| file.sync_data());
        match outcome {
            Ok(()) => {
                *length += u64::try_from(bytes.len()).unwrap_or(0);
                Ok(())
            }
            Err(error) => {
                self.abandon(&error);
                Err(error)
            }
        }
    }

    /// Leaves a file whose tail cannot be trusted. When it could be cut it stays in use, except after a failed fsync of
    /// the cut.
    fn abandon(&mut self, error: &io::Error) {
        let Some((file, length)) = self.open.take() else { return };
        tracing::warn!(path = %self.path.display(), %error, length, "write failed, cutting the unacknowledged tail");
        let cut = file.set_len(length).and_then(|()| file.sync_all());
        drop(file);
        if cut.is_err()
            && let Err(error) = rotation::put_aside(&self.path, SystemTime::now())
        {
            tracing::warn!(path = %self.path.display(), %error, "the damaged file cannot be put aside");
        }
    }

    fn rotate(&mut self, more: u64) -> io::Result<()> {
        let Some(rotation) = self.rotation.clone() else { return Ok(()) };
        let (_, length) = self.open()?;
        if *length == 0 || length.saturating_add(more) <= rotation.bytes_max {
            return Ok(());
        }
        self.open = None;
        let now = SystemTime::now();
        rotation::put_aside(&self.path, now)?;
        rotation.sweep(&self.path, now);
        self.open().map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn lines(folder: &Path) -> Vec<(String, String)> {
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| {
                (
                    path.file_name().unwrap().to_string_lossy().into_owned(),
                    std::fs::read_to_string(path).unwrap(),
                )
            })
            .collect();
        files.sort();
        files
    }

    #[tokio::test]
    async fn records_are_appended_and_rotated_without_loss() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sub/logs.json");
        let rotation = Rotation { bytes_max: 100, days_max: 0, backups_max: 2 };
        let writer = Writer::new("file".to_owned(), path.clone(), Some(rotation));
        writer.start().unwrap();
        for n in 0..10 {
            writer.append(format!("{n}{}\n", "x".repeat(40)).into_bytes()).await.unwrap();
        }
        writer.stop().await.unwrap();
        assert!(writer.append(b"late".to_vec()).await.is_err());
        let files = lines(&folder.path().join("sub"));
        assert_eq!(files.len(), 3, "{files:?}");
        let text: String = files.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(text.lines().map(|line| line.chars().next().unwrap()).collect::<String>(), "456789");
        let again = Writer::new("file".to_owned(), path, None);
        again.start().unwrap();
        again.append(b"after\n".to_vec()).await.unwrap();
        again.stop().await.unwrap();
        let files = lines(&folder.path().join("sub"));
        assert!(files.last().unwrap().1.ends_with("after\n"), "{files:?}");
    }

    #[test]
    fn a_failed_write_is_answered_and_leaves_no_tail() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logs.json");
        let mut current = Current { path: path.clone(), rotation: None, open: None };
        current.commit(b"good\n").unwrap();
        // A read-only handle refuses the write, as a full disk would.
        current.open = Some((File::open(&path).unwrap(), 5));
        assert!(current.commit(b"lost\n").is_err());
        current.commit(b"next\n").unwrap();
        let text: String = lines(folder.path()).iter().map(|(_, text)| text.clone()).collect();
        assert_eq!(text.replace("next\n", ""), "good\n", "{text:?}");
    }

    #[test]
    fn a_path_that_cannot_be_opened_is_named_at_the_start() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("occupied"), b"").unwrap();
        let writer = Writer::new("file".to_owned(), folder.path().join("occupied/logs.json"), None);
        let error = writer.start().unwrap_err().to_string();
        assert!(
            error.contains("exporter file cannot open") && error.contains("occupied/logs.json"),
            "{error}"
        );
    }
}
