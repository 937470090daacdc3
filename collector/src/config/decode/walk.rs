//! Lists, maps and enums of the decoder: how serde walks into them.
//!
//! Knows: paths of elements. Must not know: scalars. Start at [`Entries`].

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, EnumAccess, Error as _, MapAccess, SeqAccess, VariantAccess, Visitor};

use super::{Broken, Decoder};
use crate::config::tree::Node;

pub(super) struct Items<'p, 'a> {
    pub(super) parent: &'p Decoder<'a>,
    pub(super) items: std::iter::Enumerate<std::slice::Iter<'a, Node>>,
}

impl<'de> SeqAccess<'de> for Items<'_, '_> {
    type Error = Broken;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Broken> {
        let Some((index, node)) = self.items.next() else { return Ok(None) };
        let path = format!("{}[{index}]", self.parent.path);
        seed.deserialize(Decoder { node, path, noted: self.parent.noted }).map(Some)
    }
}

pub(super) struct Entries<'p, 'a> {
    pub(super) parent: &'p Decoder<'a>,
    pub(super) entries: std::slice::Iter<'a, (String, Node)>,
    /// A struct's fields: other keys have been noted and are skipped.
    pub(super) known: Option<&'static [&'static str]>,
    pub(super) value: Option<&'a (String, Node)>,
}

impl<'de> MapAccess<'de> for Entries<'_, '_> {
    type Error = Broken;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Broken> {
        loop {
            let Some(entry) = self.entries.next() else { return Ok(None) };
            if self.known.is_none_or(|fields| fields.contains(&entry.0.as_str())) {
                self.value = Some(entry);
                return seed.deserialize(StrDeserializer::<Broken>::new(&entry.0)).map(Some);
            }
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Broken> {
        let Some((key, node)) = self.value.take() else {
            return Err(Broken::custom("a value without a key"));
        };
        seed.deserialize(self.parent.child(key, node))
    }
}

pub(super) struct Variant(pub(super) &'static str);

impl<'de> EnumAccess<'de> for Variant {
    type Error = Broken;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Broken> {
        Ok((seed.deserialize(StrDeserializer::<Broken>::new(self.0))?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant {
    type Error = Broken;

    fn unit_variant(self) -> Result<(), Broken> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, Broken> {
        Err(Broken::custom("a value where a name was expected"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Broken> {
        Err(Broken::custom("a value where a name was expected"))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, Broken> {
        Err(Broken::custom("a value where a name was expected"))
    }
}
