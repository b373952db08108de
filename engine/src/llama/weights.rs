//! A model's tensors, read one after the other: the file is never in memory as a whole.

use super::config::Config;
use super::rope::Rope;
use crate::error::StartError;
use crate::gguf::Header;
use std::io::{Read, Seek, SeekFrom};
use wasmai_kernels::{Matrix, TensorType};

#[derive(Debug)]
pub struct Weights {
    pub embedding: Matrix,
    pub layers: Vec<Layer>,
    pub output_norm: Vec<f32>,
    /// `None`: the embedding table is used.
    pub output: Option<Matrix>,
    pub rope: Rope,
}

#[derive(Debug)]
pub struct Layer {
    pub attention_norm: Vec<f32>,
    pub query: Linear,
    pub key: Linear,
    pub value: Linear,
    pub attention_output: Matrix,
    pub feed_forward_norm: Vec<f32>,
    pub gate: Matrix,
    pub up: Matrix,
    pub down: Matrix,
}

/// A matrix with an optional bias (qwen2).
#[derive(Debug)]
pub struct Linear {
    pub matrix: Matrix,
    pub bias: Option<Vec<f32>>,
}

impl Weights {
    pub fn read(file: &mut (impl Read + Seek), header: &Header, config: &Config) -> Result<Self, StartError> {
        let mut tensors = Tensors { file, header };
        let (width, vocabulary) = (config.width, config.vocabulary);
        let embedding = tensors.matrix("token_embd.weight", vocabulary, width)?;
        let layers =
            (0..config.layers).map(|layer| tensors.layer(layer, config)).collect::<Result<_, _>>()?;
        let output_norm = tensors.vector("output_norm.weight", width)?;
        let output = if header.tensors.contains_key("output.weight") {
            Some(tensors.matrix("output.weight", vocabulary, width)?)
        } else {
            None
        };
        let factors = if header.tensors.contains_key("rope_freqs.weight") {
            Some(tensors.vector("rope_freqs.weight", config.rope_width / 2)?)
        } else {
            None
        };
        Ok(Self { embedding, layers, output_norm, output, rope: Rope::new(config, factors.as_deref()) })
    }
}

struct Tensors<'a, F> {
    file: &'a mut F,
    header: &'a Header,
}

impl<F: Read + Seek> Tensors<'_, F> {
    fn layer(&mut self, layer: usize, config: &Config) -> Result<Layer, StartError> {
        let (width, hidden) = (config.width, config.hidden);
        let (queries, keys) = (config.heads * config.head_width, config.kv_width());
        let name = |part: &str| format!("blk.{layer}.{part}.weight");
        Ok(Layer {
            attention_norm: self.vector(&name("attn_norm"), width)?,
            query: self.linear(&format!("blk.{layer}.attn_q"), queries, width)?,
            key: self.linear(&format!("blk.{layer}.attn_k"), keys, width)?,
            value: self.linear(&format!("blk.{layer}.attn_v"), keys, width)?,
            attention_output: self.matrix(&name("attn_output"), width, queries)?,
            feed_forward_norm: self.vector(&name("ffn_norm"), width)?,
            gate: self.matrix(&name("ffn_gate"), hidden, width)?,
            up: self.matrix(&name("ffn_up"), hidden, width)?,
            down: self.matrix(&name("ffn_down"), width, hidden)?,
        })
    }

    fn linear(&mut self, name: &str, rows: usize, columns: usize) -> Result<Linear, StartError> {
        let bias = format!("{name}.bias");
        let bias =
            if self.header.tensors.contains_key(&bias) { Some(self.vector(&bias, rows)?) } else { None };
        Ok(Linear { matrix: self.matrix(&format!("{name}.weight"), rows, columns)?, bias })
    }

    fn matrix(&mut self, name: &str, rows: usize, columns: usize) -> Result<Matrix, StartError> {
        let kind = self.seek(name, &[columns, rows])?;
        if !columns.is_multiple_of(8) {
            return Err(wrong(format!("tensor {name}: rows of {columns} values, no multiple of 8")));
        }
        Matrix::read(self.file, kind, rows, columns).map_err(|error| wrong(format!("tensor {name}: {error}")))
    }

    fn vector(&mut self, name: &str, length: usize) -> Result<Vec<f32>, StartError> {
        match self.seek(name, &[length])? {
            TensorType::F32 | TensorType::F16 => {}
            other => return Err(wrong(format!("tensor {name} is a vector of type {}", other.name()))),
        }
        let kind = self.header.tensors[name].kind;
        let vector = Matrix::read(self.file, kind, 1, length)
            .map_err(|error| wrong(format!("tensor {name}: {error}")))?;
        Ok(vector.row(0))
    }

    /// Checks a tensor's shape and goes to its first byte.
    fn seek(&mut self, name: &str, shape: &[usize]) -> Result<TensorType, StartError> {
        let info =
            self.header.tensors.get(name).ok_or_else(|| wrong(format!("the tensor {name} is missing")))?;
        if info.shape != shape {
            return Err(wrong(format!(
                "tensor {name} has shape {:?}, the metadata asks for {shape:?}",
                info.shape
            )));
        }
        self.file
            .seek(SeekFrom::Start(info.offset))
            .map_err(|error| wrong(format!("tensor {name}: {error}")))?;
        Ok(info.kind)
    }
}

fn wrong(message: impl Into<String>) -> StartError {
    StartError::new(message, "The file is damaged, or of a model that is not supported")
}
