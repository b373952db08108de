//! Rows of 32- and 16-bit floats.

use super::half;
use super::simd::F4;
use super::vector::halves;

/// Dot products of `R` rows with one vector; lengths are multiples of 8.
#[inline(always)]
pub fn dot_f32<const R: usize>(rows: [&[f32]; R], input: &[f32]) -> [f32; R] {
    // One length for all, so that no index in the loop is checked.
    let (input, _) = input.as_chunks::<8>();
    let rows = rows.map(|row| &row.as_chunks::<8>().0[..input.len()]);
    let mut sums = [[F4::splat(0.0); 2]; R];
    for (at, eight) in input.iter().enumerate() {
        let [low, high] = halves(eight).map(F4::load);
        for (row, sum) in rows.iter().zip(&mut sums) {
            let [a, b] = halves(&row[at]).map(F4::load);
            sum[0] = sum[0].add(a.mul(low));
            sum[1] = sum[1].add(b.mul(high));
        }
    }
    sums.map(|[a, b]| a.add(b).sum())
}

#[inline(always)]
pub fn dot_f16<const R: usize>(rows: [&[u16]; R], input: &[f32]) -> [f32; R] {
    let (input, _) = input.as_chunks::<4>();
    let rows = rows.map(|row| &row.as_chunks::<4>().0[..input.len()]);
    let mut sums = [F4::splat(0.0); R];
    for (at, four) in input.iter().enumerate() {
        let four = F4::load(four);
        for (row, sum) in rows.iter().zip(&mut sums) {
            *sum = sum.add(F4::from_halves(&row[at]).mul(four));
        }
    }
    sums.map(F4::sum)
}

pub fn row_f16(row: &[u16]) -> Vec<f32> {
    row.iter().map(|bits| half::to_f32(*bits)).collect()
}
