//! Tree → any `serde::Deserialize`, with the place of what is wrong.
//!
//! Knows: serde, YAML 1.2's core types. No weak typing: `"true"` is no boolean, `[1]` no string; a plain number is
//! text when text is asked for. Must not know: keys. Start at [`De`].

use std::fmt;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{self, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::tree::{Entry, Mark, Node, Segment, Value};

/// What is wrong, and where once that is known.
#[derive(Debug)]
pub(super) struct DeError {
    pub(super) message: String,
    pub(super) place: Option<Mark>,
    /// Innermost first while it is passed up.
    pub(super) path: Vec<Segment>,
    pub(super) missing: bool,
}

impl DeError {
    fn below(mut self, segment: Segment, mark: &Mark) -> Self {
        self.path.push(segment);
        self.place.get_or_insert_with(|| mark.clone());
        self
    }
}

impl fmt::Display for DeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DeError {}

impl de::Error for DeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { message: message.to_string(), place: None, path: Vec::new(), missing: false }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::custom(unknown("key", field, expected))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::custom(unknown("value", variant, expected))
    }

    fn missing_field(field: &'static str) -> Self {
        Self { missing: true, ..Self::custom(format!("`{field}` is missing")) }
    }
}

fn unknown(what: &str, got: &str, expected: &[&str]) -> String {
    if expected.is_empty() {
        return format!("unknown {what} `{got}`, none is expected here");
    }
    let near = expected.iter().map(|e| (distance(e, got), *e)).min().filter(|(d, _)| *d <= 2);
    let hint = near.map_or(String::new(), |(_, e)| format!("did you mean `{e}`? "));
    format!("unknown {what} `{got}`; {hint}known: {}", expected.join(", "))
}

/// Edit distance (Levenshtein), one row at a time.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (slot, y) in row.iter_mut().skip(1).zip(&b) {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = *slot;
            left = substituted.min(left + 1).min(*slot + 1);
            *slot = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

/// A node that asks to be deserialised.
pub(super) struct De<'a>(pub(super) &'a Node);

impl De<'_> {
    fn unexpected(&self, expected: &dyn de::Expected) -> DeError {
        let found = match &self.0.value {
            Value::Null => "no value".to_owned(),
            Value::Scalar(s) if s.plain => format!("`{}`", s.text),
            Value::Scalar(s) => format!("the text `{}`", s.text),
            Value::Seq(_) => "a list".to_owned(),
            Value::Map(_) => "a map".to_owned(),
        };
        de::Error::custom(format!("expected {expected}, found {found}"))
    }

    fn scalar(&self) -> Option<&str> {
        self.0.text()
    }

    fn plain(&self) -> Option<&str> {
        match &self.0.value {
            Value::Scalar(s) if s.plain => Some(&s.text),
            _ => None,
        }
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

fn integer(text: &str) -> Option<i128> {
    if let Some(hex) = text.strip_prefix("0x") {
        return i128::from_str_radix(hex, 16).ok();
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return i128::from_str_radix(octal, 8).ok();
    }
    text.parse().ok()
}

fn float(text: &str) -> Option<f64> {
    match text.to_ascii_lowercase().as_str() {
        ".inf" | "+.inf" => Some(f64::INFINITY),
        "-.inf" => Some(f64::NEG_INFINITY),
        ".nan" => Some(f64::NAN),
        _ => {
            let first = text.trim_start_matches(['+', '-']).chars().next()?;
            (first.is_ascii_digit() || first == '.').then(|| text.parse().ok()).flatten()
        }
    }
}

macro_rules! integers {
    ($($method:ident $visit:ident $kind:ty,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
            match self.plain().and_then(integer) {
                Some(n) => match <$kind>::try_from(n) {
                    Ok(n) => visitor.$visit(n),
                    Err(_out_of_range) => Err(de::Error::custom(format!(
                        "{n} is out of range, expected {} to {}", <$kind>::MIN, <$kind>::MAX
                    ))),
                },
                None => Err(self.unexpected(&"a whole number")),
            }
        }
    )*};
}

impl<'de> de::Deserializer<'de> for De<'de> {
    type Error = DeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        match &self.0.value {
            Value::Null => visitor.visit_unit(),
            Value::Seq(items) => visitor.visit_seq(Items { items: items.iter().enumerate() }),
            Value::Map(entries) => visitor.visit_map(Keys { entries: entries.iter(), value: None }),
            Value::Scalar(s) if !s.plain => visitor.visit_borrowed_str(&s.text),
            Value::Scalar(s) => match (boolean(&s.text), integer(&s.text), float(&s.text)) {
                (Some(b), ..) => visitor.visit_bool(b),
                (_, Some(n), _) => match (i64::try_from(n), u64::try_from(n)) {
                    (Ok(n), _) => visitor.visit_i64(n),
                    (_, Ok(n)) => visitor.visit_u64(n),
                    _ => visitor.visit_borrowed_str(&s.text),
                },
                (.., Some(x)) => visitor.visit_f64(x),
                _ => visitor.visit_borrowed_str(&s.text),
            },
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        match self.plain().and_then(boolean) {
            Some(b) => visitor.visit_bool(b),
            None => Err(self.unexpected(&"`true` or `false`")),
        }
    }

    integers! {
        deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16, deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64, deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32, deserialize_u64 visit_u64 u64,
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        match self.plain().and_then(float) {
            Some(x) => visitor.visit_f64(x),
            None => Err(self.unexpected(&"a number")),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        match &self.0.value {
            Value::Scalar(s) => visitor.visit_borrowed_str(&s.text),
            _ => Err(self.unexpected(&"text")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        match &self.0.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        match &self.0.value {
            Value::Seq(items) => visitor.visit_seq(Items { items: items.iter().enumerate() }),
            _ => Err(self.unexpected(&"a list")),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        match &self.0.value {
            Value::Map(entries) => visitor.visit_map(Keys { entries: entries.iter(), value: None }),
            _ => Err(self.unexpected(&"a map")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeError> {
        if self.0.value == Value::Null {
            return visitor.visit_map(Keys { entries: [].iter(), value: None });
        }
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeError> {
        if let Some(text) = self.scalar() {
            let name: StrDeserializer<'_, DeError> = text.into_deserializer();
            return visitor.visit_enum(name);
        }
        match &self.0.value {
            Value::Map(entries) if entries.len() == 1 => {
                visitor.visit_enum(MapAccessDeserializer::new(Keys { entries: entries.iter(), value: None }))
            }
            _ => Err(self.unexpected(&"a name, or a map with one key")),
        }
    }

    forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

struct Items<'a> {
    items: std::iter::Enumerate<std::slice::Iter<'a, Node>>,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = DeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, DeError> {
        let Some((at, node)) = self.items.next() else { return Ok(None) };
        seed.deserialize(De(node)).map(Some).map_err(|e| e.below(Segment::Index(at), &node.mark))
    }
}

struct Keys<'a> {
    entries: std::slice::Iter<'a, Entry>,
    value: Option<&'a Entry>,
}

impl<'de> MapAccess<'de> for Keys<'de> {
    type Error = DeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, DeError> {
        let Some(entry) = self.entries.next() else { return Ok(None) };
        self.value = Some(entry);
        let name: StrDeserializer<'_, DeError> = entry.key.as_str().into_deserializer();
        seed.deserialize(name).map(Some).map_err(|e| e.below(Segment::Key(entry.key.clone()), &entry.mark))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, DeError> {
        let entry = self.value.take().ok_or_else(|| <DeError as de::Error>::custom("value before key"))?;
        let mark = if matches!(entry.node.value, Value::Null) { &entry.mark } else { &entry.node.mark };
        seed.deserialize(De(&entry.node)).map_err(|e| e.below(Segment::Key(entry.key.clone()), mark))
    }
}
