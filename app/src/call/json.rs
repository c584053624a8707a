//! Reads JSON into types.
//!
//! `serde_json` says where a text is wrong and why, for each type anew: that was a tenth of the browser's WASM. Nobody
//! reads it there. Here a text is right or it is not, and what depends on no type is compiled once.

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
use std::{borrow::Cow, fmt};

/// The text is not the JSON of such a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wrong;

/// A whole text.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Wrong> {
    let mut reader = Reader { text, at: 0 };
    let value = T::deserialize(&mut reader)?;
    if reader.peek().is_err() { Ok(value) } else { Err(Wrong) }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// The next byte that is no space; it stays.
    fn peek(&mut self) -> Result<u8, Wrong> {
        while let Some(byte) = self.text.as_bytes().get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Ok(*byte);
            }
            self.at += 1;
        }
        Err(Wrong)
    }

    /// The very next byte.
    fn next(&mut self) -> Result<u8, Wrong> {
        let byte = self.text.as_bytes().get(self.at).ok_or(Wrong)?;
        self.at += 1;
        Ok(*byte)
    }

    fn take(&mut self, byte: u8) -> Result<(), Wrong> {
        if self.peek()? != byte {
            return Err(Wrong);
        }
        self.at += 1;
        Ok(())
    }

    fn word(&mut self, word: &str) -> Result<(), Wrong> {
        self.peek()?;
        word.bytes().try_for_each(|byte| if self.next()? == byte { Ok(()) } else { Err(Wrong) })
    }

    fn flag(&mut self) -> Result<bool, Wrong> {
        let is_true = self.peek()? == b't';
        self.word(if is_true { "true" } else { "false" })?;
        Ok(is_true)
    }

    /// A whole number: the shop has no others.
    fn number(&mut self) -> Result<i64, Wrong> {
        let is_negative = self.peek()? == b'-';
        self.at += usize::from(is_negative);
        let first = self.at;
        let mut number: i64 = 0;
        while let Some(digit @ b'0'..=b'9') = self.text.as_bytes().get(self.at) {
            let digit = i64::from(digit - b'0');
            let digit = if is_negative { -digit } else { digit };
            number = number.checked_mul(10).and_then(|number| number.checked_add(digit)).ok_or(Wrong)?;
            self.at += 1;
        }
        if self.at > first { Ok(number) } else { Err(Wrong) }
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Wrong> {
        self.take(b'"')?;
        let first = self.plain()?;
        if self.next()? == b'"' {
            return Ok(Cow::Borrowed(first));
        }
        let mut whole = first.to_owned();
        loop {
            whole.push(self.escaped()?);
            whole.push_str(self.plain()?);
            if self.next()? == b'"' {
                return Ok(Cow::Owned(whole));
            }
        }
    }

    /// Up to the next quote or backslash.
    fn plain(&mut self) -> Result<&'a str, Wrong> {
        let rest = self.text.get(self.at..).ok_or(Wrong)?;
        let length = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\')).ok_or(Wrong)?;
        self.at += length;
        rest.get(..length).ok_or(Wrong)
    }

    fn escaped(&mut self) -> Result<char, Wrong> {
        Ok(match self.next()? {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'u' => return self.code_point(),
            byte @ (b'"' | b'\\' | b'/') => char::from(byte),
            _ => return Err(Wrong),
        })
    }

    fn code_point(&mut self) -> Result<char, Wrong> {
        let first = self.hex()?;
        if !(0xD800..0xDC00).contains(&first) {
            return char::from_u32(first).ok_or(Wrong);
        }
        let is_pair = (self.next()?, self.next()?) == (b'\\', b'u');
        let low = self.hex()?.checked_sub(0xDC00).filter(|low| is_pair && *low < 0x400).ok_or(Wrong)?;
        char::from_u32(0x10000 + ((first - 0xD800) << 10) + low).ok_or(Wrong)
    }

    fn hex(&mut self) -> Result<u32, Wrong> {
        (0..4).try_fold(0, |sum, _| Ok(sum * 16 + char::from(self.next()?).to_digit(16).ok_or(Wrong)?))
    }

    /// Passes over a value that nobody asked for.
    fn skip(&mut self) -> Result<(), Wrong> {
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'"' => drop(self.string()?),
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                    continue;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1).ok_or(Wrong)?;
                    self.at += 1;
                }
                b',' | b':' if depth > 0 => {
                    self.at += 1;
                    continue;
                }
                _ => self.skip_scalar()?,
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    fn skip_scalar(&mut self) -> Result<(), Wrong> {
        let first = self.at;
        while let Some(b'0'..=b'9' | b'a'..=b'z' | b'E' | b'-' | b'+' | b'.') = self.text.as_bytes().get(self.at) {
            self.at += 1;
        }
        if self.at > first { Ok(()) } else { Err(Wrong) }
    }

    fn items<'r>(&'r mut self) -> Items<'r, 'a> {
        Items { reader: self, is_first: true }
    }
}

macro_rules! as_number {
    ($($method:ident)*) => { $(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            visitor.visit_i64(self.number()?)
        }
    )* };
}

macro_rules! as_text {
    ($($method:ident)*) => { $(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            visitor.visit_str(&self.string()?)
        }
    )* };
}

impl<'de> Deserializer<'de> for &mut Reader<'_> {
    type Error = Wrong;

    as_number! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
    }

    as_text! { deserialize_str deserialize_string deserialize_char deserialize_identifier }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.peek()? {
            b'"' => self.deserialize_str(visitor),
            b'{' => self.deserialize_map(visitor),
            b'[' => self.deserialize_seq(visitor),
            b't' | b'f' => self.deserialize_bool(visitor),
            b'n' => self.deserialize_unit(visitor),
            _ => self.deserialize_i64(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_bool(self.flag()?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        if self.peek()? != b'n' {
            return visitor.visit_some(self);
        }
        self.word("null")?;
        visitor.visit_none()
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.word("null")?;
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.take(b'[')?;
        let value = visitor.visit_seq(self.items())?;
        self.take(b']')?;
        Ok(value)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.take(b'{')?;
        let value = visitor.visit_map(self.items())?;
        self.take(b'}')?;
        Ok(value)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.deserialize_map(visitor)
    }

    /// Only names: an enum with more in it has a type of its own that says how it is written.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_enum((&*self.string()?).into_deserializer())
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.skip()?;
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! { f32 f64 bytes byte_buf }
}

/// What stands between brackets.
struct Items<'r, 'a> {
    reader: &'r mut Reader<'a>,
    is_first: bool,
}

impl Items<'_, '_> {
    fn has_more(&mut self, end: u8) -> Result<bool, Wrong> {
        if self.reader.peek()? == end {
            return Ok(false);
        }
        if !std::mem::take(&mut self.is_first) {
            self.reader.take(b',')?;
        }
        Ok(true)
    }
}

impl<'de> SeqAccess<'de> for Items<'_, '_> {
    type Error = Wrong;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Wrong> {
        if self.has_more(b']')? { seed.deserialize(&mut *self.reader).map(Some) } else { Ok(None) }
    }
}

impl<'de> MapAccess<'de> for Items<'_, '_> {
    type Error = Wrong;

    fn next_key_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Wrong> {
        if self.has_more(b'}')? { seed.deserialize(&mut *self.reader).map(Some) } else { Ok(None) }
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Wrong> {
        self.reader.take(b':')?;
        seed.deserialize(&mut *self.reader)
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the JSON that was expected")
    }
}

impl std::error::Error for Wrong {}

impl de::Error for Wrong {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

#[cfg(test)]
mod tests;
