//! Clients that send exactly the bytes that a test wants.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::body::Body;
use tower::{Service, ServiceExt};

use crate::rig::DEADLINE;

/// An answer over HTTP/1.1.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// One request on a connection of its own, with a content length unless the headers speak of chunks.
pub(crate) async fn http(
    authority: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    if !headers.iter().any(|(name, _)| matches!(*name, "transfer-encoding" | "content-length")) {
        head += &format!("content-length: {}\r\n", body.len());
    }
    raw(authority, &[head.as_bytes(), b"\r\n", body]).await
}

/// Sends parts as they are and reads one answer.
pub(crate) async fn raw(authority: &str, parts: &[&[u8]]) -> Answer {
    let exchange = async {
        let stream = TcpStream::connect(authority).await.unwrap();
        let (mut read, mut write) = stream.into_split();
        let bytes = parts.concat();
        let send = async {
            // The peer may answer and close before it has read everything.
            let _refused_early = write.write_all(&bytes).await;
        };
        let receive = async {
            let mut answer = Vec::new();
            let mut buffer = vec![0; 64 << 10];
            loop {
                match read.read(&mut buffer).await {
                    Ok(0) | Err(_) => return answer,
                    Ok(count) => answer.extend_from_slice(&buffer[..count]),
                }
                if complete(&answer) {
                    return answer;
                }
            }
        };
        let (answer, ()) = tokio::join!(receive, send);
        parse(&answer)
    };
    tokio::time::timeout(DEADLINE, exchange).await.expect("no answer in time")
}

fn complete(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    length.is_some_and(|length| answer.len() >= end + 4 + length)
}

fn parse(answer: &[u8]) -> Answer {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or_else(|| {
        panic!("not an HTTP answer: {:?}", String::from_utf8_lossy(answer));
    });
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    Answer { status, headers, body: answer[end + 4..].to_vec() }
}

/// How a gRPC call ended.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) code: i32,
    pub(crate) message: String,
    pub(crate) position: String,
    /// Whether the details hold a `RetryInfo`.
    pub(crate) retry_info: bool,
    pub(crate) body: Vec<u8>,
}

pub(crate) const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
pub(crate) const METRICS: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
pub(crate) const LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";

/// A call with a well-formed frame.
pub(crate) async fn grpc(authority: &str, path: &str, message: &[u8]) -> Call {
    grpc_frame(authority, path, &[], &frame(0, message)).await
}

pub(crate) fn frame(flag: u8, message: &[u8]) -> Vec<u8> {
    let mut frame = vec![flag];
    frame.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
    frame.extend_from_slice(message);
    frame
}

/// A call with any body.
pub(crate) async fn grpc_frame(authority: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Call {
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{authority}")).unwrap();
    let endpoint = endpoint.connect_timeout(Duration::from_secs(5));
    let call = async {
        let mut channel = endpoint.connect().await.unwrap();
        let mut request = Request::post(format!("http://{authority}{path}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::new(Full::new(Bytes::copy_from_slice(body)))).unwrap();
        let response = channel.ready().await.unwrap().call(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let collected = body.collect().await.unwrap();
        let trailers = collected.trailers().cloned().unwrap_or_default();
        let found = |name: &str| parts.headers.get(name).or(trailers.get(name)).cloned();
        let text =
            |name: &str| found(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        let status =
            tonic::Status::from_header_map(&parts.headers).or(tonic::Status::from_header_map(&trailers));
        let details = status.as_ref().map(|status| status.details().to_vec()).unwrap_or_default();
        Call {
            code: text("grpc-status").parse().unwrap(),
            message: status.map(|status| status.message().to_owned()).unwrap_or_default(),
            position: text("x-yc-position"),
            retry_info: details.windows(9).any(|window| window == b"RetryInfo"),
            body: collected.to_bytes().to_vec(),
        }
    };
    tokio::time::timeout(DEADLINE, call).await.expect("no answer in time")
}
