//! Reads JSON bodies so that every problem of their shape is found, not the first one.
//!
//! Nothing here recurses: a value is kept as its text until somebody asks for it as something, so depth costs
//! nothing, numbers of any size are merely wrong, and doubled keys are seen.

use super::error::{ErrorCode, Failure};
use super::problem::ErrorEntry;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

/// What is wrong with a value, in words.
pub(super) type Wrong = Cow<'static, str>;

/// Most problems listed in one answer, so that a hostile body does not make a large one.
const PROBLEMS_MAX: usize = 200;
/// Most values of a list: rows of 8 MiB are far longer than 40 bytes, while `0,0,0…` would cost 8 bytes of memory for
/// each byte sent.
const LIST_MAX: usize = 200_000;
/// Most members of an object that are kept. No object here has a tenth of it, so that one with more has some that are
/// unknown or doubled among these, and is refused for them; `"a":0,"a":0…` would cost 25 bytes of memory for each sent.
const MEMBERS_MAX: usize = 1_000;
/// Longest piece of a request that an answer repeats, in characters.
const ECHO_MAX: usize = 100;

/// A body as JSON text.
pub(super) fn read(body: &[u8]) -> Result<&RawValue, Failure> {
    serde_json::from_slice(body).map_err(|error| Failure::malformed(error.to_string()))
}

/// The part of a text that an answer may repeat.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(ECHO_MAX).collect()
}

/// Collects the problems of a body's shape.
#[derive(Debug, Default)]
pub(super) struct Shape {
    problems: Vec<ErrorEntry>,
}

impl Shape {
    /// A field that nobody reads.
    pub(super) fn unknown(&mut self, pointer: String) {
        self.push(pointer, ErrorCode::UnknownField, "is not a field of this request".into());
    }

    /// A field that cannot be what it is.
    pub(super) fn invalid(&mut self, pointer: String, wrong: impl Into<Wrong>) {
        self.push(pointer, ErrorCode::InvalidField, wrong.into());
    }

    fn push(&mut self, pointer: String, code: ErrorCode, wrong: Wrong) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(ErrorEntry::of_body(pointer, code, wrong));
        }
    }

    /// What was read, if nothing was wrong.
    pub(super) fn finish<T>(self, read: Option<T>) -> Result<T, Vec<ErrorEntry>> {
        match read {
            Some(read) if self.problems.is_empty() => Ok(read),
            _ => Err(self.problems),
        }
    }
}

/// The members of an object that nobody has asked for yet.
pub(super) struct Object<'a> {
    pointer: String,
    members: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> Object<'a> {
    /// Opens an object. A value that is none, and keys that are given twice, are noted.
    pub(super) fn open(raw: &'a RawValue, pointer: String, shape: &mut Shape) -> Option<Self> {
        let Ok(Members(members)) = serde_json::from_str(raw.get()) else {
            shape.invalid(pointer, "must be an object");
            return None;
        };
        let mut seen = HashSet::with_capacity(members.len());
        for (name, _) in &members {
            if !seen.insert(name.as_ref()) {
                shape.invalid(below(&pointer, name), "is given twice");
            }
        }
        drop(seen);
        Some(Self { pointer, members })
    }

    /// The pointer of a member.
    pub(super) fn at(&self, name: &str) -> String {
        below(&self.pointer, name)
    }

    /// Takes a member out as text; `null` counts as absent.
    pub(super) fn raw(&mut self, name: &str) -> Option<&'a RawValue> {
        let place = self.members.iter().position(|(key, _)| key == name)?;
        let value = self.members.remove(place).1;
        self.members.retain(|(key, _)| key != name);
        (value.get() != "null").then_some(value)
    }

    /// Reads a member that may be absent.
    pub(super) fn optional<T>(
        &mut self,
        name: &str,
        shape: &mut Shape,
        read: impl FnOnce(&'a RawValue) -> Result<T, Wrong>,
    ) -> Option<T> {
        let raw = self.raw(name)?;
        read(raw).map_err(|wrong| shape.invalid(self.at(name), wrong)).ok()
    }

    /// Reads a member that has to be there.
    pub(super) fn required<T>(
        &mut self,
        name: &str,
        shape: &mut Shape,
        read: impl FnOnce(&'a RawValue) -> Result<T, Wrong>,
    ) -> Option<T> {
        let Some(raw) = self.raw(name) else {
            shape.invalid(self.at(name), "is required");
            return None;
        };
        read(raw).map_err(|wrong| shape.invalid(self.at(name), wrong)).ok()
    }

    /// Opens a list of any length; absent, or not a list, is noted.
    pub(super) fn list(&mut self, name: &str, shape: &mut Shape) -> Option<Vec<&'a RawValue>> {
        self.required(name, shape, list)
    }

    /// Notes what is left: fields that nobody reads.
    pub(super) fn close(self, shape: &mut Shape) {
        for (name, _) in &self.members {
            shape.unknown(below(&self.pointer, name));
        }
    }
}

/// The pointer of a member of an object or list (RFC 6901 §3).
pub(super) fn below(pointer: &str, name: &str) -> String {
    let name = shortened(name).replace('~', "~0").replace('/', "~1");
    format!("{pointer}/{name}")
}

/// A list of at most [`LIST_MAX`] values.
pub(super) fn list(raw: &RawValue) -> Result<Vec<&RawValue>, Wrong> {
    let Elements(elements) = serde_json::from_str(raw.get())
        .map_err(|_| format!("must be a list of at most {LIST_MAX} values"))?;
    Ok(elements)
}

/// A string.
pub(super) fn text(raw: &RawValue) -> Result<Cow<'_, str>, Wrong> {
    let Text(text) = serde_json::from_str(raw.get()).map_err(|_| "must be a string of valid Unicode")?;
    Ok(text)
}

/// A whole number of 64 bits.
pub(super) fn integer(raw: &RawValue) -> Result<i64, Wrong> {
    let number = raw.get();
    if !number.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        return Err("must be an integer".into());
    }
    number.parse().map_err(|_| match number.contains(['.', 'e', 'E']) {
        true => "must be an integer, without fraction and exponent".into(),
        false => "does not fit in 64 bits".into(),
    })
}

/// `true` or `false`; 1 or 0, as CSV files have it.
pub(super) fn boolean(raw: &RawValue) -> Result<bool, Wrong> {
    match raw.get() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err("must be true or false".into()),
    }
}

/// Text that borrows from the body where it needs no unescaping.
#[derive(Debug, serde::Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// The members of an object in their order, doubled ones included.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Text(name), value)) = map.next_entry()? {
                    if members.len() < MEMBERS_MAX {
                        members.push((name, value));
                    }
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// The values of a list.
struct Elements<'a>(Vec<&'a RawValue>);

impl<'de> Deserialize<'de> for Elements<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bounded;
        impl<'de> Visitor<'de> for Bounded {
            type Value = Elements<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut elements = Vec::new();
                while let Some(element) = list.next_element()? {
                    if elements.len() == LIST_MAX {
                        return Err(A::Error::custom("too long"));
                    }
                    elements.push(element);
                }
                Ok(Elements(elements))
            }
        }
        deserializer.deserialize_seq(Bounded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_exact_or_refused() {
        for (text, value) in [
            ("0", Some(0)),
            ("-1", Some(-1)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("1.0", None),
            ("1e3", None),
            ("1e999", None),
            ("\"1\"", None),
            ("null", None),
            ("[1]", None),
        ] {
            let raw = read(text.as_bytes()).expect("JSON");
            assert_eq!(integer(raw).ok(), value, "{text}");
        }
    }

    #[test]
    fn what_is_not_json_is_malformed() {
        let deep = "[".repeat(50_000);
        for bad in ["", "{", "{} {}", "\u{feff}{}", "{'a':1}", "[1,]", "\"\u{1}\"", "01", &deep] {
            let failure = read(bad.as_bytes()).expect_err(bad);
            assert_eq!(failure.code(), ErrorCode::MalformedJson, "{bad}");
        }
        for bad in [&b"\"\xff\""[..], b"{\"a\":\"\xc3\x28\"}", b"\0"] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn depth_costs_nothing() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(200_000), "]".repeat(200_000));
        let mut shape = Shape::default();
        let object = Object::open(read(deep.as_bytes()).expect("JSON"), String::new(), &mut shape);
        object.expect("an object").close(&mut shape);
        let problems = shape.finish(Some(())).expect_err("an unknown field");
        assert_eq!(problems.len(), 1);
    }

    #[test]
    fn answers_stay_small() {
        let members: Vec<_> = (0..10_000).map(|n| format!("\"x{n}\":0")).collect();
        let body = format!("{{{}}}", members.join(","));
        let mut shape = Shape::default();
        let object = Object::open(read(body.as_bytes()).expect("JSON"), String::new(), &mut shape);
        object.expect("an object").close(&mut shape);
        assert_eq!(shape.finish(Some(())).expect_err("unknown fields").len(), PROBLEMS_MAX);
    }

    #[test]
    fn pointers_are_escaped() {
        assert_eq!(below("/a", "b/c~d"), "/a/b~1c~0d");
        assert_eq!(below("", "é"), "/é");
    }
}
