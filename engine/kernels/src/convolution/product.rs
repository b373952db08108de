//! The innermost loop: four output channels at up to 16 positions.

use crate::simd::F4;

/// Output channels that are computed together.
pub const ROWS: usize = 4;

/// Sums for four output channels at `4 * FOURS` positions.
pub type Tile<const FOURS: usize> = [[F4; FOURS]; ROWS];

/// Adds the products of all steps: `weights` has the four channels' values of one step together,
/// `inputs` those of the positions.
///
/// 16 positions are the fastest where `WasmEdge` compiles (its code for AVX-512 has 32 registers): 23
/// billion products a second on one machine, 20 with 8 positions. Under wasmtime it is 17 and 22.
///
/// Sums are neither taken nor given by value: tiles would be copied, which is as long as 20 products.
#[inline(always)]
pub fn add_products<const FOURS: usize>(
    sums: &mut Tile<FOURS>,
    weights: &[[f32; ROWS]],
    inputs: &[[F4; FOURS]],
) {
    for (weights, inputs) in weights.iter().zip(inputs) {
        let weights = F4::load(weights);
        let [a, b, c, d] = sums;
        add(a, weights.lane::<0>(), inputs);
        add(b, weights.lane::<1>(), inputs);
        add(c, weights.lane::<2>(), inputs);
        add(d, weights.lane::<3>(), inputs);
    }
}

#[inline(always)]
fn add<const FOURS: usize>(sums: &mut [F4; FOURS], weight: F4, inputs: &[F4; FOURS]) {
    for (sum, input) in sums.iter_mut().zip(inputs) {
        *sum = sum.add(weight.mul(*input));
    }
}
