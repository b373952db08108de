//! GGUF: the file format of llama.cpp. Header, metadata and tensor table; the tensors' bytes are
//! read where they are needed.

mod metadata;
mod reader;

pub use metadata::{Metadata, Value};
pub use reader::{Header, TensorInfo, read_header};
