//! Convolution of planes in 32-bit floats: channel after channel, each row after row (ONNX's NCHW).
//!
//! Weights are packed once. A convolution is the product of a matrix of weights (a row for each
//! output channel) and a matrix that has for each output position the inputs which its window
//! covers; the second is made a few columns at a time, just before they are multiplied.

mod dense;
mod depthwise;
mod geometry;
mod nonlinearity;
mod panel;
mod product;
#[cfg(test)]
mod tests;
mod winograd;

use dense::Dense;
use depthwise::Depthwise;
pub use geometry::{Geometry, Pair, Plane, Window};
pub use nonlinearity::Nonlinearity;
use winograd::Winograd;

/// Packed filters of all groups of channels.
#[derive(Debug, Clone, PartialEq)]
pub struct Filters {
    kind: Kind,
    nonlinearity: Nonlinearity,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Dense(Vec<Dense>),
    Winograd(Vec<Winograd>),
    Depthwise(Depthwise),
}

impl Filters {
    /// `values` has for each output channel the taps of each input channel of its group; `bias` one
    /// value for each output channel. Both are divided by `groups`.
    pub fn pack(
        values: &[f32],
        bias: &[f32],
        window: Window,
        groups: usize,
        nonlinearity: Nonlinearity,
    ) -> Self {
        let (per_group, channels) = (values.len() / groups, bias.len() / groups);
        if channels == 1 && per_group == window.taps() {
            let depthwise = Depthwise { filters: values.to_vec(), bias: bias.to_vec() };
            return Self { kind: Kind::Depthwise(depthwise), nonlinearity };
        }
        let parts = values.chunks_exact(per_group).zip(bias.chunks_exact(channels));
        let kind = if Winograd::suits(window, per_group / channels / window.taps(), channels) {
            Kind::Winograd(parts.map(|(values, bias)| Winograd::pack(values, bias, window)).collect())
        } else {
            Kind::Dense(parts.map(|(values, bias)| Dense::pack(values, bias)).collect())
        };
        Self { kind, nonlinearity }
    }

    /// One image: `input` has the planes of all input channels, `output` those of the output.
    pub fn convolve(&self, geometry: &Geometry, input: &[f32], output: &mut [f32]) {
        let geometry = match &self.kind {
            Kind::Winograd(groups) => groups[0].widened(geometry),
            Kind::Dense(_) | Kind::Depthwise(_) => *geometry,
        };
        let padded = geometry.has_borders().then(|| geometry.pad(input));
        let planes = padded.as_deref().unwrap_or(input);
        match &self.kind {
            Kind::Depthwise(depthwise) => depthwise.convolve(&geometry, planes, output),
            Kind::Dense(groups) => each(groups, planes, output, |group, planes, output| {
                group.convolve(&geometry, planes, output);
            }),
            Kind::Winograd(groups) => each(groups, planes, output, |group, planes, output| {
                group.convolve(&geometry, planes, output);
            }),
        }
        self.nonlinearity.apply(output);
    }
}

/// Each group with its planes of the input and of the output.
fn each<G>(groups: &[G], planes: &[f32], output: &mut [f32], convolve: impl Fn(&G, &[f32], &mut [f32])) {
    let inputs = planes.chunks_exact(planes.len() / groups.len());
    let outputs = output.chunks_exact_mut(output.len() / groups.len());
    for (group, (planes, output)) in groups.iter().zip(inputs.zip(outputs)) {
        convolve(group, planes, output);
    }
}
