//! Group commit: who waits for which fsync.

use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use runtime_engine::{Offset, Partition};
use runtime_files::sim::{Operation, SimClock, SimFiles};
use runtime_log::{AppendError, LocalLog, LogConfig, LogReader, LogWriter, NewRecord};

use crate::world::config;

const SOON: Duration = Duration::from_secs(10);

fn record(n: usize) -> NewRecord {
    NewRecord {
        partition: Partition((n % 4) as u32),
        tenant: "default".into(),
        encoding: 1,
        payload: n.to_le_bytes().to_vec().into(),
    }
}

fn opened(files: &SimFiles, config: LogConfig) -> LocalLog {
    LocalLog::open(Arc::new(files.clone()), Arc::new(SimClock::new(1)), config, Offset(0)).unwrap()
}

fn big_files() -> LogConfig {
    LogConfig { file_bytes: 1 << 20, ..config() }
}

fn syncs(files: &SimFiles) -> usize {
    files.trace().iter().filter(|step| step.operation == Operation::Sync).count()
}

type Answers = mpsc::Receiver<Result<Vec<Offset>, AppendError>>;

fn append(writer: &dyn LogWriter, n: usize) -> Answers {
    let (send, answers) = mpsc::channel();
    writer.append(vec![record(n)], Box::new(move |outcome| send.send(outcome).unwrap_or_default()));
    answers
}

#[test]
fn appends_that_pile_up_during_an_fsync_share_the_next_one() {
    let files = SimFiles::new(1);
    let log = opened(&files, big_files());
    let (writer, reader) = log.start().unwrap();
    append(&*writer, 0).recv_timeout(SOON).unwrap().unwrap();
    let before = syncs(&files);
    let hold = files.hold_syncs();
    let first = append(&*writer, 1);
    assert!(hold.wait_for_sync(SOON), "an idle log syncs at once");
    let appenders: Vec<_> = (2..34)
        .map(|n| {
            let writer = Arc::clone(&writer);
            std::thread::spawn(move || append(&*writer, n))
        })
        .collect();
    let others: Vec<Answers> = appenders.into_iter().map(|a| a.join().unwrap()).collect();
    assert!(first.try_recv().is_err(), "nothing is acknowledged before its fsync");
    assert_eq!(reader.durable_end(), Offset(1), "nothing is delivered before its fsync");
    drop(hold);
    first.recv_timeout(SOON).unwrap().unwrap();
    let mut offsets: Vec<Offset> =
        others.iter().flat_map(|answers| answers.recv_timeout(SOON).unwrap().unwrap()).collect();
    offsets.sort();
    assert_eq!(offsets, (2..34).map(Offset).collect::<Vec<_>>());
    assert_eq!(syncs(&files) - before, 2, "one fsync for the first, one for the 32 others");
    assert_eq!(log.stats().commits, 3);
}

#[test]
fn more_than_the_queue_takes_is_refused_at_once() {
    let files = SimFiles::new(2);
    let log = opened(&files, LogConfig { queue_bytes_max: 200, ..big_files() });
    let (writer, _) = log.start().unwrap();
    append(&*writer, 0).recv_timeout(SOON).unwrap().unwrap();
    let hold = files.hold_syncs();
    let first = append(&*writer, 1);
    assert!(hold.wait_for_sync(SOON));
    let waiting: Vec<Answers> = (2..10).map(|n| append(&*writer, n)).collect();
    let is_refused = |a: &Answers| matches!(a.try_recv(), Ok(Err(AppendError::Busy { .. })));
    let (refused, taken): (Vec<Answers>, Vec<Answers>) = waiting.into_iter().partition(is_refused);
    assert_eq!((refused.len(), taken.len()), (5, 3));
    drop(hold);
    first.recv_timeout(SOON).unwrap().unwrap();
    // once they are durable they are no longer in the queue
    for answers in taken {
        answers.recv_timeout(SOON).unwrap().unwrap();
    }
    append(&*writer, 11).recv_timeout(SOON).unwrap().unwrap();
}

#[test]
fn closing_commits_what_waits_and_refuses_the_rest() {
    let files = SimFiles::new(3);
    let log = opened(&files, big_files());
    let (writer, reader) = log.start().unwrap();
    let waiting: Vec<Answers> = (0..20).map(|n| append(&*writer, n)).collect();
    log.close();
    for answers in waiting {
        answers.recv_timeout(SOON).unwrap().unwrap();
    }
    assert!(matches!(append(&*writer, 99).recv_timeout(SOON), Ok(Err(AppendError::Closed))));
    assert!(matches!(log.append_now(&[record(1)]), Err(AppendError::Closed)));
    assert_eq!(reader.read(Partition(1), Offset(0), 1 << 20).unwrap().records.len(), 5);
    // the directory is free again
    let again = opened(&files, big_files());
    assert_eq!(again.durable_end(), Offset(20));
}

#[test]
fn a_caller_that_panics_does_not_take_the_log_down() {
    let files = SimFiles::new(4);
    let log = opened(&files, big_files());
    let (writer, _) = log.start().unwrap();
    writer.append(vec![record(0)], Box::new(|_| panic!("a bug of the caller")));
    append(&*writer, 1).recv_timeout(SOON).unwrap().unwrap();
}

#[test]
fn the_last_handle_may_go_on_the_commit_thread() {
    let files = SimFiles::new(5);
    let log = opened(&files, big_files());
    let (writer, _) = log.start().unwrap();
    let (send, answer) = mpsc::channel();
    let last = Arc::clone(&writer);
    drop(log);
    let done = move |outcome: Result<Vec<Offset>, AppendError>| {
        drop(last);
        send.send(outcome.is_ok()).unwrap_or_default();
    };
    writer.append(vec![record(0)], Box::new(done));
    drop(writer);
    assert!(answer.recv_timeout(SOON).unwrap());
}

#[test]
fn an_append_of_nothing_succeeds_without_an_fsync() {
    let files = SimFiles::new(6);
    let log = opened(&files, big_files());
    assert_eq!(log.append_now(&[]).unwrap(), []);
    assert_eq!(syncs(&files), 0);
}
