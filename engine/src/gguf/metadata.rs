//! Metadata of a GGUF file: keys with typed values.

use crate::error::StartError;
use std::collections::BTreeMap;

const HINT: &str = "Convert the model again with a current llama.cpp";

#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Integer(i128),
    Float(f64),
    Bool(bool),
    Text(String),
    Integers(Vec<i64>),
    Floats(Vec<f32>),
    Bools(Vec<bool>),
    Texts(Vec<String>),
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Metadata(pub BTreeMap<String, Value>);

impl Metadata {
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    pub fn text(&self, key: &str) -> Option<&str> {
        match self.get(key) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub fn flag(&self, key: &str) -> Option<bool> {
        match self.get(key) {
            Some(Value::Bool(flag)) => Some(*flag),
            _ => None,
        }
    }

    /// A count within `least..=most`, or `None` if the key is absent.
    pub fn count(&self, key: &str, least: usize, most: usize) -> Result<Option<usize>, StartError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Integer(number)) => usize::try_from(*number)
                .ok()
                .filter(|count| (least..=most).contains(count))
                .map(Some)
                .ok_or_else(|| {
                    StartError::new(format!("{key} is {number}, outside {least} to {most}"), HINT)
                }),
            Some(_) => Err(StartError::new(format!("{key} is not an integer"), HINT)),
        }
    }

    pub fn required_count(&self, key: &str, least: usize, most: usize) -> Result<usize, StartError> {
        self.count(key, least, most)?
            .ok_or_else(|| StartError::new(format!("the metadata lacks {key}"), HINT))
    }

    pub fn float(&self, key: &str) -> Result<Option<f32>, StartError> {
        match self.get(key) {
            None => Ok(None),
            #[allow(clippy::cast_possible_truncation, reason = "the file's floats are 32 bits wide")]
            Some(Value::Float(number)) if number.is_finite() => Ok(Some(*number as f32)),
            Some(_) => Err(StartError::new(format!("{key} is not a finite number"), HINT)),
        }
    }

    pub fn texts(&self, key: &str) -> Option<&[String]> {
        match self.get(key) {
            Some(Value::Texts(texts)) => Some(texts),
            _ => None,
        }
    }

    pub fn floats(&self, key: &str) -> Option<&[f32]> {
        match self.get(key) {
            Some(Value::Floats(floats)) => Some(floats),
            _ => None,
        }
    }

    pub fn integers(&self, key: &str) -> Option<&[i64]> {
        match self.get(key) {
            Some(Value::Integers(integers)) => Some(integers),
            _ => None,
        }
    }
}
