//! Wiring: what is shared, what is copied, in which order components live.

use std::sync::Arc;

use shared_proto::otlp::Signal;

use super::{Graph, build, plan};
use crate::component::Component;
use crate::config::{Config, Sources};
use crate::testing::{RECEIVERS, batch, catalog, host, journal};

fn graph(text: &str) -> Graph {
    let sources = Sources { uris: vec![format!("yaml:{text}")], ..Sources::default() };
    let catalog = catalog();
    let config = Config::load_with(&sources, &catalog).unwrap();
    let plan = plan(&config, &catalog).unwrap();
    build(&config, &plan, &host()).unwrap()
}

const SHARED: &str = "
receivers: {nop: , nop/unused: }
processors: {nop: }
exporters: {nop: , nop/2: , nop/unused: }
connectors: {nop_conn: }
extensions: {nop: }
service:
  extensions: [nop]
  pipelines:
    traces/1: {receivers: [nop], processors: [nop], exporters: [nop, nop/2, nop_conn]}
    traces/2: {receivers: [nop, nop_conn], processors: [nop], exporters: [nop]}
    logs: {receivers: [nop], exporters: [nop]}
";

#[tokio::test]
async fn a_batch_reaches_every_pipeline_without_a_copy() {
    let _graph = graph(SHARED);
    let output = RECEIVERS.with(|receivers| {
        let mut receivers = receivers.lock().unwrap();
        assert_eq!(receivers.len(), 1, "one instance of the receiver, none of the unused one");
        receivers.pop().unwrap().1
    });
    assert_eq!(output.len(), 2, "traces and logs");
    assert!(!output.contains_key(&Signal::Metrics));
    output[&Signal::Traces].consumer.consume(batch("x", 1)).await.unwrap();
    let journal = journal();
    let journal = journal.lock().unwrap();
    let mut steps: Vec<&str> = journal.iter().map(|line| line.rsplit_once(' ').unwrap().0).collect();
    let addresses: std::collections::BTreeSet<&str> =
        journal.iter().map(|line| line.rsplit_once(' ').unwrap().1).collect();
    assert_eq!(addresses.len(), 1, "everyone saw the same bytes: {journal:?}");
    steps.sort_unstable();
    assert_eq!(
        steps,
        [
            "connector nop_conn traces",
            "exporter nop traces",
            "exporter nop traces",
            "exporter nop traces",
            "exporter nop/2 traces",
            "nop in traces/1 traces",
            "nop in traces/2 traces",
            "nop in traces/2 traces",
        ]
    );
}

#[test]
fn exporters_are_shared_and_processors_are_not() {
    let graph = graph(SHARED);
    let start = |components: &[Arc<dyn Component>]| components.iter().for_each(|one| one.start().unwrap());
    start(&graph.exporters);
    start(&graph.processors);
    start(&graph.receivers);
    start(&graph.extensions);
    let journal = journal();
    let journal = journal.lock().unwrap();
    assert_eq!(
        *journal,
        [
            "start exporter nop",
            "start exporter nop/2",
            "start processor nop in traces/2",
            "start processor nop in traces/1",
            "start receiver nop",
            "start extension nop",
        ]
    );
}
