//! What the manifest keeps of a segment: enough to know without opening it that a trace or a time is not there.
//!
//! Layout (little endian, 97 bytes): version 1 (u8) · least and greatest trace id (16 + 16 bytes) · first and last span
//! start, last span end (u64 each) · spans, traces, error spans (u64 each) · reserved, zeroes (16 bytes).

use runtime_engine::{Error, Result};

const VERSION: u8 = 1;
const RESERVED: usize = 16;

/// The decoded `extra` of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extra {
    pub(crate) trace_id_min: [u8; 16],
    pub(crate) trace_id_max: [u8; 16],
    pub(crate) start_min: u64,
    pub(crate) start_max: u64,
    pub(crate) end_max: u64,
    pub(crate) spans: u64,
    pub(crate) traces: u64,
    pub(crate) errors: u64,
}

impl Default for Extra {
    fn default() -> Self {
        Self {
            trace_id_min: [u8::MAX; 16],
            trace_id_max: [0; 16],
            start_min: u64::MAX,
            start_max: 0,
            end_max: 0,
            spans: 0,
            traces: 0,
            errors: 0,
        }
    }
}

impl Extra {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        out.extend_from_slice(&self.trace_id_min);
        out.extend_from_slice(&self.trace_id_max);
        for number in [self.start_min, self.start_max, self.end_max, self.spans, self.traces, self.errors] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&[0; RESERVED]);
        out
    }

    /// Reads what [`Extra::encode`] wrote.
    ///
    /// # Errors
    /// [`Error::Corrupt`] with the version or length found.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        let corrupt = || {
            let (version, len) = (bytes.first(), bytes.len());
            Error::corrupt(
                "segment entry",
                format!("version {version:?} of {len} bytes, expected {VERSION} of 97"),
            )
        };
        let (&version, rest) = bytes.split_first().ok_or_else(corrupt)?;
        let (min, rest) = rest.split_first_chunk::<16>().ok_or_else(corrupt)?;
        let (max, mut rest) = rest.split_first_chunk::<16>().ok_or_else(corrupt)?;
        let mut numbers = [0; 6];
        for number in &mut numbers {
            let (chunk, tail) = rest.split_first_chunk::<8>().ok_or_else(corrupt)?;
            *number = u64::from_le_bytes(*chunk);
            rest = tail;
        }
        if version != VERSION || rest.len() != RESERVED {
            return Err(corrupt());
        }
        let [start_min, start_max, end_max, spans, traces, errors] = numbers;
        Ok(Self {
            trace_id_min: *min,
            trace_id_max: *max,
            start_min,
            start_max,
            end_max,
            spans,
            traces,
            errors,
        })
    }

    /// Whether a trace can be in the segment.
    pub(crate) fn may_hold(&self, trace_id: &[u8; 16]) -> bool {
        (self.trace_id_min..=self.trace_id_max).contains(trace_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_comes_back_as_it_was_and_nothing_else_does() {
        let extra = Extra { start_max: 7, spans: 3, trace_id_min: [1; 16], ..Extra::default() };
        let bytes = extra.encode();
        assert_eq!(bytes.len(), 97);
        assert_eq!(Extra::decode(&bytes).unwrap(), extra);
        for len in 0..bytes.len() {
            assert!(matches!(Extra::decode(&bytes[..len]), Err(Error::Corrupt { .. })));
        }
        assert!(Extra::decode(&[bytes, vec![0]].concat()).is_err());
    }
}
