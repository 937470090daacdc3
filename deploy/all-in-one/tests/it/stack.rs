//! All services in this process, on ports that the system chooses.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use runtime_service::{Args, Context, Running};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use yc_observability::{Config, build};

const DEADLINE: Duration = Duration::from_secs(60);
const SPAN: &str = r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"demo"}}]},
"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"GET /",
"kind":2,"startTimeUnixNano":"START","endTimeUnixNano":"END"}]}]}]}"#;

pub(crate) fn args(flags: &[&str]) -> Args {
    use clap::Parser;
    Args::try_parse_from(std::iter::once(&"yc-observability").chain(flags)).unwrap()
}

async fn start(dir: &std::path::Path) -> Running {
    let config = Config::load(&args(&["--data-dir", dir.to_str().unwrap()])).unwrap();
    build(config, Context::ephemeral(dir)).await.unwrap().start().unwrap()
}

/// Status and body of one HTTP/1.1 request.
pub(crate) async fn http(url: &str, method: &str, path: &str, body: &str) -> (u16, String) {
    let addr: SocketAddr = url.trim_start_matches("http://").split('/').next().unwrap().parse().unwrap();
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {addr}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    tokio::time::timeout(DEADLINE, stream.read_to_string(&mut text)).await.unwrap().unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

fn span() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    SPAN.replace("START", &now.to_string()).replace("END", &(now + 500_000).to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_span_goes_in_by_otlp_and_comes_out_of_jaegers_api_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let started = Instant::now();
    let stack = start(dir.path()).await;
    println!("built and started in {:?}", started.elapsed());
    let (status, answer) = http(stack.url("OTLP HTTP").unwrap(), "POST", "/v1/traces", &span()).await;
    assert_eq!(status, 200, "{answer}");
    let trace = "/api/traces/5b8efff798038103d269b633813fc60c";
    let visible = async |stack: &Running| {
        let jaeger = stack.url("Jaeger HTTP").unwrap();
        let waiting = async {
            while http(jaeger, "GET", trace, "").await.0 != 200 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(DEADLINE, waiting).await.unwrap();
        assert!(http(jaeger, "GET", "/api/services", "").await.1.contains("demo"));
        assert!(http(jaeger, "GET", "/api/traces?service=demo&limit=5", "").await.1.contains("GET /"));
    };
    visible(&stack).await;
    let drained = tokio::time::timeout(DEADLINE, stack.drain()).await.unwrap();
    assert_eq!(drained.failures, Vec::<String>::new());
    let stack = start(dir.path()).await;
    visible(&stack).await;
    stack.drain().await;
}

#[test]
fn wrong_keys_of_all_services_are_named_together() {
    let flags = [
        "--set",
        "trace-store.retentoin=1d",
        "--set",
        "query-api.nope=1",
        "--set",
        "dashboard-gateway.prot=1",
        "--set",
        "exporters.nope.x=1",
    ];
    let error = Config::load(&args(&flags)).unwrap_err().to_string();
    for part in ["did you mean `retention`?", "`nope`: unknown key", "did you mean `port`?", "exporters"] {
        assert!(error.contains(part), "{part}: {error}");
    }
}
