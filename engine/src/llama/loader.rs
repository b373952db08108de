//! From a file to a session; and what can be said of a file without reading its weights.

use super::config::Config;
use super::forward::Session;
use super::weights::Weights;
use crate::error::StartError;
use crate::gguf::{Header, read_header};
use crate::tokenizer::Tokenizer;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek};

/// What weights and cache may take of WebAssembly's 4 GiB; the rest is for requests.
const MOST_BYTES: u64 = 3800 * 1024 * 1024;
/// Unless the user says otherwise: enough for a chat, bounded in memory.
const USUAL_CONTEXT: usize = 4096;

pub struct Loaded {
    pub session: Session,
    pub tokenizer: Tokenizer,
    pub chat_template: Option<String>,
}

/// Reads a model. `context`: positions wanted, or as the model and memory allow.
pub fn load(path: &str, context: Option<usize>) -> Result<Loaded, StartError> {
    open(path).and_then(|mut file| load_from(&mut file, context)).map_err(|error| error.in_file(path))
}

/// Reads a model from any stream; see `load`.
pub fn load_from(file: &mut (impl Read + Seek), context: Option<usize>) -> Result<Loaded, StartError> {
    let header = read_header(file)?;
    let config = Config::from_header(&header)?;
    let context = context.unwrap_or(USUAL_CONTEXT).min(config.trained_context);
    check_memory(&header, &config, context)?;
    let tokenizer = Tokenizer::from_metadata(&header.metadata)?;
    let weights = Weights::read(file, &header, &config)?;
    let chat_template = header.metadata.text("tokenizer.chat_template").map(str::to_owned);
    Ok(Loaded { session: Session::new(config, weights, context), tokenizer, chat_template })
}

fn open(path: &str) -> Result<File, StartError> {
    File::open(path).map_err(|error| {
        StartError::new(
            format!("the model file cannot be opened: {error}"),
            "Check the path and that its volume is mounted",
        )
    })
}

fn check_memory(header: &Header, config: &Config, context: usize) -> Result<(), StartError> {
    let weights: u64 = header.tensors.values().map(|info| info.bytes).sum();
    let cache = (context as u64).saturating_mul(config.cache_bytes_per_token() as u64);
    if weights.saturating_add(cache) <= MOST_BYTES {
        return Ok(());
    }
    let megabytes = |bytes: u64| bytes / (1024 * 1024);
    Err(StartError::new(
        format!(
            "the weights take {} MiB and a context of {context} tokens takes {} MiB: more than the {} MiB \
             that WebAssembly's 32-bit memory leaves",
            megabytes(weights),
            megabytes(cache),
            megabytes(MOST_BYTES)
        ),
        "Use a smaller or more strongly quantised model, or a shorter context (--context)",
    ))
}

/// Describes a file from its header alone.
pub fn inspect(path: &str) -> Result<Value, StartError> {
    let describe = || {
        let header = read_header(&mut open(path)?)?;
        let config = Config::from_header(&header)?;
        let mut types: BTreeMap<&str, u64> = BTreeMap::new();
        for info in header.tensors.values() {
            *types.entry(info.kind.name()).or_default() += info.bytes;
        }
        Ok(json!({
            "format": "gguf",
            "architecture": config.architecture,
            "name": header.metadata.text("general.name"),
            "layers": config.layers,
            "width": config.width,
            "vocabulary": config.vocabulary,
            "trainedContext": config.trained_context,
            "cacheBytesPerToken": config.cache_bytes_per_token(),
            "tensorBytesByType": types,
            "tokenizer": header.metadata.text("tokenizer.ggml.model"),
            "chatTemplate": crate::openai::template_name(header.metadata.text("tokenizer.chat_template")),
        }))
    };
    describe().map_err(|error: StartError| error.in_file(path))
}
