//! Convolution where each channel has a filter of its own.

use super::geometry::Geometry;
use super::panel::{Inputs, Load, Positions};
use crate::simd::F4;

#[derive(Debug, Clone, PartialEq)]
pub struct Depthwise {
    /// A value for each tap of each channel.
    pub filters: Vec<f32>,
    /// One for each channel.
    pub bias: Vec<f32>,
}

impl Depthwise {
    /// `planes` are padded.
    pub fn convolve(&self, geometry: &Geometry, planes: &[f32], output: &mut [f32]) {
        let taps = geometry.taps();
        let area = geometry.output.area();
        let spots: Vec<Positions<4>> =
            (0..area).step_by(16).map(|first| Positions::at(geometry, first)).collect();
        let filters = self.filters.chunks_exact(taps.len()).zip(&self.bias);
        let channels = planes.chunks_exact(geometry.padded().area()).zip(output.chunks_exact_mut(area));
        for ((plane, channel), (filter, bias)) in channels.zip(filters) {
            for spot in &spots {
                let sums = match &spot.inputs {
                    Inputs::Row(load) => sums(load, plane, &taps, filter, *bias),
                    Inputs::Runs(load) => sums(load, plane, &taps, filter, *bias),
                    Inputs::Evens(load) => sums(load, plane, &taps, filter, *bias),
                    Inputs::Mixed(load) => sums(load, plane, &taps, filter, *bias),
                };
                spot.store(&sums, channel);
            }
        }
    }
}

#[inline(always)]
fn sums(spot: &impl Load<4>, plane: &[f32], taps: &[usize], filter: &[f32], bias: f32) -> [F4; 4] {
    let mut sums = [F4::splat(bias); 4];
    for (tap, weight) in taps.iter().zip(filter) {
        let (weight, inputs) = (F4::splat(*weight), spot.load(&plane[*tap..]));
        for (sum, input) in sums.iter_mut().zip(&inputs) {
            *sum = sum.add(weight.mul(*input));
        }
    }
    sums
}
