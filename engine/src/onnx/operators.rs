//! Which operators a model uses, and which of them can run.

use std::collections::{BTreeMap, BTreeSet};
use tract_onnx::pb::{GraphProto, ModelProto};

/// The names of all operators that tract can build. Some run only with some of their attributes;
/// that shows when a model is prepared.
pub fn table() -> Vec<String> {
    let mut names: Vec<String> = tract_onnx::onnx().op_register.0.keys().cloned().collect();
    names.sort();
    names
}

/// How often each operator stands in the model, in branches and loop bodies too.
pub fn used(proto: &ModelProto) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    if let Some(graph) = &proto.graph {
        count(graph, &mut counts);
    }
    counts
}

fn count(graph: &GraphProto, counts: &mut BTreeMap<String, usize>) {
    for node in &graph.node {
        *counts.entry(node.op_type.clone()).or_default() += 1;
        for attribute in &node.attribute {
            for graph in attribute.g.iter().chain(&attribute.graphs) {
                count(graph, counts);
            }
        }
    }
}

pub fn unsupported(used: &BTreeMap<String, usize>) -> Vec<String> {
    let known: BTreeSet<String> = table().into_iter().collect();
    used.keys().filter(|name| !known.contains(*name)).cloned().collect()
}

/// The version of the standard operators, 0 if none is named.
pub fn opset(proto: &ModelProto) -> i64 {
    let standard = |domain: &str| domain.is_empty() || domain == "ai.onnx";
    proto.opset_import.iter().find(|import| standard(&import.domain)).map_or(0, |import| import.version)
}
