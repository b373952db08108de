//! From paths on the command line to loaded services.

use crate::args::{Options, valid_name};
use crate::error::StartError;
use crate::log;
use crate::service::Service;
use serde_json::{Value, json};
use std::time::Instant;

/// Where models are looked for when none is named: an image volume or a layer of the image.
const FOLDER: &str = "/models";

#[derive(Debug, Clone, PartialEq, Eq)]
struct ModelFile {
    name: String,
    path: String,
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Gguf,
    Onnx,
}

/// Loads every model, and runs each once where that is possible.
pub fn load(options: &Options) -> Result<Vec<Box<dyn Service>>, StartError> {
    let files = find(options)?;
    let mut services: Vec<Box<dyn Service>> = Vec::new();
    let ggufs: Vec<&ModelFile> = files.iter().filter(|file| file.format == Format::Gguf).collect();
    match ggufs.as_slice() {
        [] => {}
        [file] => services.push(llama(file, options)?),
        _ => return Err(StartError::usage("one GGUF model at a time: each takes the whole memory it needs")),
    }
    let onnx_files: Vec<&ModelFile> = files.iter().filter(|file| file.format == Format::Onnx).collect();
    if !onnx_files.is_empty() {
        services.push(onnx(&onnx_files, options)?);
    }
    Ok(services)
}

/// Describes every model from its file, in a list.
pub fn inspect(options: &Options) -> Result<Value, StartError> {
    let describe = |file: &ModelFile| {
        let mut description = match file.format {
            Format::Gguf => inspect_gguf(&file.path)?,
            Format::Onnx => inspect_onnx(&file.path)?,
        };
        description["name"] = json!(file.name);
        description["path"] = json!(file.path);
        Ok(description)
    };
    find(options)?.iter().map(describe).collect()
}

fn find(options: &Options) -> Result<Vec<ModelFile>, StartError> {
    let paths = if options.models.is_empty() { list_folder()? } else { options.models.clone() };
    let mut files: Vec<ModelFile> = Vec::new();
    for (name, path) in paths {
        let file = model_file(name, path)?;
        if files.iter().any(|earlier| earlier.name == file.name) {
            return Err(StartError::usage(format!(
                "two models are named {}; use --model NAME=PATH",
                file.name
            )));
        }
        files.push(file);
    }
    Ok(files)
}

fn list_folder() -> Result<Vec<(Option<String>, String)>, StartError> {
    let entries = std::fs::read_dir(FOLDER).map_err(|error| {
        StartError::usage(format!("no --model is given and {FOLDER} cannot be read: {error}"))
    })?;
    let mut paths: Vec<String> = entries
        .flatten()
        .map(|entry| format!("{FOLDER}/{}", entry.file_name().to_string_lossy()))
        .filter(|path| format_of(path).is_some())
        .collect();
    paths.sort();
    if paths.is_empty() {
        return Err(StartError::usage(format!(
            "no --model is given and {FOLDER} has no .gguf or .onnx file"
        )));
    }
    Ok(paths.into_iter().map(|path| (None, path)).collect())
}

fn model_file(name: Option<String>, path: String) -> Result<ModelFile, StartError> {
    let format = format_of(&path)
        .ok_or_else(|| StartError::usage(format!("{path}: a model's name ends in .gguf or .onnx")))?;
    let stem =
        path.rsplit('/').next().and_then(|file| file.rsplit_once('.')).map_or("model", |(stem, _)| stem);
    let usable = |each: char| if valid_name(&each.to_string()) { each } else { '-' };
    let name = name.unwrap_or_else(|| stem.chars().map(usable).collect());
    Ok(ModelFile { name, path, format })
}

fn format_of(path: &str) -> Option<Format> {
    let (_, extension) = path.rsplit_once('.')?;
    match extension.to_ascii_lowercase().as_str() {
        "gguf" => Some(Format::Gguf),
        "onnx" => Some(Format::Onnx),
        _ => None,
    }
}

fn mapped(name: &str, began: Instant, mut fields: Value) {
    fields["model"] = json!(name);
    fields["load_ms"] = json!(log::milliseconds(began.elapsed()));
    log::info("model mapped", fields);
}

fn first_inference(name: &str, began: Instant) {
    log::info("first inference", json!({ "model": name, "took_ms": log::milliseconds(began.elapsed()) }));
}

#[cfg(feature = "llama")]
fn llama(file: &ModelFile, options: &Options) -> Result<Box<dyn Service>, StartError> {
    let began = Instant::now();
    let loaded = crate::llama::load(&file.path, options.context)?;
    let mut model = crate::openai::Llama::new(&file.name, loaded, options.chat_template.as_deref())?;
    mapped(&file.name, began, model.description());
    let began = Instant::now();
    model.warm_up();
    first_inference(&file.name, began);
    Ok(Box::new(model))
}

#[cfg(feature = "llama")]
fn inspect_gguf(path: &str) -> Result<Value, StartError> {
    crate::llama::inspect(path)
}

#[cfg(feature = "onnx")]
fn onnx(files: &[&ModelFile], options: &Options) -> Result<Box<dyn Service>, StartError> {
    let mut models = Vec::new();
    for file in files {
        let began = Instant::now();
        let mut model = crate::onnx::Model::load(&file.name, &file.path)?;
        mapped(&file.name, began, json!({}));
        let began = Instant::now();
        if model.warm_up(&options.shapes)? {
            first_inference(&file.name, began);
        }
        models.push(model);
    }
    Ok(Box::new(crate::oip::OnnxModels::new(models)))
}

#[cfg(feature = "onnx")]
fn inspect_onnx(path: &str) -> Result<Value, StartError> {
    crate::onnx::inspect(path)
}

#[cfg(not(feature = "llama"))]
fn llama(file: &ModelFile, _: &Options) -> Result<Box<dyn Service>, StartError> {
    Err(not_in_this_build(&file.path, "GGUF"))
}

#[cfg(not(feature = "llama"))]
fn inspect_gguf(path: &str) -> Result<Value, StartError> {
    Err(not_in_this_build(path, "GGUF"))
}

#[cfg(not(feature = "onnx"))]
fn onnx(files: &[&ModelFile], _: &Options) -> Result<Box<dyn Service>, StartError> {
    Err(not_in_this_build(&files[0].path, "ONNX"))
}

#[cfg(not(feature = "onnx"))]
fn inspect_onnx(path: &str) -> Result<Value, StartError> {
    Err(not_in_this_build(path, "ONNX"))
}

#[cfg(not(all(feature = "llama", feature = "onnx")))]
fn not_in_this_build(path: &str, format: &str) -> StartError {
    StartError::new(
        format!("{path}: this module does not run {format} files"),
        "Each format has a module of its own: engine-llama.wasm for GGUF, engine-onnx.wasm for ONNX",
    )
}
