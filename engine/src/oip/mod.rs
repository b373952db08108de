//! The Open Inference Protocol v2 over ONNX models.

mod request;
mod response;
mod service;
mod tensor;

pub use service::OnnxModels;
