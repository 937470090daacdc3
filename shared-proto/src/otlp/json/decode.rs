//! JSON to protobuf, in one pass and driven by the tables.

use bytes::Bytes;

use super::lexer::{Lexer, Token};
use super::{JsonError, scalar};
use crate::otlp::Signal;
use crate::otlp::schema::{FieldSpec, Kind, Label, Message, request};
use crate::otlp::wire::{begin, end, put_bytes, put_tag, put_varint};

/// How deep messages may nest below the request; as [`crate::otlp::Limits`] has it.
const DEPTH_MAX: usize = 100;

/// Turns an OTLP/JSON request into protobuf bytes: `docs/wire.md`, "OTLP/JSON".
///
/// Texts are copied as they come, so that [`crate::otlp::admit`], which has to follow, repairs and counts those that
/// are not UTF-8.
///
/// # Errors
/// [`JsonError`], naming the place, when the body is not JSON or a known field has a value of the wrong kind.
pub fn decode(signal: Signal, body: &[u8]) -> Result<Bytes, JsonError> {
    let mut decoder = Decoder { lexer: Lexer::new(body), out: Vec::with_capacity(body.len() / 2) };
    match decoder.lexer.value()? {
        Token::Object => decoder.message(request(signal), DEPTH_MAX)?,
        Token::Null => {}
        other => return Err(JsonError::new(0, format!("expected an object, found {}", other.what()))),
    }
    decoder.lexer.end()?;
    Ok(decoder.out.into())
}

struct Decoder<'a> {
    lexer: Lexer<'a>,
    out: Vec<u8>,
}

impl<'a> Decoder<'a> {
    /// The members of an object that was entered.
    fn message(&mut self, message: &'static Message, depth: usize) -> Result<(), JsonError> {
        let mut first = true;
        while let Some(key) = self.lexer.key(first)? {
            first = false;
            let token = self.lexer.value()?;
            match message.field_named(&key) {
                None => self.lexer.skip(&token)?,
                Some(_) if token == Token::Null => {}
                Some(field) if field.label == Label::Many => self.array(field, &token, depth)?,
                Some(field) => {
                    self.value(field, &token, depth).map_err(|error| error.below(field.json, None))?;
                }
            }
        }
        Ok(())
    }

    fn array(&mut self, field: &'static FieldSpec, token: &Token<'a>, depth: usize) -> Result<(), JsonError> {
        if *token != Token::Array {
            let what = format!("expected an array, found {}", token.what());
            return Err(JsonError::new(self.lexer.at(), what).below(field.json, None));
        }
        let packed = field.kind.wire() != 2;
        if packed {
            put_tag(&mut self.out, field.number, 2);
        }
        let start = if packed { begin(&mut self.out) } else { 0 };
        let mut at = 0;
        while self.lexer.element(at == 0).map_err(|error| error.below(field.json, Some(at)))? {
            let element = self.lexer.value().and_then(|token| self.value(field, &token, depth));
            element.map_err(|error| error.below(field.json, Some(at)))?;
            at += 1;
        }
        if packed {
            end(&mut self.out, start);
        }
        Ok(())
    }

    /// One value of a field: the only one or an element.
    fn value(&mut self, field: &'static FieldSpec, token: &Token<'a>, depth: usize) -> Result<(), JsonError> {
        let at = self.lexer.at();
        // one that cannot be told from its default is left out; null in an array is the default
        let optional = field.label == Label::One;
        let bytes = match (&field.kind, token) {
            (Kind::Message(_), Token::Object) | (Kind::Message(_), Token::Null) => {
                return self.inner(field, token, depth);
            }
            (Kind::Text, Token::String(text)) => text.clone(),
            (Kind::Bytes, Token::String(text)) => {
                scalar::base64(text).map_err(|e| JsonError::new(at, e))?.into()
            }
            (Kind::TraceId, Token::String(text)) => {
                scalar::hex(text, 16).map_err(|e| JsonError::new(at, e))?.into()
            }
            (Kind::SpanId, Token::String(text)) => {
                scalar::hex(text, 8).map_err(|e| JsonError::new(at, e))?.into()
            }
            (Kind::Text | Kind::Bytes | Kind::TraceId | Kind::SpanId, Token::Null) => Default::default(),
            (Kind::Text | Kind::Bytes | Kind::TraceId | Kind::SpanId, _) => {
                return Err(JsonError::new(at, format!("expected a string, found {}", token.what())));
            }
            (Kind::Message(_), _) => {
                return Err(JsonError::new(at, format!("expected an object, found {}", token.what())));
            }
            (kind, _) => {
                let bits = scalar::bits(kind, token).map_err(|e| JsonError::new(at, e))?;
                self.number(field, bits);
                return Ok(());
            }
        };
        if !(optional && bytes.is_empty()) {
            put_bytes(&mut self.out, field.number, &bytes);
        }
        Ok(())
    }

    fn number(&mut self, field: &FieldSpec, bits: u64) {
        if field.label == Label::One && bits == 0 {
            return;
        }
        let wire = field.kind.wire();
        if field.label != Label::Many {
            put_tag(&mut self.out, field.number, wire);
        }
        match wire {
            0 => put_varint(&mut self.out, bits),
            1 => self.out.extend_from_slice(&bits.to_le_bytes()),
            _ => self.out.extend_from_slice(bits.to_le_bytes().get(..4).unwrap_or_default()),
        }
    }

    fn inner(&mut self, field: &'static FieldSpec, token: &Token<'a>, depth: usize) -> Result<(), JsonError> {
        let Kind::Message(message) = field.kind else { return Ok(()) };
        let Some(depth) = depth.checked_sub(1) else {
            return Err(JsonError::new(self.lexer.at(), "messages nest too deeply"));
        };
        put_tag(&mut self.out, field.number, 2);
        let start = begin(&mut self.out);
        if *token == Token::Object {
            self.message(message, depth)?;
        }
        end(&mut self.out, start);
        Ok(())
    }
}
