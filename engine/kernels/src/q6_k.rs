//! `Q6_K`: superblocks of sixteen blocks of 16 six-bit values, each block with an 8-bit scale.
//! Unpacked to bytes, which costs a third more memory and saves most of the work.

use super::activation::Superblocks;
use super::half;
use super::q8_0::{Packed, pack, products, unpack};
use super::simd::{F4, I4};

#[derive(Debug)]
struct Superblock {
    scale: f32,
    scales: [i8; 16],
    quants: [Packed; 16],
}

#[derive(Debug)]
pub struct Rows {
    superblocks: Vec<Superblock>,
    per_row: usize,
}

impl Rows {
    pub fn new(rows: usize, columns: usize) -> Self {
        let per_row = columns / 256;
        Self { superblocks: Vec::with_capacity(rows * per_row), per_row }
    }

    /// Takes superblocks of 210 bytes as they are in the file.
    pub fn append(&mut self, bytes: &[u8]) {
        self.superblocks.extend(bytes.as_chunks::<210>().0.iter().map(read));
    }

    fn row(&self, row: usize) -> &[Superblock] {
        &self.superblocks[row * self.per_row..][..self.per_row]
    }

    #[inline(always)]
    pub fn dot(&self, row: usize, input: &Superblocks) -> f32 {
        let (inputs, _) = input.quants.as_chunks::<256>();
        let mut sum = F4::splat(0.0);
        for (weights, (inputs, scale)) in self.row(row).iter().zip(inputs.iter().zip(&input.scales)) {
            let mut product = I4::splat(0);
            let (blocks, _) = inputs.as_chunks::<16>();
            for ((packed, factor), inputs) in weights.quants.iter().zip(weights.scales).zip(blocks) {
                // Not an addition alone, in which a compiler loses the `dot`: see `BlockSum`.
                let [a, b] = products(packed, inputs);
                let block = a.shift_right(8).add(b);
                product = product.add(block.mul(I4::splat(i32::from(factor))));
            }
            sum = sum.add(product.to_f4().mul(F4::splat(weights.scale * scale)));
        }
        sum.sum()
    }

    pub fn values(&self, row: usize) -> Vec<f32> {
        let mut values = Vec::with_capacity(self.per_row * 256);
        for each in self.row(row) {
            for (packed, scale) in each.quants.iter().zip(each.scales) {
                let scale = each.scale * f32::from(scale);
                values.extend(unpack(packed).map(|value| f32::from(value) * scale));
            }
        }
        values
    }
}

fn read(bytes: &[u8; 210]) -> Superblock {
    let (low, rest) = bytes.split_at(128);
    let (high, rest) = rest.split_at(64);
    let value = |at: usize| {
        // Halves of 128 values; in each, four runs of 32 share bytes.
        let (half, run, lane) = (at / 128, at % 128 / 32, at % 32);
        let four = low[half * 64 + run % 2 * 32 + lane] >> (run / 2 * 4) & 15;
        let two = high[half * 32 + lane] >> (run * 2) & 3;
        (four | two << 4).wrapping_sub(32)
    };
    Superblock {
        scale: half::to_f32(u16::from_le_bytes([rest[16], rest[17]])),
        scales: std::array::from_fn(|block| rest[block].cast_signed()),
        quants: std::array::from_fn(|block| pack(&std::array::from_fn(|at| value(block * 16 + at)))),
    }
}
