//! Tasks and drains.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use runtime_service::{Kind, Pool, Running, Shutdown, Tasks};

#[tokio::test]
async fn a_panic_ends_its_task_alone() {
    let shutdown = Shutdown::default();
    let tasks = Tasks::new(shutdown.clone());
    tasks.spawn("bad", async { panic!("oops") });
    tasks.spawn("good", async {});
    assert!(tasks.join(Duration::from_secs(10)).await);
    assert_eq!((tasks.panics(), shutdown.is_draining()), (1, false));
}

#[tokio::test]
async fn the_end_of_a_vital_task_stops_the_process_with_a_failure() {
    let shutdown = Shutdown::default();
    let tasks = Tasks::new(shutdown.clone());
    tasks.spawn_vital("accept", async {});
    tokio::time::timeout(Duration::from_secs(10), shutdown.draining()).await.unwrap();
    assert_eq!(shutdown.failure(), Some("task `accept` ended"));
}

#[tokio::test]
async fn vital_tasks_may_end_during_a_drain() {
    let shutdown = Shutdown::default();
    let tasks = Tasks::new(shutdown.clone());
    shutdown.begin("test");
    tasks.spawn_vital("accept", async {});
    assert!(tasks.join(Duration::from_secs(10)).await);
    assert_eq!(shutdown.failure(), None);
}

#[tokio::test(start_paused = true)]
async fn a_drain_runs_its_steps_in_order_and_goes_on_after_a_late_one() {
    let order = Arc::new(Mutex::new(Vec::new()));
    let note = |what: &'static str| {
        let order = Arc::clone(&order);
        async move {
            order.lock().unwrap().push(what);
            Ok(())
        }
    };
    let mut running = Running::new("toy", Tasks::new(Shutdown::default()));
    running.step("intake", Duration::from_secs(1), note("intake"));
    running.step("queue", Duration::from_secs(1), std::future::pending());
    running.step("flush", Duration::from_secs(1), async { anyhow::bail!("disk is gone") });
    running.step("admin", Duration::from_secs(1), note("admin"));
    running.tasks.spawn("for ever", std::future::pending());
    let drained = running.drain().await;
    assert_eq!(*order.lock().unwrap(), ["intake", "admin"]);
    assert_eq!(drained.failures, ["toy: queue took longer than 1s", "toy: flush failed: disk is gone"]);
}

#[tokio::test]
async fn several_services_drain_one_after_the_other() {
    let order = Arc::new(Mutex::new(Vec::new()));
    let part = |name: &'static str| {
        let mut running = Running::new(name, Tasks::new(Shutdown::default()));
        let order = Arc::clone(&order);
        running.step("stop", Duration::from_secs(10), async move {
            order.lock().unwrap().push(name);
            if name == "store" { anyhow::bail!("disk is gone") } else { Ok(()) }
        });
        running.tasks.spawn("for ever", std::future::pending());
        running
    };
    let all =
        Running::together("stack", Tasks::new(Shutdown::default()), vec![part("store"), part("collector")]);
    assert_eq!(all.drain().await.failures, ["stack: store: stop failed: disk is gone"]);
    assert_eq!(*order.lock().unwrap(), ["store", "collector"]);
}

#[tokio::test]
async fn a_pool_bounds_workers_and_waiters_and_survives_panics() {
    let pool = Pool::new("engine", 1, 1);
    let (release, gate) = std::sync::mpsc::channel::<()>();
    let busy = pool.run(move || gate.recv().is_ok());
    let waiting = pool.run(|| 7);
    let refused = pool.run(|| 8);
    let (busy, waiting, refused) = tokio::join!(busy, waiting, async {
        let refused = refused.await;
        release.send(()).unwrap();
        refused
    });
    assert_eq!((busy, waiting), (Ok(true), Ok(7)));
    assert_eq!(refused.unwrap_err().kind, Kind::Unavailable);
    assert_eq!(pool.run(|| -> u32 { panic!("oops") }).await.unwrap_err().kind, Kind::Internal);
    assert_eq!((pool.run(|| 9).await, pool.waiting()), (Ok(9), 0));
}
