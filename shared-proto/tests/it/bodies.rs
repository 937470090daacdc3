//! What every byte string must survive: shared by the bounded property tests here and the fuzz targets.

use bytes::Bytes;
use shared_proto::otlp::view::{AnyValueView, Attributes, TracesView};
use shared_proto::otlp::{Limits, Malformed, Signal, admit, count, json, split_traces};

/// Reads everything there is to read.
fn read_all(bytes: &[u8]) -> Result<u64, Malformed> {
    let mut spans = 0;
    for resource in TracesView::new(bytes) {
        let resource = resource?;
        if let Some(resource) = resource.resource()? {
            read_attributes(resource.attributes())?;
        }
        for scope in resource.scopes() {
            let scope = scope?;
            if let Some(scope) = scope.scope()? {
                read_attributes(scope.attributes())?;
            }
            for span in scope.spans() {
                let span = span?;
                span.status()?;
                read_attributes(span.attributes())?;
                span.events().try_for_each(|event| read_attributes(event?.attributes()))?;
                span.links().try_for_each(|link| read_attributes(link?.attributes()))?;
                spans += 1;
            }
        }
    }
    Ok(spans)
}

fn read_attributes(attributes: Attributes<'_>) -> Result<(), Malformed> {
    for attribute in attributes {
        read_value(&attribute?.value)?;
    }
    Ok(())
}

fn read_value(value: &AnyValueView<'_>) -> Result<(), Malformed> {
    value.elements().try_for_each(|element| read_value(&element?))?;
    read_attributes(value.entries())
}

/// Admits, and holds what was admitted to its promises.
pub(crate) fn admit_split(signal: Signal, bytes: &[u8]) {
    let limits = Limits {
        depth_max: 40,
        attribute_bytes_max: 200,
        attributes_max: 4,
        owner_bytes_max: 300,
        span_bytes_max: 700,
    };
    let _ = count(signal, bytes);
    let _ = split_traces(&Bytes::copy_from_slice(bytes), 3, 400);
    let Ok(admitted) = admit(signal, Bytes::copy_from_slice(bytes), &limits) else { return };
    assert_eq!(count(signal, &admitted.bytes), Ok(admitted.items), "the items are counted");
    let again = admit(signal, admitted.bytes.clone(), &limits).expect("what was admitted is admitted again");
    assert_eq!(again.repaired_texts, 0, "texts are repaired once");
    if signal != Signal::Traces {
        assert_eq!(again.bytes, admitted.bytes, "what was admitted is not changed again");
        return;
    }
    if again.rejected.is_none() {
        assert_eq!(again.bytes, admitted.bytes, "what was admitted is not changed again");
        let split = split_traces(&admitted.bytes, 3, 700).expect("what was admitted can be split");
        assert_eq!(split.rejected, None, "what was admitted fits into records");
        let spans: u64 = split.parts.iter().map(|part| part.spans).sum();
        assert_eq!(spans, admitted.items, "no span is lost or doubled");
        for part in &split.parts {
            assert_eq!(read_all(&part.payload), Ok(part.spans), "what was split can be read");
        }
    }
    let mut text = Vec::new();
    json::encode_traces(&admitted.bytes, &mut text).expect("what was admitted can be written as JSON");
    let back = json::decode(signal, &text).expect("our own JSON can be read");
    assert_eq!(count(signal, &back), Ok(admitted.items), "JSON holds every span");
}

/// Decodes JSON, and admits what comes of it.
pub(crate) fn json(signal: Signal, body: &[u8]) {
    if let Ok(bytes) = json::decode(signal, body) {
        admit(signal, bytes.clone(), &Limits::default()).expect("decoded JSON is sound");
        admit_split(signal, &bytes);
    }
}
