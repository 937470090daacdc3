//! Strict decoding of a tree into typed configuration: a serde deserializer that collects every problem.
//!
//! Knows: serde, positions, the decoder's texts of the OpenTelemetry Collector. Must not know:
//! any component. Wrong values are noted and replaced by a neutral one, so that one pass reports everything; the result
//! is used only if nothing was noted. Start at [`decode`].

mod duration;
mod walk;

use std::cell::RefCell;
use std::time::Duration;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error as _, Visitor};

use self::duration::DURATION;
pub(crate) use self::duration::GoDuration;
pub(super) use self::duration::parse_duration;
use self::walk::{Entries, Items, Variant};
use super::tree::{Mark, Meaning, Node, Value};

/// A section that is there as soon as its key is, even without a value (`grpc:`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Section<T>(pub(crate) Option<T>);

impl<T> Default for Section<T> {
    fn default() -> Self {
        Section(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Section<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(|inner| Section(Some(inner)))
    }
}

/// Decodes `node` (null = all defaults).
///
/// # Errors
/// Every problem, as `'path' …` lines followed by where the value stands.
pub(crate) fn decode<T: DeserializeOwned>(node: &Node) -> Result<T, Vec<String>> {
    let noted = RefCell::new(Vec::new());
    let result = T::deserialize(Decoder { node, path: String::new(), noted: &noted });
    let mut problems = noted.into_inner();
    match result {
        Ok(value) if problems.is_empty() => Ok(value),
        Ok(_) => Err(problems),
        Err(Broken(text)) => {
            problems.push(text);
            Err(problems)
        }
    }
}

/// A failure that a visitor raised itself.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Broken(String);

impl serde::de::Error for Broken {
    fn custom<T: std::fmt::Display>(text: T) -> Self {
        Broken(text.to_string())
    }
}

#[derive(Clone)]
struct Decoder<'a> {
    node: &'a Node,
    path: String,
    noted: &'a RefCell<Vec<String>>,
}

impl<'a> Decoder<'a> {
    fn note(&self, text: &str) {
        note(self.noted, &self.path, text, &self.node.at);
    }

    fn unconvertible(&self, expected: &str) {
        let got = self.node.kind();
        let shown = match &self.node.value {
            Value::Scalar(scalar) => format!(", value: '{}'", scalar.text),
            _ => String::new(),
        };
        self.note(&format!("expected type '{expected}', got unconvertible type '{got}'{shown}"));
    }

    fn meaning(&self) -> Meaning<'a> {
        match &self.node.value {
            Value::Scalar(scalar) => scalar.meaning(),
            _ => Meaning::Null,
        }
    }

    fn integer(&self, expected: &str) -> Option<i128> {
        match (&self.node.value, self.meaning()) {
            (Value::Scalar(_), Meaning::Int(int)) => Some(int),
            (Value::Scalar(_), Meaning::Float(float)) if float.fract() == 0.0 && float.abs() < 1e15 => {
                format!("{float:.0}").parse().ok()
            }
            _ => {
                self.unconvertible(expected);
                None
            }
        }
    }

    /// The text of a string field; a whole-value `${env:…}` gives the variable's text whatever it looks like.
    fn text(&self) -> &'a str {
        match &self.node.value {
            Value::Scalar(scalar) if scalar.quoted || scalar.expanded => &scalar.text,
            Value::Scalar(scalar) => match scalar.meaning() {
                Meaning::Text(text) => text,
                Meaning::Null => "",
                _ => {
                    self.unconvertible("string");
                    ""
                }
            },
            Value::Null => "",
            Value::List(_) | Value::Map(_) => {
                self.unconvertible("string");
                ""
            }
        }
    }

    fn child(&self, key: &str, node: &'a Node) -> Decoder<'a> {
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        Decoder { node, path, noted: self.noted }
    }

    fn duration(&self) -> Duration {
        let parsed = match self.meaning() {
            Meaning::Text(text) => parse_duration(text),
            Meaning::Int(nanos) => u64::try_from(nanos)
                .map(Duration::from_nanos)
                .map_err(|_negative| format!("time: invalid duration \"{nanos}\"")),
            _ => {
                self.unconvertible("time.Duration");
                return Duration::ZERO;
            }
        };
        parsed.unwrap_or_else(|text| {
            self.note(&text);
            Duration::ZERO
        })
    }

    fn entries(&self, expected: &str) -> &'a [(String, Node)] {
        match &self.node.value {
            Value::Map(map) => map,
            _ if self.node.is_null() => &[],
            _ => {
                self.unconvertible(expected);
                &[]
            }
        }
    }
}

fn note(noted: &RefCell<Vec<String>>, path: &str, text: &str, at: &Mark) {
    let place = if at.line == 0 { String::new() } else { format!("\n\tat {at}") };
    noted.borrow_mut().push(format!("'{path}' {text}{place}"));
}

macro_rules! unsigned {
    ($($method:ident $visit:ident $type:ty, $name:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
            let value = self.integer($name).unwrap_or(0);
            let value = <$type>::try_from(value).unwrap_or_else(|_out_of_range| {
                self.note(&format!("cannot parse value as '{}': {value} is out of range", $name));
                0
            });
            visitor.$visit(value)
        }
    )*};
}

impl<'de> Deserializer<'de> for Decoder<'_> {
    type Error = Broken;

    unsigned! {
        deserialize_u8 visit_u8 u8, "uint8";
        deserialize_u16 visit_u16 u16, "uint16";
        deserialize_u32 visit_u32 u32, "uint32";
        deserialize_u64 visit_u64 u64, "uint64";
        deserialize_i8 visit_i8 i8, "int8";
        deserialize_i16 visit_i16 i16, "int16";
        deserialize_i32 visit_i32 i32, "int32";
        deserialize_i64 visit_i64 i64, "int";
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
        match &self.node.value {
            Value::Map(_) => self.deserialize_map(visitor),
            Value::List(_) => self.deserialize_seq(visitor),
            _ => match self.meaning() {
                Meaning::Null => visitor.visit_unit(),
                Meaning::Bool(value) => visitor.visit_bool(value),
                Meaning::Float(value) => visitor.visit_f64(value),
                Meaning::Int(value) => match i64::try_from(value) {
                    Ok(value) => visitor.visit_i64(value),
                    Err(_larger) => visitor.visit_f64(0.0),
                },
                Meaning::Text(text) => visitor.visit_str(text),
            },
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
        let Meaning::Bool(value) = self.meaning() else {
            self.unconvertible("bool");
            return visitor.visit_bool(false);
        };
        visitor.visit_bool(value)
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
        match self.meaning() {
            Meaning::Float(value) => visitor.visit_f64(value),
            Meaning::Int(value) => visitor.visit_f64(i32::try_from(value).map_or(0.0, f64::from)),
            _ => {
                self.unconvertible("float64");
                visitor.visit_f64(0.0)
            }
        }
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
        self.deserialize_str(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
        let at = (self.path.clone(), &self.node.at, self.noted);
        let text = self.text();
        match visitor.visit_str::<Broken>(text) {
            Ok(value) => Ok(value),
            Err(Broken(why)) => Err(Broken(format!("'{}' {why}\n\tat {}", at.0, at.1))),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
        self.deserialize_str(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
        if self.node.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Broken> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Broken> {
        if name == DURATION {
            return visitor.visit_u64(u64::try_from(self.duration().as_nanos()).unwrap_or(u64::MAX));
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
        let items: &[Node] = match &self.node.value {
            Value::List(items) => items,
            _ if self.node.is_null() => &[],
            _ => {
                self.unconvertible("slice");
                &[]
            }
        };
        visitor.visit_seq(Items { parent: &self, items: items.iter().enumerate() })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Broken> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Broken> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
        let entries = self.entries("map").iter();
        visitor.visit_map(Entries { parent: &self, entries, known: None, value: None })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Broken> {
        let entries = self.entries("map");
        let unknown: Vec<&(String, Node)> =
            entries.iter().filter(|(key, _)| !fields.contains(&key.as_str())).collect();
        if let Some((_, first)) = unknown.first() {
            let mut keys: Vec<&str> = unknown.iter().map(|(key, _)| key.as_str()).collect();
            keys.sort_unstable();
            note(self.noted, &self.path, &format!("has invalid keys: {}", keys.join(", ")), &first.at);
        }
        visitor.visit_map(Entries {
            parent: &self,
            entries: entries.iter(),
            known: Some(fields),
            value: None,
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Broken> {
        let text = self.text();
        let known = variants.iter().find(|known| **known == text);
        let variant = match (known, variants.first()) {
            (Some(known), _) => known,
            (None, Some(first)) => {
                self.note(&format!("unsupported value {text:?}, expected one of [{}]", variants.join(" ")));
                first
            }
            (None, None) => return Err(Broken::custom("an enum without variants")),
        };
        visitor.visit_enum(Variant(variant))
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
        visitor.visit_unit()
    }
}
