//! Rows of 32- and 16-bit floats.

use super::half;
use super::simd::F4;
use super::vector::halves;

/// Dot product of a row with one vector; lengths are multiples of 8.
#[inline(always)]
pub fn dot_f32(row: &[f32], input: &[f32]) -> f32 {
    let (input, _) = input.as_chunks::<8>();
    // One length for both, so that no index in the loop is checked.
    let row = &row.as_chunks::<8>().0[..input.len()];
    let mut sums = [F4::splat(0.0); 2];
    for (at, eight) in input.iter().enumerate() {
        let [low, high] = halves(eight).map(F4::load);
        let [a, b] = halves(&row[at]).map(F4::load);
        sums[0] = sums[0].add(a.mul(low));
        sums[1] = sums[1].add(b.mul(high));
    }
    sums[0].add(sums[1]).sum()
}

#[inline(always)]
pub fn dot_f16(row: &[u16], input: &[f32]) -> f32 {
    let (input, _) = input.as_chunks::<4>();
    let row = &row.as_chunks::<4>().0[..input.len()];
    let mut sum = F4::splat(0.0);
    for (at, four) in input.iter().enumerate() {
        sum = sum.add(F4::from_halves(&row[at]).mul(F4::load(four)));
    }
    sum.sum()
}

pub fn row_f16(row: &[u16]) -> Vec<f32> {
    row.iter().map(|bits| half::to_f32(*bits)).collect()
}
