//! What follows a convolution and treats each channel alike becomes a part of it.

#![allow(clippy::wildcard_imports, reason = "tract's macros name what this module offers")]

use super::{Convolution, per_channel};
use tract_onnx::tract_core::internal::*;
use tract_onnx::tract_core::ops::binary::{BinMiniOp, TypedBinOp};
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;
use tract_onnx::tract_core::ops::math::{Add, Div, Max, Mul, Sub};
use tract_onnx::tract_core::ops::nn::{HardSwish, Silu};
use wasmai_kernels::Nonlinearity;

/// The convolution with the only node that reads it, if that can be a part of it.
pub fn successor(
    convolution: &Convolution,
    model: &TypedModel,
    node: &TypedNode,
) -> TractResult<Option<Convolution>> {
    rule_if!(convolution.nonlinearity == Nonlinearity::None && !model.outputs.contains(&node.id.into()));
    rule_if_let!(&[reader] = &*node.outputs[0].successors);
    let successor = model.node(reader.node);
    if let Some(function) = successor.op_as::<ElementWiseOp>() {
        return Ok(
            nonlinearity(function).map(|found| Convolution { nonlinearity: found, ..convolution.clone() })
        );
    }
    rule_if_some!(operation = successor.op_as::<TypedBinOp>());
    rule_if!(operation.1.is_none_or(|kind| kind == f32::datum_type()));
    let ours = model.outlet_fact(node.id.into())?;
    let other = model.outlet_fact(successor.inputs[1 - reader.slot])?;
    rule_if_some!(operand = &other.konst);
    rule_if!(operand.datum_type() == f32::datum_type());
    // All axes but that of the channels are one.
    let others = |(axis, length): (usize, &usize)| axis == 1 || *length == 1;
    rule_if!(operand.rank() == ours.rank() && operand.shape().iter().enumerate().all(others));
    rule_if_some!(values = per_channel(operand, convolution.bias.len())?);
    Ok(with(convolution, operation.0.as_ref(), reader.slot == 0, &values))
}

fn nonlinearity(function: &ElementWiseOp) -> Option<Nonlinearity> {
    if function.1.is_some_and(|kind| kind != f32::datum_type()) {
        None
    } else if function.0.is::<Silu>() {
        Some(Nonlinearity::Silu)
    } else if function.0.is::<HardSwish>() {
        Some(Nonlinearity::HardSwish)
    } else {
        None
    }
}

/// `first`: whether the convolution's result is the operation's first input.
fn with(
    convolution: &Convolution,
    operation: &dyn BinMiniOp,
    first: bool,
    values: &[f32],
) -> Option<Convolution> {
    let each = |change: fn(f32) -> f32| values.iter().map(|value| change(*value)).collect::<Vec<_>>();
    let ones = || vec![1.0; values.len()];
    if operation.is::<Add>() {
        Some(scaled_and_moved(convolution, &ones(), values))
    } else if operation.is::<Sub>() && first {
        Some(scaled_and_moved(convolution, &ones(), &each(|value| -value)))
    } else if operation.is::<Sub>() {
        Some(scaled_and_moved(convolution, &each(|_| -1.0), values))
    } else if operation.is::<Mul>() {
        Some(scaled_and_moved(convolution, values, &each(|_| 0.0)))
    } else if operation.is::<Div>() && first {
        Some(scaled_and_moved(convolution, &each(|value| 1.0 / value), &each(|_| 0.0)))
    } else if operation.is::<Max>() && values.iter().all(|value| *value == 0.0) {
        Some(Convolution { nonlinearity: Nonlinearity::Relu, ..convolution.clone() })
    } else {
        None
    }
}

fn scaled_and_moved(convolution: &Convolution, scales: &[f32], offsets: &[f32]) -> Convolution {
    let mut weights = convolution.weights.as_ref().clone();
    let filter = weights.len() / scales.len();
    for (filter, scale) in weights.chunks_exact_mut(filter).zip(scales) {
        for weight in filter {
            *weight *= scale;
        }
    }
    let bias = convolution.bias.iter().zip(scales.iter().zip(offsets));
    Convolution {
        weights: Arc::new(weights),
        bias: bias.map(|(bias, (scale, offset))| bias * scale + offset).collect(),
        ..convolution.clone()
    }
}
