//! `google.rpc.Status` with `RetryInfo`, as protobuf and as JSON.
//!
//! Knows: <https://github.com/googleapis/googleapis/blob/master/google/rpc/status.proto> and `error_details.proto`,
//! the few messages of them that OTLP uses. Must not know: kinds. Start at [`protobuf`].

use std::time::Duration;

use bytes::Bytes;
use prost::Message;
use serde_json::json;

use super::Status;

const RETRY_INFO_URL: &str = "type.googleapis.com/google.rpc.RetryInfo";

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<Delay>,
}

/// `google.protobuf.Duration`.
#[derive(Clone, Copy, PartialEq, Message)]
struct Delay {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

pub(super) fn protobuf(status: &Status) -> Bytes {
    let details = status.retry_hint().map(|hint| {
        let delay = Delay {
            seconds: i64::try_from(hint.as_secs()).unwrap_or(i64::MAX),
            nanos: i32::try_from(hint.subsec_nanos()).unwrap_or(0),
        };
        let info = RetryInfo { retry_delay: Some(delay) };
        Any { type_url: RETRY_INFO_URL.to_owned(), value: info.encode_to_vec() }
    });
    let rpc = RpcStatus {
        code: i32::from(status.kind.grpc()),
        message: status.message.clone(),
        details: details.into_iter().collect(),
    };
    rpc.encode_to_vec().into()
}

pub(super) fn json(status: &Status) -> Bytes {
    let mut body = json!({ "code": i32::from(status.kind.grpc()), "message": status.message });
    if let (Some(hint), Some(object)) = (status.retry_hint(), body.as_object_mut()) {
        let delay = format!("{}s", hint.as_secs_f64());
        object.insert("details".to_owned(), json!([{ "@type": RETRY_INFO_URL, "retryDelay": delay }]));
    }
    body.to_string().into()
}

/// The `RetryInfo` in `grpc-status-details-bin`, if there is one.
pub(super) fn retry_info(details: &[u8]) -> Option<Duration> {
    let rpc = RpcStatus::decode(details).ok()?;
    let any = rpc.details.iter().find(|any| any.type_url == RETRY_INFO_URL)?;
    let delay = RetryInfo::decode(any.value.as_slice()).ok()?.retry_delay.unwrap_or_default();
    Some(Duration::new(u64::try_from(delay.seconds).unwrap_or(0), u32::try_from(delay.nanos).unwrap_or(0)))
}
