//! The numbers that describe a model, from its metadata.

use crate::error::StartError;
use crate::gguf::{Header, Value};

const MOST_LAYERS: usize = 1024;
const LARGEST_WIDTH: usize = 1 << 18;
const LONGEST_CONTEXT: usize = 1 << 24;

/// How positions turn pairs of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairing {
    /// Neighbours: llama and mistral, whose rows the converter has permuted.
    Neighbours,
    /// First half with second half: qwen2.
    Halves,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub architecture: String,
    pub layers: usize,
    pub width: usize,
    pub hidden: usize,
    pub heads: usize,
    pub kv_heads: usize,
    pub head_width: usize,
    /// Values of a head that positions turn; the rest stays.
    pub rope_width: usize,
    pub rope_base: f32,
    /// Positions are divided by this (linear scaling).
    pub rope_divisor: f32,
    pub pairing: Pairing,
    pub norm_epsilon: f32,
    pub vocabulary: usize,
    /// The context that the model was trained for.
    pub trained_context: usize,
}

impl Config {
    pub fn from_header(header: &Header) -> Result<Self, StartError> {
        let metadata = &header.metadata;
        let architecture = metadata
            .text("general.architecture")
            .ok_or_else(|| unsupported("the metadata lacks general.architecture"))?
            .to_owned();
        let pairing = match architecture.as_str() {
            "llama" | "mistral" => Pairing::Neighbours,
            "qwen2" => Pairing::Halves,
            other => {
                return Err(unsupported(format!("architecture {} is not supported", other.escape_debug())));
            }
        };
        let key = |name: &str| format!("{architecture}.{name}");
        if metadata.count(&key("expert_count"), 0, MOST_LAYERS)?.unwrap_or(0) > 0 {
            return Err(unsupported("mixtures of experts are not supported"));
        }
        let width = metadata.required_count(&key("embedding_length"), 8, LARGEST_WIDTH)?;
        let heads = metadata.required_count(&key("attention.head_count"), 1, width)?;
        let kv_heads = metadata.count(&key("attention.head_count_kv"), 1, heads)?.unwrap_or(heads);
        if !heads.is_multiple_of(kv_heads) || !width.is_multiple_of(heads) {
            return Err(unsupported(format!("{heads} heads over {kv_heads} key heads and width {width}")));
        }
        let head_width =
            metadata.count(&key("attention.key_length"), 2, LARGEST_WIDTH)?.unwrap_or(width / heads);
        if metadata.count(&key("attention.value_length"), 2, LARGEST_WIDTH)?.unwrap_or(head_width)
            != head_width
        {
            return Err(unsupported("keys and values of different lengths are not supported"));
        }
        let rope_width = metadata.count(&key("rope.dimension_count"), 2, head_width)?.unwrap_or(head_width);
        if !rope_width.is_multiple_of(2) {
            return Err(unsupported(format!("rope.dimension_count {rope_width} is odd")));
        }
        Ok(Self {
            layers: metadata.required_count(&key("block_count"), 1, MOST_LAYERS)?,
            width,
            hidden: metadata.required_count(&key("feed_forward_length"), 8, LARGEST_WIDTH)?,
            heads,
            kv_heads,
            head_width,
            rope_width,
            rope_base: metadata.float(&key("rope.freq_base"))?.unwrap_or(10_000.0),
            rope_divisor: rope_divisor(header, &architecture)?,
            pairing,
            norm_epsilon: metadata.float(&key("attention.layer_norm_rms_epsilon"))?.unwrap_or(1e-5),
            vocabulary: vocabulary(header)?,
            trained_context: metadata.required_count(&key("context_length"), 1, LONGEST_CONTEXT)?,
            architecture,
        })
    }

    pub fn kv_width(&self) -> usize {
        self.kv_heads * self.head_width
    }

    /// Bytes of the key-value cache for one position.
    pub fn cache_bytes_per_token(&self) -> usize {
        2 * self.layers * self.kv_width() * size_of::<f32>()
    }
}

fn rope_divisor(header: &Header, architecture: &str) -> Result<f32, StartError> {
    let metadata = &header.metadata;
    let kind = metadata.text(&format!("{architecture}.rope.scaling.type")).unwrap_or("none");
    match kind {
        "none" => Ok(1.0),
        "linear" => Ok(metadata
            .float(&format!("{architecture}.rope.scaling.factor"))?
            .filter(|factor| *factor > 0.0)
            .unwrap_or(1.0)),
        other => Err(unsupported(format!("position scaling {} is not supported", other.escape_debug()))),
    }
}

/// The embedding table decides; the tokenizer's list must have a text for each of its rows.
fn vocabulary(header: &Header) -> Result<usize, StartError> {
    let table = header
        .tensors
        .get("token_embd.weight")
        .filter(|info| info.shape.len() == 2)
        .ok_or_else(|| unsupported("the tensor token_embd.weight is missing or no matrix"))?;
    match header.metadata.get("tokenizer.ggml.tokens") {
        Some(Value::Texts(tokens)) if tokens.len() == table.shape[1] => Ok(tokens.len()),
        Some(Value::Texts(tokens)) => Err(unsupported(format!(
            "the tokenizer has {} tokens, the embedding table {} rows",
            tokens.len(),
            table.shape[1]
        ))),
        _ => Err(unsupported("the file has no tokenizer (tokenizer.ggml.tokens)")),
    }
}

fn unsupported(message: impl Into<String>) -> StartError {
    StartError::new(
        message,
        "Supported: llama, mistral and qwen2 models as llama.cpp's converter writes them, with their tokenizer",
    )
}
