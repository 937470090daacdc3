//! Decompression into a bounded buffer.
//!
//! Knows: gzip (libdeflate in one shot), zlib ("deflate") and zstd (streaming). Must not know: transports. However large a
//! body claims to be, no more than the limit and one step is ever held, and every step is admitted first. Start at
//! [`inflate`].

use std::io::Read;

use bytes::Bytes;
use libdeflater::{DecompressionError, Decompressor};
use runtime_service::{Kind, Status};

use crate::admission::Lease;

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Identity,
    Gzip,
    Zstd,
    /// The zlib format, as HTTP calls it.
    Deflate,
}

impl Coding {
    /// By the name in `content-encoding` or `grpc-encoding`.
    pub(super) fn by_name(name: &str) -> Option<Self> {
        match name.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Some(Coding::Identity),
            "gzip" | "x-gzip" => Some(Coding::Gzip),
            "zstd" => Some(Coding::Zstd),
            "deflate" | "zlib" => Some(Coding::Deflate),
            _ => None,
        }
    }
}

/// Deflate cannot compress better than this, so a claimed size beyond it is a lie.
const DEFLATE_RATIO_MAX: usize = 1032;
/// A gzip member: 10 bytes of header, at least 2 of data, 8 of trailer.
const GZIP_BYTES_MIN: usize = 20;
/// How every member begins: the magic and the only method, deflate.
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b, 0x08];
/// Streaming decoders are read in steps of this.
const STEP_BYTES: usize = 64 << 10;
/// A zstd frame may ask for a window of at most 8 MiB (2^23), as RFC 8878 recommends decoders to support.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// Decompresses `body`; the lease covers input and output meanwhile, and the output alone afterwards.
///
/// # Errors
/// [`Kind::TooLarge`] over `limit` bytes, [`Kind::Invalid`] for damaged data, the lease's refusal.
pub(super) fn inflate(coding: Coding, body: Bytes, limit: usize, lease: &mut Lease) -> Result<Bytes, Status> {
    let out = match coding {
        Coding::Identity => return Ok(body),
        Coding::Gzip => gzip(&body, limit, lease)?,
        Coding::Deflate => {
            let decoder = flate2::bufread::ZlibDecoder::new(&*body);
            let (out, decoder) = stream("deflate", decoder, limit, lease)?;
            if !decoder.into_inner().is_empty() {
                return Err(damaged("deflate", "data after the end of the stream"));
            }
            out
        }
        Coding::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(&*body)
                .map_err(|error| damaged("zstd", &error.to_string()))?;
            decoder
                .window_log_max(ZSTD_WINDOW_LOG_MAX)
                .map_err(|error| damaged("zstd", &error.to_string()))?;
            stream("zstd", decoder, limit, lease)?.0
        }
    };
    drop(body);
    lease.resize(out.len())?;
    Ok(out.into())
}

fn gzip(body: &[u8], limit: usize, lease: &mut Lease) -> Result<Vec<u8>, Status> {
    if !body.starts_with(GZIP_MAGIC) {
        return Err(damaged("gzip", "it does not begin like gzip"));
    }
    let Some(claimed) = claimed_size(body) else { return Err(damaged("gzip", "it is cut short")) };
    let possible = body.len().saturating_mul(DEFLATE_RATIO_MAX);
    if claimed > limit && possible > limit {
        return Err(too_large("gzip", limit));
    }
    if body.get(1..).is_some_and(|rest| memchr::memmem::find(rest, GZIP_MAGIC).is_some()) {
        return many_members(body, limit, lease);
    }
    let size = claimed.min(possible);
    lease.grow(size)?;
    let mut out = vec![0; size];
    match Decompressor::new().gzip_decompress(body, &mut out) {
        Ok(written) if written == claimed => Ok(out),
        Ok(_) | Err(DecompressionError::InsufficientSpace) => {
            drop(out);
            many_members(body, limit, lease)
        }
        Err(DecompressionError::BadData) => Err(damaged("gzip", "its data or checksum is wrong")),
    }
}

/// Several members, or garbage after the first: the one-shot decoder stops after one and does not say where, so every
/// body that could hold a second member's header comes here.
fn many_members(body: &[u8], limit: usize, lease: &mut Lease) -> Result<Vec<u8>, Status> {
    stream("gzip", flate2::bufread::MultiGzDecoder::new(body), limit, lease).map(|(out, _)| out)
}

/// The size that the last member's trailer claims (modulo 2^32).
fn claimed_size(body: &[u8]) -> Option<usize> {
    if body.len() < GZIP_BYTES_MIN {
        return None;
    }
    let trailer: [u8; 4] = *body.last_chunk::<4>()?;
    usize::try_from(u32::from_le_bytes(trailer)).ok()
}

/// Reads all of `decoder`, a step at a time.
fn stream<R: Read>(
    name: &str,
    mut decoder: R,
    limit: usize,
    lease: &mut Lease,
) -> Result<(Vec<u8>, R), Status> {
    let mut out = Vec::new();
    let mut step = vec![0; STEP_BYTES];
    loop {
        let read = decoder.read(&mut step).map_err(|error| damaged(name, &error.to_string()))?;
        if read == 0 {
            return Ok((out, decoder));
        }
        if out.len() + read > limit {
            return Err(too_large(name, limit));
        }
        if out.len() + read > out.capacity() {
            let more = out.capacity().max(STEP_BYTES).min(limit - out.len());
            lease.grow(more)?;
            out.reserve_exact(more);
        }
        out.extend(step.iter().take(read));
    }
}

fn damaged(name: &str, what: &str) -> Status {
    Status::new(Kind::Invalid, format!("body is not valid {name}: {what}"))
}

fn too_large(name: &str, limit: usize) -> Status {
    Status::new(Kind::TooLarge, format!("body is larger than {limit} bytes once its {name} is decompressed"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Arc;

    use super::*;
    use crate::admission::{Admission, Budget};
    use crate::metrics::Number;

    fn gz(plain: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(plain: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn run(coding: Coding, body: Vec<u8>, limit: usize) -> Result<Bytes, Status> {
        inflate(coding, body.into(), limit, &mut Admission::default().lease())
    }

    #[test]
    fn each_coding_round_trips_at_the_limit_and_not_beyond() {
        let plain: Vec<u8> = (0..200_000u32).flat_map(|n| n.to_le_bytes()).collect();
        let packed = [
            (Coding::Gzip, gz(&plain)),
            (Coding::Deflate, zlib(&plain)),
            (Coding::Zstd, zstd::encode_all(&*plain, 3).unwrap()),
        ];
        for (coding, body) in packed {
            assert_eq!(run(coding, body.clone(), plain.len()).unwrap(), plain, "{coding:?}");
            let refused = run(coding, body.clone(), plain.len() - 1).unwrap_err();
            assert_eq!(refused.kind, Kind::TooLarge, "{coding:?}");
            let cut = run(coding, body[..body.len() - 9].to_vec(), plain.len()).unwrap_err();
            assert_ne!(cut.kind, Kind::Internal, "{coding:?}");
            let mut longer = body;
            longer.extend_from_slice(b"garbage!garbage!garbage!");
            let refused = run(coding, longer, plain.len()).unwrap_err();
            assert!(matches!(refused.kind, Kind::Invalid | Kind::TooLarge), "{coding:?}: {refused:?}");
        }
    }

    #[test]
    fn several_gzip_members_are_one_body() {
        let mut body = gz(b"first, ");
        body.extend(gz(b"second"));
        assert_eq!(run(Coding::Gzip, body, 100).unwrap(), &b"first, second"[..]);
        let twins = [gz(b"twin"), gz(b"twin")].concat();
        assert_eq!(run(Coding::Gzip, twins, 100).unwrap(), &b"twintwin"[..]);
    }

    #[test]
    fn a_lying_size_costs_no_more_than_the_budget() {
        let mut body = gz(b"small");
        let at = body.len() - 4;
        body[at..].copy_from_slice(&(15u32 << 20).to_le_bytes());
        let used = Number::default();
        let mut admission = Admission::default();
        admission.add(Arc::new(Budget::new(1 << 20, used.clone())));
        let mut lease = admission.lease();
        let refused = inflate(Coding::Gzip, body.into(), 16 << 20, &mut lease).unwrap_err();
        assert_eq!(refused.kind, Kind::Invalid);
        drop(lease);
        assert_eq!(used.get(), 0);
    }

    #[test]
    fn an_inflated_body_over_the_budget_is_retryable() {
        let mut admission = Admission::default();
        admission.add(Arc::new(Budget::new(100_000, Number::default())));
        for (coding, body) in [
            (Coding::Gzip, gz(&vec![7; 1 << 20])),
            (Coding::Deflate, zlib(&vec![7; 1 << 20])),
            (Coding::Zstd, zstd::encode_all(&vec![7; 1 << 20][..], 3).unwrap()),
        ] {
            let refused = inflate(coding, body.into(), 16 << 20, &mut admission.lease()).unwrap_err();
            assert_eq!(refused.kind, Kind::Unavailable, "{coding:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn damaged_bodies_are_refused_and_give_everything_back(
            plain in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..4000),
            hits in proptest::collection::vec((0usize..5000, 1u8..), 0..4),
            cut in 0usize..100,
        ) {
            for (coding, mut body) in [
                (Coding::Gzip, gz(&plain)),
                (Coding::Deflate, zlib(&plain)),
                (Coding::Zstd, zstd::encode_all(&*plain, 1).unwrap()),
            ] {
                body.truncate(body.len().saturating_sub(cut));
                for (at, flip) in &hits {
                    if let Some(byte) = body.get_mut(*at) {
                        *byte ^= flip;
                    }
                }
                let used = Number::default();
                let mut admission = Admission::default();
                admission.add(Arc::new(Budget::new(1 << 20, used.clone())));
                let mut lease = admission.lease();
                match inflate(coding, body.into(), 4096, &mut lease) {
                    Ok(out) => assert!(out.len() <= 4096),
                    Err(status) => assert!(matches!(status.kind, Kind::Invalid | Kind::TooLarge), "{status:?}"),
                }
                drop(lease);
                assert_eq!(used.get(), 0);
            }
        }
    }
}
