//! Tensors to and from the protocol's two forms: JSON numbers, and little-endian bytes.

use crate::error::Refusal;
use crate::onnx::Datatype;
use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde_json::value::{RawValue, to_raw_value};
use std::fmt;
use std::marker::PhantomData;
use tract_onnx::prelude::{Datum, Tensor, TractResult, f16};

/// Does `$body` with `$type` standing for the Rust type of a datatype.
macro_rules! with_type {
    ($datatype:expr, $type:ident => $body:expr) => {
        match $datatype {
            Datatype::Bool => {
                type $type = bool;
                $body
            }
            Datatype::U8 => {
                type $type = u8;
                $body
            }
            Datatype::U16 => {
                type $type = u16;
                $body
            }
            Datatype::U32 => {
                type $type = u32;
                $body
            }
            Datatype::U64 => {
                type $type = u64;
                $body
            }
            Datatype::I8 => {
                type $type = i8;
                $body
            }
            Datatype::I16 => {
                type $type = i16;
                $body
            }
            Datatype::I32 => {
                type $type = i32;
                $body
            }
            Datatype::I64 => {
                type $type = i64;
                $body
            }
            Datatype::F16 => {
                type $type = f16;
                $body
            }
            Datatype::F32 => {
                type $type = f32;
                $body
            }
            Datatype::F64 => {
                type $type = f64;
                $body
            }
        }
    };
}

/// A tensor from JSON, flat or nested; as many values as the shape says.
pub fn from_json(datatype: Datatype, shape: &[usize], data: &RawValue) -> Result<Tensor, Refusal> {
    with_type!(datatype, T => {
        let mut values: Vec<T> = Vec::new();
        let mut deserializer = serde_json::Deserializer::from_str(data.get());
        Flat { values: &mut values, depth: 0 }
            .deserialize(&mut deserializer)
            .map_err(|error| Refusal::bad(format!("data is no {}: {error}", datatype.name())))?;
        build(shape, &values)
    })
}

/// A tensor from the bytes of the binary extension.
pub fn from_bytes(datatype: Datatype, shape: &[usize], bytes: &[u8]) -> Result<Tensor, Refusal> {
    with_type!(datatype, T => {
        let width = size_of::<T>();
        if !bytes.len().is_multiple_of(width) {
            return Err(Refusal::bad(format!("{} bytes are no whole number of {}", bytes.len(), datatype.name())));
        }
        build(shape, &T::read_all(bytes))
    })
}

fn build<T: Element>(shape: &[usize], values: &[T]) -> Result<Tensor, Refusal> {
    let wanted = shape.iter().try_fold(1_usize, |product, length| product.checked_mul(*length));
    if wanted != Some(values.len()) {
        return Err(Refusal::bad(format!("the shape {shape:?} does not suit {} values", values.len())));
    }
    Tensor::from_shape(shape, values).map_err(|error| Refusal::bad(error.to_string()))
}

/// A flat array of numbers; what is infinite or no number becomes null.
pub fn to_json(datatype: Datatype, tensor: &Tensor) -> TractResult<Box<RawValue>> {
    with_type!(datatype, T => {
        let view = tensor.try_as_plain_ram()?;
        let values: Vec<_> = view.as_slice::<T>()?.iter().map(|value| value.to_json()).collect();
        Ok(to_raw_value(&values)?)
    })
}

pub fn to_bytes(datatype: Datatype, tensor: &Tensor) -> TractResult<Vec<u8>> {
    with_type!(datatype, T => {
        let view = tensor.try_as_plain_ram()?;
        Ok(T::write_all(view.as_slice::<T>()?))
    })
}

/// A number type of the protocol.
trait Element: Datum + Copy {
    fn from_integer(value: i128) -> Option<Self>;
    fn from_float(value: f64) -> Option<Self>;
    /// What stands for the value in JSON.
    fn to_json(self) -> impl Serialize;
    /// All at once, as most time would go into calls for single values.
    fn read_all(bytes: &[u8]) -> Vec<Self>;
    fn write_all(values: &[Self]) -> Vec<u8>;
}

macro_rules! element {
    ($type:ty, $from_integer:expr, $from_float:expr, $to_json:expr) => {
        impl Element for $type {
            fn from_integer(value: i128) -> Option<Self> {
                $from_integer(value)
            }

            fn from_float(value: f64) -> Option<Self> {
                $from_float(value)
            }

            fn to_json(self) -> impl Serialize {
                $to_json(self)
            }

            fn read_all(bytes: &[u8]) -> Vec<Self> {
                let (each, _) = bytes.as_chunks::<{ size_of::<$type>() }>();
                each.iter().map(|bytes| Self::from_le_bytes(*bytes)).collect()
            }

            fn write_all(values: &[Self]) -> Vec<u8> {
                let mut bytes = vec![0; size_of_val(values)];
                let (each, _) = bytes.as_chunks_mut::<{ size_of::<$type>() }>();
                for (bytes, value) in each.iter_mut().zip(values) {
                    *bytes = value.to_le_bytes();
                }
                bytes
            }
        }
    };
}

macro_rules! integer {
    ($($type:ty)*) => { $(element!($type, |value| <$type>::try_from(value).ok(), |_| None, std::convert::identity);)* };
}

integer!(u8 u16 u32 u64 i8 i16 i32 i64);
element!(f32, |value| Some(value as f32), |value| Some(value as f32), std::convert::identity);
element!(f64, |value| Some(value as f64), Some, std::convert::identity);
element!(f16, |value| Some(f16::from_f64(value as f64)), |value| Some(f16::from_f64(value)), f16::to_f32);

impl Element for bool {
    fn from_integer(value: i128) -> Option<Self> {
        (0..=1).contains(&value).then_some(value == 1)
    }

    fn from_float(_: f64) -> Option<Self> {
        None
    }

    fn to_json(self) -> impl Serialize {
        self
    }

    fn read_all(bytes: &[u8]) -> Vec<Self> {
        bytes.iter().map(|byte| *byte != 0).collect()
    }

    fn write_all(values: &[Self]) -> Vec<u8> {
        values.iter().map(|value| u8::from(*value)).collect()
    }
}

/// Deeper than any tensor; the parser's own limit is not far beyond.
const DEEPEST: usize = 32;

/// Numbers out of arrays of arrays, in order, without a tree in between.
struct Flat<'a, T> {
    values: &'a mut Vec<T>,
    depth: usize,
}

impl<'de, T: Element> DeserializeSeed<'de> for Flat<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(FlatVisitor {
            values: self.values,
            depth: self.depth,
            marker: PhantomData,
        })
    }
}

struct FlatVisitor<'a, T> {
    values: &'a mut Vec<T>,
    depth: usize,
    marker: PhantomData<T>,
}

impl<T: Element> FlatVisitor<'_, T> {
    fn push<E: serde::de::Error>(self, value: Option<T>) -> Result<(), E> {
        self.values.push(value.ok_or_else(|| E::custom("a value does not fit the type"))?);
        Ok(())
    }
}

impl<'de, T: Element> Visitor<'de> for FlatVisitor<'_, T> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("numbers, in arrays")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        if self.depth == DEEPEST {
            return Err(serde::de::Error::custom("arrays are nested too deep"));
        }
        let Self { values, depth, .. } = self;
        while sequence.next_element_seed(Flat { values: &mut *values, depth: depth + 1 })?.is_some() {}
        Ok(())
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        if T::datum_type() == bool::datum_type() {
            self.push(T::from_integer(i128::from(value)))
        } else {
            self.push(None)
        }
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        self.push(T::from_integer(i128::from(value)))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        self.push(T::from_integer(i128::from(value)))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        self.push(T::from_float(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(datatype: Datatype, shape: &[usize], json: &str) -> Result<Tensor, Refusal> {
        from_json(datatype, shape, &RawValue::from_string(json.to_owned()).unwrap())
    }

    #[test]
    fn nested_and_flat_arrays_are_the_same() {
        let flat = parsed(Datatype::F32, &[2, 2], "[1, 2.5, -3, 4]").unwrap();
        assert_eq!(flat, parsed(Datatype::F32, &[2, 2], "[[1, 2.5], [-3, 4]]").unwrap());
        let bytes = to_bytes(Datatype::F32, &flat).unwrap();
        assert_eq!(flat, from_bytes(Datatype::F32, &[2, 2], &bytes).unwrap());
        assert_eq!(to_json(Datatype::F32, &flat).unwrap().get(), "[1.0,2.5,-3.0,4.0]");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (datatype, shape, json) in [
            (Datatype::U8, &[1][..], "[256]"),
            (Datatype::I64, &[1], "[1.5]"),
            (Datatype::Bool, &[1], "[2]"),
            (Datatype::F32, &[1], "[true]"),
            (Datatype::F32, &[1], "[\"1\"]"),
            (Datatype::F32, &[2], "[1]"),
            (Datatype::F32, &[usize::MAX, 2], "[1]"),
        ] {
            assert!(parsed(datatype, shape, json).is_err(), "{json}");
        }
        assert!(parsed(Datatype::F32, &[1], &format!("{}1{}", "[".repeat(100), "]".repeat(100))).is_err());
    }
}
