//! `Q8_0`: blocks of 32 signed bytes with a half-precision scale.

use super::activation::Blocks;
use super::block_sum::BlockSum;
use super::half;
use super::simd::{I4, S8};

/// Sums of products of 16 signed bytes with arranged inputs, without widening the bytes: of the two
/// in a lane the lower is moved up, so the first sums are 256 times too large; the upper is moved down.
#[inline(always)]
pub fn products(bytes: &[u8; 16], inputs: &[i16; 16]) -> [I4; 2] {
    let (bytes, inputs) = (S8::load_bytes(bytes), inputs.as_chunks::<8>().0);
    [bytes.shift_left(8).dot(S8::load(&inputs[0])), bytes.shift_right(8).dot(S8::load(&inputs[1]))]
}

#[derive(Debug)]
pub struct Rows {
    scales: Vec<f32>,
    /// Signed bytes.
    quants: Vec<[u8; 32]>,
    blocks_per_row: usize,
}

impl Rows {
    pub fn new(rows: usize, columns: usize) -> Self {
        let blocks_per_row = columns / 32;
        let blocks = rows * blocks_per_row;
        Self { scales: Vec::with_capacity(blocks), quants: Vec::with_capacity(blocks), blocks_per_row }
    }

    /// Takes blocks of 34 bytes as they are in the file.
    pub fn append(&mut self, bytes: &[u8]) {
        for block in bytes.as_chunks::<34>().0 {
            self.scales.push(half::to_f32(u16::from_le_bytes([block[0], block[1]])));
            self.quants.push(std::array::from_fn(|at| block[2 + at]));
        }
    }

    fn row(&self, row: usize) -> (&[f32], &[[u8; 32]]) {
        let (first, count) = (row * self.blocks_per_row, self.blocks_per_row);
        (&self.scales[first..][..count], &self.quants[first..][..count])
    }

    #[inline(always)]
    pub fn dot(&self, row: usize, input: &Blocks) -> f32 {
        let count = self.blocks_per_row;
        let (scales, quants) = self.row(row);
        let (inputs, _) = input.quants.as_chunks::<32>();
        let mut sum = BlockSum::new();
        // One length for all, so that no index in the loop is checked.
        for (at, (inputs, scale)) in inputs[..count].iter().zip(&input.scales[..count]).enumerate() {
            let (bytes, inputs) = (quants[at].as_chunks::<16>().0, inputs.as_chunks::<16>().0);
            let ([a, b], [c, d]) = (products(&bytes[0], &inputs[0]), products(&bytes[1], &inputs[1]));
            sum.push([a, b, c, d], scales[at] * scale);
        }
        sum.total()
    }

    pub fn values(&self, row: usize) -> Vec<f32> {
        let (scales, quants) = self.row(row);
        let block =
            |(scale, quants): (&f32, &[u8; 32])| quants.map(|quant| f32::from(quant.cast_signed()) * scale);
        scales.iter().zip(quants).flat_map(block).collect()
    }
}
