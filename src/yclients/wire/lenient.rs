//! Shapes that accept every spelling the API has been seen to use.
//!
//! Nothing here fails over a shape: what fits nowhere becomes `Odd` (or an empty [`Scalar`]), and
//! the reader decides what that means. serde's own errors quote the offending value, and the value
//! may be a client's name, so none of them is ever let out of this room.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A number, a text or a flag, whichever of them the API chose to send today.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Scalar {
    /// Absent, null, an object or an array.
    #[default]
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

impl Scalar {
    /// A whole number, also one written as text (`"67001"`) or as a float (`1.0`).
    pub(super) fn int(&self) -> Option<i64> {
        match self {
            Self::Int(n) => Some(*n),
            Self::Text(text) => text.trim().parse().ok().or_else(|| whole(self.number()?)),
            Self::Float(n) => whole(*n),
            Self::Bool(_) | Self::None => None,
        }
    }

    /// Any finite number.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            #[expect(
                clippy::cast_precision_loss,
                reason = "prices and percents are far below 2^53"
            )]
            Self::Int(n) => Some(*n as f64),
            Self::Float(n) => Some(*n),
            Self::Text(text) => text.trim().parse().ok().filter(|n: &f64| n.is_finite()),
            Self::Bool(_) | Self::None => None,
        }
    }

    /// `true`, 1, `"1"`, `"true"`.
    pub(super) fn flag(&self) -> bool {
        match self {
            Self::Bool(b) => *b,
            Self::Text(text) => matches!(text.trim(), "1" | "true" | "True"),
            Self::Int(_) | Self::Float(_) => self.int().is_some_and(|n| n != 0),
            Self::None => false,
        }
    }

    /// An explicit no: `false`, 0, `"false"`. Silence is none.
    pub(super) fn denied(&self) -> bool {
        match self {
            Self::Bool(b) => !b,
            Self::Text(text) => matches!(text.trim(), "0" | "false" | "False"),
            Self::Int(n) => *n == 0,
            Self::Float(_) | Self::None => false,
        }
    }

    /// The text, trimmed; a number in its digits (the API has sent phones so).
    pub(super) fn text(&self) -> String {
        match self {
            Self::Text(text) => text.trim().to_owned(),
            Self::Int(n) => n.to_string(),
            Self::Float(n) => whole(*n).map_or_else(|| n.to_string(), |n| n.to_string()),
            Self::Bool(_) | Self::None => String::new(),
        }
    }
}

fn whole(number: f64) -> Option<i64> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "checked against 2^53 on the same line"
    )]
    (number.fract() == 0.0 && number.abs() < 9.0e15).then_some(number as i64)
}

/// An object, or one of the ways to say that there is none: null, `[]`, `{}` of PHP, `false`, `""`.
#[derive(Clone, Debug, Default)]
pub(super) enum Obj<T> {
    #[default]
    None,
    Some(T),
    /// Something else altogether.
    Odd,
}

/// An array, or one of the ways to say that it is empty: null, `{}`, `""`.
#[derive(Clone, Debug)]
pub(super) enum List<T> {
    Items(Vec<T>),
    /// Something else altogether.
    Odd,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self::Items(Vec::new())
    }
}

impl<T> List<Obj<T>> {
    /// The elements without the null ones, or `None` where the array or an element is no such thing.
    pub(super) fn objects(self) -> Option<Vec<T>> {
        let Self::Items(items) = self else {
            return None;
        };
        items
            .into_iter()
            .filter_map(|item| match item {
                Obj::None => None,
                Obj::Some(item) => Some(Some(item)),
                Obj::Odd => Some(None),
            })
            .collect()
    }
}

/// Writes the visits of values without structure, the same sentence for every numeric type.
macro_rules! visits {
    ($($name:ident($type:ty) => $with:expr;)*) => {
        $(fn $name<E>(self, value: $type) -> Result<Self::Value, E> {
            Ok(($with)(value))
        })*
    };
}

fn skip_seq<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<usize, A::Error> {
    let mut count = 0;
    while seq.next_element::<IgnoredAny>()?.is_some() {
        count += 1;
    }
    Ok(count)
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            visits! {
                visit_bool(bool) => Scalar::Bool;
                visit_i64(i64) => Scalar::Int;
                visit_u64(u64) => |n| i64::try_from(n).map_or(Scalar::None, Scalar::Int);
                visit_f64(f64) => Scalar::Float;
                visit_str(&str) => |text: &str| Scalar::Text(text.to_owned());
                visit_string(String) => Scalar::Text;
            }

            fn visit_unit<E>(self) -> Result<Scalar, E> {
                Ok(Scalar::None)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Scalar, A::Error> {
                skip_seq(seq).map(|_| Scalar::None)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar::None)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Obj<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Any<T> {
            type Value = Obj<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object or nothing")
            }

            visits! {
                visit_bool(bool) => |b| if b { Obj::Odd } else { Obj::None };
                visit_i64(i64) => |_| Obj::Odd;
                visit_u64(u64) => |_| Obj::Odd;
                visit_f64(f64) => |_| Obj::Odd;
                visit_str(&str) => |text: &str| if text.is_empty() { Obj::None } else { Obj::Odd };
            }

            fn visit_unit<E>(self) -> Result<Obj<T>, E> {
                Ok(Obj::None)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Obj<T>, A::Error> {
                Ok(if skip_seq(seq)? == 0 {
                    Obj::None
                } else {
                    Obj::Odd
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Obj<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Obj::Some)
            }
        }
        deserializer.deserialize_any(Any(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Any<T> {
            type Value = List<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array or nothing")
            }

            visits! {
                visit_bool(bool) => |b| if b { List::Odd } else { List::default() };
                visit_i64(i64) => |_| List::Odd;
                visit_u64(u64) => |_| List::Odd;
                visit_f64(f64) => |_| List::Odd;
                visit_str(&str) => |text: &str| {
                    if text.is_empty() { List::default() } else { List::Odd }
                };
            }

            fn visit_unit<E>(self) -> Result<List<T>, E> {
                Ok(List::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<List<T>, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(List::Items(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<List<T>, A::Error> {
                let mut empty = true;
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                    empty = false;
                }
                Ok(if empty { List::default() } else { List::Odd })
            }
        }
        deserializer.deserialize_any(Any(PhantomData))
    }
}
