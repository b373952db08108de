//! ONNX models, run by tract.

mod check;
mod convolution;
mod describe;
mod model;
mod operators;
mod plans;
mod softmax;

pub use describe::{Datatype, Description, Port};
pub use model::{Model, Outcome};
pub use operators::table;

use crate::error::StartError;
use serde_json::{Value, json};
use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::Framework;

/// Reads a file as far as its protocol buffers go.
fn read(path: &str) -> Result<ModelProto, StartError> {
    let mut file = std::fs::File::open(path).map_err(|error| {
        StartError::new(
            format!("the model file cannot be opened: {error}"),
            "Check the path and that its volume is mounted",
        )
    })?;
    let proto = tract_onnx::onnx().proto_model_for_read(&mut file).map_err(|error| {
        StartError::new(
            format!("not an ONNX model: {}", error.root_cause()),
            "The file is damaged, not complete, or of another format: compare its checksum",
        )
    })?;
    check::check(&proto)?;
    Ok(proto)
}

/// Describes a file without preparing it; the operators that cannot run are named.
pub fn inspect(path: &str) -> Result<Value, StartError> {
    let describe = || {
        let proto = read(path)?;
        let description = Description::of(&proto)?;
        let used = operators::used(&proto);
        Ok(json!({
            "format": "onnx",
            "inputs": description.inputs.iter().map(Port::to_json).collect::<Vec<_>>(),
            "outputs": description.outputs.iter().map(Port::to_json).collect::<Vec<_>>(),
            "opset": operators::opset(&proto),
            "producer": proto.producer_name,
            "operators": used,
            "unsupportedOperators": operators::unsupported(&used),
        }))
    };
    describe().map_err(|error: StartError| error.in_file(path))
}
