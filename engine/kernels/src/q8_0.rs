//! `Q8_0`: blocks of 32 signed bytes with a half-precision scale.

use super::activation::Blocks;
use super::half;
use super::simd::{F4, I4, S8};

#[derive(Debug)]
pub struct Rows {
    scales: Vec<f32>,
    quants: Vec<[i8; 32]>,
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
            self.quants.push(std::array::from_fn(|at| block[2 + at].cast_signed()));
        }
    }

    fn row(&self, row: usize) -> (&[f32], &[[i8; 32]]) {
        let (first, count) = (row * self.blocks_per_row, self.blocks_per_row);
        (&self.scales[first..][..count], &self.quants[first..][..count])
    }

    #[inline(always)]
    pub fn dot(&self, row: usize, input: &Blocks) -> f32 {
        let count = self.blocks_per_row;
        let (scales, quants) = self.row(row);
        let (inputs, _) = input.quants.as_chunks::<32>();
        let mut sum = F4::splat(0.0);
        // One length for all, so that no index in the loop is checked.
        for (at, (eights, scale)) in inputs[..count].iter().zip(&input.scales[..count]).enumerate() {
            let (eights, _) = eights.as_chunks::<8>();
            let inputs: [S8; 4] = std::array::from_fn(|part| S8::load(&eights[part]));
            let (weights, _) = quants[at].as_chunks::<8>();
            let part = |part: usize| S8::extend_i8(&weights[part]).dot(inputs[part]);
            let block: I4 = part(0).add(part(1)).add(part(2).add(part(3)));
            sum = sum.add(block.to_f4().mul(F4::splat(scales[at] * scale)));
        }
        sum.sum()
    }

    pub fn values(&self, row: usize) -> Vec<f32> {
        let (scales, quants) = self.row(row);
        let block = |(scale, quants): (&f32, &[i8; 32])| quants.map(|quant| f32::from(quant) * scale);
        scales.iter().zip(quants).flat_map(block).collect()
    }
}
