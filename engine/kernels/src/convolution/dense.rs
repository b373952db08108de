//! Convolution where each output channel sees all input channels of its group.

use super::geometry::Geometry;
use super::panel::{Inputs, Load, Positions};
use super::product::{self, ROWS, Tile};
use crate::simd::F4;

/// Products for one output that are made at a time: their inputs, for 16 positions, stay in the
/// nearest cache (16 KiB).
const STEPS_AT_A_TIME: usize = 256;

/// Filters of one group, in the order in which they are multiplied.
#[derive(Debug, Clone, PartialEq)]
pub struct Dense {
    /// For each four output channels, for each input channel and tap, the four values.
    packed: Vec<[f32; ROWS]>,
    /// One for each output channel; zeros up to a multiple of four.
    bias: Vec<[f32; ROWS]>,
    /// Input channels times taps.
    steps: usize,
}

impl Dense {
    /// `filters` has the values of an output channel together, `bias` one value for each.
    pub fn pack(filters: &[f32], bias: &[f32]) -> Self {
        let (channels, steps) = (bias.len(), filters.len() / bias.len());
        let filter = |channel: usize, step: usize| {
            if channel < channels { filters[channel * steps + step] } else { 0.0 }
        };
        let blocks = 0..channels.div_ceil(ROWS);
        let block = |block: usize| {
            (0..steps).map(move |step| std::array::from_fn(|row| filter(block * ROWS + row, step)))
        };
        let start = |block: usize| {
            std::array::from_fn(|row| bias.get(block * ROWS + row).copied().unwrap_or_default())
        };
        Self { packed: blocks.clone().flat_map(block).collect(), bias: blocks.map(start).collect(), steps }
    }

    /// `planes` are padded; `output` has the planes of the group's output channels.
    pub fn convolve(&self, geometry: &Geometry, planes: &[f32], output: &mut [f32]) {
        let all = geometry.output.area();
        let wide = all - all % 16;
        self.positions::<4>(geometry, planes, 0..wide, output);
        match (all - wide).div_ceil(4) {
            0 => {}
            1 => self.positions::<1>(geometry, planes, wide..all, output),
            2 => self.positions::<2>(geometry, planes, wide..all, output),
            3 => self.positions::<3>(geometry, planes, wide..all, output),
            _ => self.positions::<4>(geometry, planes, wide..all, output),
        }
    }

    fn positions<const FOURS: usize>(
        &self,
        geometry: &Geometry,
        planes: &[f32],
        range: std::ops::Range<usize>,
        output: &mut [f32],
    ) {
        let taps = geometry.taps();
        let area = geometry.padded().area();
        let channels_at_a_time = (STEPS_AT_A_TIME / taps.len()).max(1);
        let spots: Vec<Positions<FOURS>> =
            range.step_by(4 * FOURS).map(|first| Positions::at(geometry, first)).collect();
        let mut inputs = Vec::with_capacity(channels_at_a_time * taps.len());
        for (part, planes) in planes.chunks(channels_at_a_time * area).enumerate() {
            let first_step = part * channels_at_a_time * taps.len();
            for spot in &spots {
                inputs.clear();
                match &spot.inputs {
                    Inputs::Row(load) => gather(load, planes.chunks_exact(area), &taps, &mut inputs),
                    Inputs::Runs(load) => gather(load, planes.chunks_exact(area), &taps, &mut inputs),
                    Inputs::Evens(load) => gather(load, planes.chunks_exact(area), &taps, &mut inputs),
                    Inputs::Mixed(load) => gather(load, planes.chunks_exact(area), &taps, &mut inputs),
                }
                self.multiply(first_step, &inputs, spot, output, geometry.output.area());
            }
        }
    }

    /// All output channels at some positions, for the steps from `first_step` on.
    fn multiply<const FOURS: usize>(
        &self,
        first_step: usize,
        inputs: &[[F4; FOURS]],
        spot: &Positions<FOURS>,
        output: &mut [f32],
        area: usize,
    ) {
        let blocks = self.packed.chunks_exact(self.steps).zip(&self.bias);
        for ((weights, bias), channels) in blocks.zip(output.chunks_mut(ROWS * area)) {
            let start = if first_step == 0 { Some(bias) } else { None };
            four_channels(&weights[first_step..], inputs, start, spot, channels, area);
        }
    }
}

/// Four output channels at some positions; adds to what is there if there is no `start`.
// A function of its own, so that the loop has all registers.
#[inline(never)]
fn four_channels<const FOURS: usize>(
    weights: &[[f32; ROWS]],
    inputs: &[[F4; FOURS]],
    start: Option<&[f32; ROWS]>,
    spot: &Positions<FOURS>,
    channels: &mut [f32],
    area: usize,
) {
    let mut sums: Tile<FOURS> = [[F4::splat(0.0); FOURS]; ROWS];
    match start {
        Some(bias) => {
            for (sums, value) in sums.iter_mut().zip(bias) {
                sums.fill(F4::splat(*value));
            }
        }
        None => {
            for (sums, channel) in sums.iter_mut().zip(channels.chunks_exact(area)) {
                spot.read(channel, sums);
            }
        }
    }
    product::add_products(&mut sums, weights, inputs);
    for (sums, channel) in sums.iter().zip(channels.chunks_exact_mut(area)) {
        spot.store(sums, channel);
    }
}

/// The inputs of some positions: all channels, and of each all taps.
#[inline(never)]
fn gather<'a, const FOURS: usize>(
    spot: &impl Load<FOURS>,
    planes: impl Iterator<Item = &'a [f32]>,
    taps: &[usize],
    inputs: &mut Vec<[F4; FOURS]>,
) {
    for plane in planes {
        inputs.extend(taps.iter().map(|tap| spot.load(&plane[*tap..])));
    }
}
