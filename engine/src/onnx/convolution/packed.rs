//! A convolution that is ready to run.

#![allow(clippy::wildcard_imports, reason = "tract's macros name what this module offers")]
#![allow(
    unsafe_code,
    reason = "tract fills a tensor with zeros value by value, a fifth of a small model's time"
)]

use super::{Convolution, Sliding};
use tract_onnx::tract_core::internal::*;
use wasmai_kernels::{Filters, Geometry, Pair, Plane, Window};

#[derive(Debug, Clone, PartialEq)]
pub struct Packed {
    sliding: Sliding,
    filters: Arc<Filters>,
}

impl Eq for Packed {}

impl Packed {
    pub fn new(convolution: &Convolution) -> Self {
        let sliding = convolution.sliding.clone();
        let window = sliding.window();
        let filters = Filters::pack(
            &convolution.weights,
            &convolution.bias,
            window,
            sliding.groups,
            convolution.nonlinearity,
        );
        Self { sliding, filters: Arc::new(filters) }
    }

    /// Fails where the window does not fit into the input.
    fn geometry(&self, lengths: &[usize]) -> TractResult<Geometry> {
        let padding = self.sliding.pool.computed_padding(lengths);
        let window = self.sliding.window();
        let plane = |[height, width]: Pair| Plane { height, width };
        let outputs: TVec<usize> = padding.iter().map(|axis| axis.convoluted).collect();
        let before: TVec<usize> = padding.iter().map(|axis| axis.pad_before).collect();
        let after: TVec<usize> = padding.iter().map(|axis| axis.pad_after).collect();
        let geometry = Geometry {
            input: plane(self.sliding.pair(lengths, 1)),
            output: plane(self.sliding.pair(&outputs, 1)),
            window,
            before: self.sliding.pair(&before, 0),
            after: self.sliding.pair(&after, 0),
        };
        ensure!(geometry.fits(), "a convolution's window is larger than its input {lengths:?}");
        Ok(geometry)
    }
}

impl Sliding {
    fn window(&self) -> Window {
        Window {
            size: self.pair(&self.pool.kernel_shape, 1),
            strides: self.pair(&self.pool.strides(), 1),
            dilations: self.pair(&self.pool.dilations(), 1),
        }
    }

    /// Down and across; what has one axis goes across.
    fn pair(&self, axes: &[usize], missing: usize) -> Pair {
        match *axes {
            [down, across] if self.upright => [across, down],
            [down, across] => [down, across],
            [across] => [missing, across],
            _ => unreachable!("a convolution has one or two axes"),
        }
    }
}

impl Op for Packed {
    fn name(&self) -> StaticName {
        "PackedConvolution".into()
    }

    fn validation(&self) -> Validation {
        Validation::Rounding
    }

    op_as_typed_op!();
}

impl EvalOp for Packed {
    fn eval(&self, _context: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let input = args_1!(inputs);
        let shape = self.sliding.pool.output_shape(input.shape())?.shape;
        if input.shape()[0] == 0 {
            return Ok(tvec!(Tensor::zero::<f32>(&shape)?.into_tvalue()));
        }
        let geometry = self.geometry(&input.shape()[2..])?;
        // SAFETY: the convolution writes each value of each image.
        let mut output = unsafe { Tensor::uninitialized::<f32>(&shape)? };
        {
            let images = input.shape()[0];
            let plain = input.try_as_plain_ram()?;
            let from = plain.as_slice::<f32>()?;
            let mut into = output.try_as_plain_ram_mut()?;
            let into = into.as_slice_mut::<f32>()?;
            let images =
                from.chunks_exact(from.len() / images).zip(into.chunks_exact_mut(into.len() / images));
            for (from, into) in images {
                self.filters.convolve(&geometry, from, into);
            }
        }
        Ok(tvec!(output.into_tvalue()))
    }

    op_out_of_plan!();
}

impl TypedOp for Packed {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        self.sliding.output_facts(inputs)
    }

    as_op!();
}
