//! An inference server in one WebAssembly module: Llama-family GGUF files by the `OpenAI` API,
//! ONNX files by the Open Inference Protocol v2. See docs/engine.md.

#![deny(unsafe_code)]
pub mod args;
pub mod error;
pub mod execution;
#[cfg(feature = "llama")]
pub mod gguf;
pub mod http;
#[cfg(feature = "llama")]
pub mod llama;
pub mod log;
pub mod metrics;
pub mod models;
#[cfg(feature = "onnx")]
pub mod oip;
pub mod one_shot;
#[cfg(feature = "onnx")]
pub mod onnx;
#[cfg(feature = "llama")]
pub mod openai;
pub mod routes;
#[cfg(target_arch = "wasm32")]
pub mod server;
pub mod service;
#[cfg(feature = "llama")]
pub mod tokenizer;
pub mod trouble;
