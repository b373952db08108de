//! Reads a GGUF header from any stream. Nothing in the file is believed before it is checked
//! against the file's size, so memory grows at most in proportion to the file.

use super::metadata::{Metadata, Value};
use crate::error::StartError;
use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};
use wasmai_kernels::{TensorType, foreign_name};

const MAGIC: [u8; 4] = *b"GGUF";
const DEFAULT_ALIGNMENT: u64 = 32;
const MOST_ENTRIES: u64 = 65_536;
const LONGEST_KEY: u64 = 65_535;
const MOST_DIMENSIONS: u32 = 4;
/// Bytes that the shortest string of an array takes: its length alone.
const LEAST_STRING: u64 = 8;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    pub kind: TensorType,
    /// As in the file: the first is the row length (columns), the second the number of rows.
    pub shape: Vec<usize>,
    /// From the file's begin.
    pub offset: u64,
    pub bytes: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    pub metadata: Metadata,
    pub tensors: BTreeMap<String, TensorInfo>,
}

/// Reads the header of a GGUF file, version 2 or 3.
pub fn read_header(file: &mut (impl Read + Seek)) -> Result<Header, StartError> {
    let size = file.seek(SeekFrom::End(0)).map_err(|error| unreadable(&error))?;
    file.seek(SeekFrom::Start(0)).map_err(|error| unreadable(&error))?;
    // Buffered: a vocabulary is a hundred thousand small strings.
    let mut source = Source { input: std::io::BufReader::with_capacity(256 * 1024, file), at: 0, size };
    if source.bytes::<4>()? != MAGIC {
        return Err(StartError::new(
            "not a GGUF file: it does not begin with the letters GGUF",
            "Give a .gguf file, or an .onnx file to the ONNX engine",
        ));
    }
    let version = source.u32()?;
    if !(2..=3).contains(&version) {
        return Err(damaged(format!("GGUF version {version} is not read here, only 2 and 3")));
    }
    let tensors = source.u64()?;
    let entries = source.u64()?;
    if tensors > MOST_ENTRIES || entries > MOST_ENTRIES {
        return Err(damaged(format!("{tensors} tensors and {entries} metadata entries are too many")));
    }
    let metadata = read_metadata(&mut source, entries)?;
    let tensors = read_tensors(&mut source, tensors, &metadata)?;
    Ok(Header { metadata, tensors })
}

fn read_metadata<R: Read>(source: &mut Source<R>, entries: u64) -> Result<Metadata, StartError> {
    let mut metadata = BTreeMap::new();
    for _ in 0..entries {
        let key = source.text(LONGEST_KEY)?;
        let kind = source.u32()?;
        let value = source.value(kind).map_err(|mut error| {
            error.message = format!("metadata {}: {}", key.escape_debug(), error.message);
            error
        })?;
        metadata.insert(key, value);
    }
    Ok(Metadata(metadata))
}

fn read_tensors<R: Read>(
    source: &mut Source<R>,
    count: u64,
    metadata: &Metadata,
) -> Result<BTreeMap<String, TensorInfo>, StartError> {
    let mut tensors = BTreeMap::new();
    for _ in 0..count {
        let name = source.text(LONGEST_KEY)?;
        let info = read_tensor(source).map_err(|mut error| {
            error.message = format!("tensor {}: {}", name.escape_debug(), error.message);
            error
        })?;
        if tensors.insert(name.clone(), info).is_some() {
            return Err(damaged(format!("tensor {} is there twice", name.escape_debug())));
        }
    }
    let alignment = match metadata.get("general.alignment") {
        None => DEFAULT_ALIGNMENT,
        Some(Value::Integer(number)) => u64::try_from(*number)
            .ok()
            .filter(|alignment| alignment.is_power_of_two() && *alignment <= 1 << 20)
            .ok_or_else(|| damaged(format!("general.alignment is {number}")))?,
        Some(_) => return Err(damaged("general.alignment is not an integer")),
    };
    let data = source.at.next_multiple_of(alignment);
    for (name, info) in &mut tensors {
        let end = data.checked_add(info.offset).and_then(|begin| begin.checked_add(info.bytes));
        if end.is_none_or(|end| end > source.size) {
            return Err(damaged(format!(
                "tensor {} lies beyond the end of the file ({} bytes): the file is cut short",
                name.escape_debug(),
                source.size
            )));
        }
        info.offset += data;
    }
    Ok(tensors)
}

fn read_tensor<R: Read>(source: &mut Source<R>) -> Result<TensorInfo, StartError> {
    let dimensions = source.u32()?;
    if dimensions == 0 || dimensions > MOST_DIMENSIONS {
        return Err(damaged(format!("{dimensions} dimensions")));
    }
    let mut shape = Vec::new();
    let mut rows: usize = 1;
    for position in 0..dimensions {
        let length = usize::try_from(source.u64()?).ok().filter(|length| *length > 0);
        let length = length.ok_or_else(|| damaged("a dimension is zero or does not fit in memory"))?;
        if position > 0 {
            rows = rows.checked_mul(length).ok_or_else(|| damaged("the shape does not fit in memory"))?;
        }
        shape.push(length);
    }
    let number = source.u32()?;
    let kind = TensorType::from_number(number).ok_or_else(|| {
        StartError::new(
            format!("{} is not supported", foreign_name(number)),
            "Quantise the model to F32, F16, Q8_0, Q4_0, or a Q4_K mix with Q6_K",
        )
    })?;
    let offset = source.u64()?;
    let bytes = kind
        .row_bytes(shape[0])
        .and_then(|row| row.checked_mul(rows))
        .ok_or_else(|| damaged(format!("shape {shape:?} does not suit {}", kind.name())))?;
    Ok(TensorInfo { kind, shape, offset, bytes: bytes as u64 })
}

/// A stream that knows how many bytes are left in the file.
struct Source<R> {
    input: R,
    at: u64,
    size: u64,
}

impl<R: Read> Source<R> {
    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], StartError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn fill(&mut self, into: &mut [u8]) -> Result<(), StartError> {
        self.expect(into.len() as u64)?;
        self.input.read_exact(into).map_err(|error| unreadable(&error))?;
        self.at += into.len() as u64;
        Ok(())
    }

    /// Are so many bytes left?
    fn expect(&self, bytes: u64) -> Result<(), StartError> {
        if bytes > self.size.saturating_sub(self.at) {
            return Err(damaged(format!("the file ends at byte {}, in the middle of its header", self.size)));
        }
        Ok(())
    }

    fn u32(&mut self) -> Result<u32, StartError> {
        Ok(u32::from_le_bytes(self.bytes()?))
    }

    fn u64(&mut self) -> Result<u64, StartError> {
        Ok(u64::from_le_bytes(self.bytes()?))
    }

    fn text(&mut self, longest: u64) -> Result<String, StartError> {
        let length = self.u64()?;
        if length > longest {
            return Err(damaged(format!("a text of {length} bytes")));
        }
        self.expect(length)?;
        let mut bytes = vec![0; usize::try_from(length).map_err(|_| damaged("a text is too long"))?];
        self.fill(&mut bytes)?;
        // Vocabularies may hold pieces that are no UTF-8; llama.cpp treats them as bytes.
        Ok(String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    fn flag(&mut self) -> Result<bool, StartError> {
        Ok(self.bytes::<1>()? != [0])
    }

    fn value(&mut self, kind: u32) -> Result<Value, StartError> {
        Ok(match kind {
            0..=5 | 10 | 11 => Value::Integer(self.integer(kind)?),
            6 | 12 => Value::Float(self.float(kind)?),
            7 => Value::Bool(self.flag()?),
            8 => Value::Text(self.text(self.size)?),
            9 => self.array()?,
            _ => return Err(damaged(format!("unknown value type {kind}"))),
        })
    }

    fn integer(&mut self, kind: u32) -> Result<i128, StartError> {
        Ok(match kind {
            0 => u8::from_le_bytes(self.bytes()?).into(),
            1 => i8::from_le_bytes(self.bytes()?).into(),
            2 => u16::from_le_bytes(self.bytes()?).into(),
            3 => i16::from_le_bytes(self.bytes()?).into(),
            4 => self.u32()?.into(),
            5 => i32::from_le_bytes(self.bytes()?).into(),
            10 => self.u64()?.into(),
            _ => i64::from_le_bytes(self.bytes()?).into(),
        })
    }

    fn float(&mut self, kind: u32) -> Result<f64, StartError> {
        Ok(if kind == 6 {
            f32::from_le_bytes(self.bytes()?).into()
        } else {
            f64::from_le_bytes(self.bytes()?)
        })
    }

    fn array(&mut self) -> Result<Value, StartError> {
        let kind = self.u32()?;
        let count = self.u64()?;
        let element = match kind {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            8 => LEAST_STRING,
            10..=12 => 8,
            _ => return Err(damaged(format!("an array of value type {kind}"))),
        };
        self.expect(count.checked_mul(element).ok_or_else(|| damaged("an array is too long"))?)?;
        let items = 0..count;
        Ok(match kind {
            6 | 12 => {
                #[allow(clippy::cast_possible_truncation, reason = "vocabulary scores are 32 bits wide")]
                let floats: Result<_, _> = items.map(|_| self.float(kind).map(|each| each as f32)).collect();
                Value::Floats(floats?)
            }
            7 => Value::Bools(items.map(|_| self.flag()).collect::<Result<_, _>>()?),
            8 => Value::Texts(items.map(|_| self.text(self.size)).collect::<Result<_, _>>()?),
            _ => {
                let integer = |_| {
                    let number = self.integer(kind)?;
                    i64::try_from(number).map_err(|_| damaged(format!("{number} is too large")))
                };
                Value::Integers(items.map(integer).collect::<Result<_, _>>()?)
            }
        })
    }
}

fn damaged(message: impl Into<String>) -> StartError {
    StartError::new(message, "The file is damaged or not complete: compare its checksum, copy it again")
}

fn unreadable(error: &std::io::Error) -> StartError {
    StartError::new(format!("the file cannot be read: {error}"), "Check the path and the volume it lies on")
}
