//! What tract takes for granted in a file, checked: it indexes by names and trusts lengths.

use crate::error::StartError;
use std::collections::HashSet;
use tract_onnx::pb::tensor_proto::{DataLocation, DataType};
use tract_onnx::pb::{GraphProto, ModelProto, TensorProto};

pub fn check(proto: &ModelProto) -> Result<(), StartError> {
    let graph = proto.graph.as_ref().ok_or_else(|| damaged("the model has no graph"))?;
    check_graph(graph, &HashSet::new())
}

/// `outer`: names that an enclosing graph offers.
fn check_graph(graph: &GraphProto, outer: &HashSet<&str>) -> Result<(), StartError> {
    let mut known = outer.clone();
    known.extend(graph.input.iter().map(|each| each.name.as_str()));
    for initializer in &graph.initializer {
        check_tensor(initializer)?;
        known.insert(&initializer.name);
    }
    if !graph.sparse_initializer.is_empty() {
        return Err(damaged("sparse initializers are not supported"));
    }
    let mut defined: HashSet<&str> = known.difference(outer).copied().collect();
    for node in &graph.node {
        let outputs = node.output.iter().filter(|name| !name.is_empty()).map(String::as_str);
        defined.extend(outputs);
    }
    known.extend(&defined);
    for node in &graph.node {
        if let Some(missing) =
            node.input.iter().find(|name| !name.is_empty() && !known.contains(name.as_str()))
        {
            return Err(damaged(format!(
                "the node {} reads {}, which nothing gives",
                quoted(&node.name),
                quoted(missing)
            )));
        }
        for attribute in &node.attribute {
            attribute.t.iter().chain(&attribute.tensors).try_for_each(check_tensor)?;
            attribute.g.iter().chain(&attribute.graphs).try_for_each(|graph| check_graph(graph, &known))?;
        }
    }
    // tract looks outputs up in the graph itself, not in those around it.
    match graph.output.iter().find(|output| !defined.contains(output.name.as_str())) {
        Some(output) => Err(damaged(format!("nothing gives the output {}", quoted(&output.name)))),
        None => Ok(()),
    }
}

fn check_tensor(tensor: &TensorProto) -> Result<(), StartError> {
    let wrong = |what: &str| damaged(format!("the tensor {} {what}", quoted(&tensor.name)));
    if tensor.data_location == Some(DataLocation::External as i32) {
        return Err(StartError::new(
            format!("the tensor {} lies in another file (external data)", quoted(&tensor.name)),
            "Save the model in one file: onnx.save_model(onnx.load(\"model.onnx\"), \"one.onnx\")",
        ));
    }
    let mut values: usize = 1;
    for dimension in &tensor.dims {
        let length = usize::try_from(*dimension).map_err(|_| wrong("has a negative dimension"))?;
        values = values.checked_mul(length).ok_or_else(|| wrong("does not fit in memory"))?;
    }
    let kind = DataType::try_from(tensor.data_type).map_err(|_| wrong("has an unknown type"))?;
    let bytes_each = bytes_each(kind);
    if tensor.raw_data.is_empty() {
        return Ok(());
    }
    match bytes_each.map(|each| values.checked_mul(each)) {
        None => Err(wrong("has a type whose bytes are not read here")),
        Some(Some(bytes)) if bytes == tensor.raw_data.len() => Ok(()),
        Some(_) => Err(wrong("has not as many bytes as its shape says")),
    }
}

/// Bytes of a value; `None` for types that have no raw form that tract reads.
fn bytes_each(kind: DataType) -> Option<usize> {
    Some(match kind {
        DataType::Bool | DataType::Uint8 | DataType::Int8 => 1,
        DataType::Uint16 | DataType::Int16 | DataType::Float16 => 2,
        DataType::Uint32 | DataType::Int32 | DataType::Float => 4,
        DataType::Uint64 | DataType::Int64 | DataType::Double => 8,
        _ => return None,
    })
}

fn quoted(name: &str) -> String {
    let short: String = name.chars().take(80).collect();
    format!("\"{}\"", short.escape_debug())
}

fn damaged(message: impl Into<String>) -> StartError {
    StartError::new(message, "Check the file with onnx.checker, or export the model again")
}
