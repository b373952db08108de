//! Inputs and outputs of a model, in the terms of the Open Inference Protocol.

use crate::error::StartError;
use serde_json::{Value, json};
use std::collections::HashSet;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::dimension;
use tract_onnx::pb::{ModelProto, ValueInfoProto, type_proto};
use tract_onnx::prelude::DatumType;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Datatype {
    Bool,
    U8,
    U16,
    U32,
    U64,
    I8,
    I16,
    I32,
    I64,
    F16,
    F32,
    F64,
}

/// Each type with its name in the protocol.
const NAMES: [(Datatype, &str); 12] = [
    (Datatype::Bool, "BOOL"),
    (Datatype::U8, "UINT8"),
    (Datatype::U16, "UINT16"),
    (Datatype::U32, "UINT32"),
    (Datatype::U64, "UINT64"),
    (Datatype::I8, "INT8"),
    (Datatype::I16, "INT16"),
    (Datatype::I32, "INT32"),
    (Datatype::I64, "INT64"),
    (Datatype::F16, "FP16"),
    (Datatype::F32, "FP32"),
    (Datatype::F64, "FP64"),
];

impl Datatype {
    pub fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, each)| *each == name).map(|(kind, _)| *kind)
    }

    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(each, _)| *each == self).map_or("", |(_, name)| name)
    }

    fn from_onnx(kind: i32) -> Option<Self> {
        Some(match DataType::try_from(kind).ok()? {
            DataType::Bool => Self::Bool,
            DataType::Uint8 => Self::U8,
            DataType::Uint16 => Self::U16,
            DataType::Uint32 => Self::U32,
            DataType::Uint64 => Self::U64,
            DataType::Int8 => Self::I8,
            DataType::Int16 => Self::I16,
            DataType::Int32 => Self::I32,
            DataType::Int64 => Self::I64,
            DataType::Float16 => Self::F16,
            DataType::Float => Self::F32,
            DataType::Double => Self::F64,
            _ => return None,
        })
    }

    pub fn to_tract(self) -> DatumType {
        match self {
            Self::Bool => DatumType::Bool,
            Self::U8 => DatumType::U8,
            Self::U16 => DatumType::U16,
            Self::U32 => DatumType::U32,
            Self::U64 => DatumType::U64,
            Self::I8 => DatumType::I8,
            Self::I16 => DatumType::I16,
            Self::I32 => DatumType::I32,
            Self::I64 => DatumType::I64,
            Self::F16 => DatumType::F16,
            Self::F32 => DatumType::F32,
            Self::F64 => DatumType::F64,
        }
    }
}

/// An input or output. A dimension that the caller may choose is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    pub name: String,
    pub datatype: Datatype,
    pub shape: Vec<Option<usize>>,
}

impl Port {
    /// As the protocol's metadata has it: free dimensions are -1.
    pub fn to_json(&self) -> Value {
        json!({ "name": self.name, "datatype": self.datatype.name(), "shape": self.shape_json() })
    }

    pub fn shape_json(&self) -> Value {
        self.shape.iter().map(|dimension| dimension.map_or(json!(-1), |length| json!(length))).collect()
    }

    pub fn accepts(&self, shape: &[usize]) -> bool {
        shape.len() == self.shape.len()
            && shape
                .iter()
                .zip(&self.shape)
                .all(|(given, wanted)| wanted.is_none_or(|wanted| wanted == *given))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    pub inputs: Vec<Port>,
    pub outputs: Vec<Port>,
}

impl Description {
    pub fn of(proto: &ModelProto) -> Result<Self, StartError> {
        let graph = proto.graph.as_ref().ok_or_else(|| unsupported("the model has no graph"))?;
        // Old files list their weights among the inputs.
        let weights: HashSet<&str> = graph.initializer.iter().map(|each| each.name.as_str()).collect();
        let inputs = graph.input.iter().filter(|input| !weights.contains(input.name.as_str()));
        let description = Self {
            inputs: inputs.map(port).collect::<Result<_, _>>()?,
            outputs: graph.output.iter().map(port).collect::<Result<_, _>>()?,
        };
        if description.inputs.is_empty() || description.outputs.is_empty() {
            return Err(unsupported("the model has no input or no output"));
        }
        Ok(description)
    }
}

fn port(info: &ValueInfoProto) -> Result<Port, StartError> {
    let wrong = |what: &str| unsupported(format!("{}: {what}", info.name.escape_debug()));
    let Some(type_proto::Value::TensorType(tensor)) =
        info.r#type.as_ref().and_then(|each| each.value.as_ref())
    else {
        return Err(wrong("is no tensor (sequences and maps are not served)"));
    };
    let datatype =
        Datatype::from_onnx(tensor.elem_type).ok_or_else(|| wrong("has a type that the protocol has not"))?;
    let dimensions = tensor.shape.as_ref().map(|shape| shape.dim.as_slice()).unwrap_or_default();
    let length = |each: &tract_onnx::pb::tensor_shape_proto::Dimension| match &each.value {
        Some(dimension::Value::DimValue(length)) => {
            usize::try_from(*length).ok().filter(|length| *length > 0)
        }
        _ => None,
    };
    Ok(Port { name: info.name.clone(), datatype, shape: dimensions.iter().map(length).collect() })
}

fn unsupported(message: impl Into<String>) -> StartError {
    StartError::new(message, "Export the model again with plain tensors as inputs and outputs")
}
