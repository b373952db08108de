//! Softmax over an axis that is not the last one: the axis is moved there and back.
//!
//! tract has vectors for the last axis only; along others it takes each value alone (`nudenet`: a
//! tenth of an inference).

#![allow(clippy::wildcard_imports, reason = "tract's macros name what this module offers")]

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;
use tract_onnx::tract_core::ops::nn::Softmax;

pub fn along_last_axes(mut model: TypedModel) -> TractResult<TypedModel> {
    for id in 0..model.nodes.len() {
        if let Some(patch) = moved(&model, model.node(id))? {
            patch.apply(&mut model)?;
        }
    }
    Ok(model)
}

fn moved(model: &TypedModel, node: &TypedNode) -> TractResult<Option<TypedModelPatch>> {
    rule_if_some!(softmax = node.op_as::<Softmax>());
    rule_if_let!(&[axis] = &*softmax.axes);
    let last = model.outlet_fact(node.inputs[0])?.rank() - 1;
    rule_if!(axis != last);
    let mut patch = TypedModelPatch::default();
    let input = patch.tap_model(model, node.inputs[0])?;
    let name = &node.name;
    let there = patch.wire_node(format!("{name}.there"), AxisOp::Move(axis, last), &[input])?;
    let along = Softmax { axes: tvec!(last), ..softmax.clone() };
    let softmax = patch.wire_node(name, along, &there)?;
    let back = patch.wire_node(format!("{name}.back"), AxisOp::Move(last, axis), &softmax)?;
    patch.shunt_outside(model, node.id.into(), back[0])?;
    Ok(Some(patch))
}
