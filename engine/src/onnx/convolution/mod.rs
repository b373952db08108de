//! Convolutions by kernels of our own, in place of tract's.
//!
//! tract copies the inputs of all windows and multiplies matrices, which takes up to three times as
//! long in WebAssembly (`docs/engine.md`). What follows a convolution channel by channel (a batch
//! norm, a function) becomes a part of it.

#![allow(clippy::wildcard_imports, reason = "tract's macros name what this module offers")]

mod fold;
mod packed;

use packed::Packed;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;
use tract_onnx::tract_core::ops::cnn::KernelFormat;
use tract_onnx::tract_core::ops::cnn::PoolSpec;
use tract_onnx::tract_core::ops::cnn::conv::Conv;
use tract_onnx::tract_core::ops::nn::DataFormat;
use wasmai_kernels::Nonlinearity;

/// Puts our convolution in the place of each of tract's that it can stand for.
pub fn replace(mut model: TypedModel) -> TractResult<TypedModel> {
    for id in 0..model.nodes.len() {
        let node = model.node(id);
        if let Some(ours) = Convolution::standing_for(&model, node)? {
            TypedModelPatch::replace_single_op(&model, node, &node.inputs[..1], ours)?.apply(&mut model)?;
        }
    }
    Ok(model)
}

/// Gives each its packed weights, which plans made of the model share.
pub fn pack(mut model: TypedModel) -> TractResult<TypedModel> {
    for id in 0..model.nodes.len() {
        let node = model.node(id);
        if let Some(convolution) = node.op_as::<Convolution>() {
            let packed = Packed::new(convolution);
            TypedModelPatch::replace_single_op(&model, node, &node.inputs, packed)?.apply(&mut model)?;
        }
    }
    Ok(model)
}

/// What slides over the planes, without its weights.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sliding {
    pool: PoolSpec,
    groups: usize,
    /// Whether planes are one column wide: they are taken for one row, along which kernels are fast.
    upright: bool,
}

impl Sliding {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        self.pool.output_facts(inputs)
    }
}

/// A convolution of one or two dimensions in 32-bit floats with constant weights.
#[derive(Debug, Clone, PartialEq)]
struct Convolution {
    sliding: Sliding,
    /// For each output channel the taps of each input channel of its group.
    weights: Arc<Vec<f32>>,
    /// One for each output channel.
    bias: Vec<f32>,
    nonlinearity: Nonlinearity,
}

// Weights are finite or the comparison is false; nothing relies on it.
impl Eq for Convolution {}

impl Convolution {
    fn standing_for(model: &TypedModel, node: &TypedNode) -> TractResult<Option<Self>> {
        rule_if_some!(conv = node.op_as::<Conv>());
        let pool = &conv.pool_spec;
        rule_if!(conv.q_params.is_none() && conv.kernel_fmt == KernelFormat::OIHW);
        rule_if!(pool.data_format == DataFormat::NCHW && matches!(pool.rank(), 1 | 2));
        let [input, weights, bias] = *model.node_input_facts(node.id)? else { return Ok(None) };
        rule_if!(input.datum_type == f32::datum_type());
        rule_if_some!(weights = &weights.konst);
        rule_if_some!(bias = &bias.konst);
        rule_if!(weights.datum_type() == f32::datum_type() && bias.datum_type() == f32::datum_type());
        let weights = weights.try_as_plain_ram()?.as_slice::<f32>()?.to_vec();
        // Files may say anything.
        let (inputs, outputs) = (pool.input_channels, pool.output_channels);
        let taps: usize = pool.kernel_shape.iter().product();
        rule_if!(conv.group > 0 && inputs % conv.group == 0 && outputs % conv.group == 0);
        rule_if!(!weights.is_empty() && weights.len() == outputs * (inputs / conv.group) * taps);
        let bias = per_channel(bias, outputs)?;
        let upright = pool.rank() == 2
            && input.shape[3].is_one()
            && pool.kernel_shape[1] == 1
            && pool.padding.valid_dim(1, pool.stride(1) == 1);
        let sliding = Sliding { pool: pool.clone(), groups: conv.group, upright };
        Ok(bias.map(|bias| Self {
            sliding,
            weights: Arc::new(weights),
            bias,
            nonlinearity: Nonlinearity::None,
        }))
    }
}

/// One value for each channel from a tensor that has so many, or one for all.
fn per_channel(tensor: &Tensor, channels: usize) -> TractResult<Option<Vec<f32>>> {
    let plain = tensor.try_as_plain_ram()?;
    let values = plain.as_slice::<f32>()?;
    Ok(match values.len() {
        1 => Some(vec![values[0]; channels]),
        length if length == channels => Some(values.to_vec()),
        _ => None,
    })
}

impl Op for Convolution {
    fn name(&self) -> StaticName {
        "Convolution".into()
    }

    fn validation(&self) -> Validation {
        Validation::Rounding
    }

    op_as_typed_op!();
}

impl EvalOp for Convolution {
    fn eval(&self, context: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        Packed::new(self).eval(context, inputs)
    }

    op_out_of_plan!();
}

impl TypedOp for Convolution {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        self.sliding.output_facts(inputs)
    }

    fn declutter(&self, model: &TypedModel, node: &TypedNode) -> TractResult<Option<TypedModelPatch>> {
        match fold::successor(self, model, node)? {
            Some(folded) => Ok(Some(TypedModelPatch::fuse_with_next(model, node, folded)?)),
            None => Ok(None),
        }
    }

    as_op!();
}
