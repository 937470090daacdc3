//! The raw codec through tonic's own framing.

use bytes::Bytes;
use shared_proto::codec::RawCodec;
use tonic::codec::{Codec, EncodeBody, Streaming};

#[tokio::test]
async fn messages_pass_through_the_codec_as_they_are() {
    let messages: [Bytes; 3] = [Bytes::new(), Bytes::from_static(b"\x0a\x00"), vec![0xab; 3 << 20].into()];
    let source = tokio_stream::iter(messages.clone().map(Ok));
    let body = EncodeBody::new_client(RawCodec.encoder(), source, None, None);
    let mut stream = Streaming::new_request(RawCodec.decoder(), body, None, None);
    for expect in messages {
        assert_eq!(stream.message().await.unwrap(), Some(expect));
    }
    assert_eq!(stream.message().await.unwrap(), None);
}
