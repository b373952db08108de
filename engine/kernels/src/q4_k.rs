//! `Q4_K`: superblocks of eight blocks of 32 nibbles, each block with a 6-bit scale and minimum.

use super::activation::Superblocks;
use super::half;
use super::q4_0::{Packed, pack, products, unpack};
use super::simd::{F4, I4, S8};

#[derive(Debug)]
struct Superblock {
    /// Multiplies the blocks' scales.
    scale: f32,
    /// Multiplies the blocks' minima.
    minimum: f32,
    scales: [u8; 8],
    minima: [u8; 8],
    quants: [Packed; 8],
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

    /// Takes superblocks of 144 bytes as they are in the file.
    pub fn append(&mut self, bytes: &[u8]) {
        self.superblocks.extend(bytes.as_chunks::<144>().0.iter().map(read));
    }

    fn row(&self, row: usize) -> &[Superblock] {
        &self.superblocks[row * self.per_row..][..self.per_row]
    }

    #[inline(always)]
    pub fn dot(&self, row: usize, input: &Superblocks) -> f32 {
        let (inputs, _) = input.quants.as_chunks::<256>();
        let inputs = inputs.iter().zip(&input.sums).zip(&input.scales);
        let mut sum = F4::splat(0.0);
        for (weights, ((inputs, block_sums), scale)) in self.row(row).iter().zip(inputs) {
            let mut product = I4::splat(0);
            let (blocks, _) = inputs.as_chunks::<32>();
            for ((packed, factor), inputs) in weights.quants.iter().zip(weights.scales).zip(blocks) {
                let [a, b, c, d] = products(packed, inputs);
                let block = a.add(c).shift_right(8).add(b.add(d));
                product = product.add(block.mul(I4::splat(i32::from(factor))));
            }
            // Nibbles are packed less by 8, and each block has its minimum.
            let times_sums = |factors| S8::extend_u8(factors).dot(S8::load(block_sums)).to_f4();
            let eights = times_sums(&weights.scales).mul(F4::splat(8.0 * weights.scale * scale));
            let minima = times_sums(&weights.minima).mul(F4::splat(weights.minimum * scale));
            let product = product.to_f4().mul(F4::splat(weights.scale * scale));
            sum = sum.add(product.add(eights).sub(minima));
        }
        sum.sum()
    }

    pub fn values(&self, row: usize) -> Vec<f32> {
        let mut values = Vec::with_capacity(self.per_row * 256);
        for each in self.row(row) {
            for ((packed, scale), minimum) in each.quants.iter().zip(each.scales).zip(each.minima) {
                let (scale, minimum) = (each.scale * f32::from(scale), each.minimum * f32::from(minimum));
                values.extend(unpack(packed).map(|value| (f32::from(value) + 8.0) * scale - minimum));
            }
        }
        values
    }
}

fn read(bytes: &[u8; 144]) -> Superblock {
    let half = |at: usize| half::to_f32(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    let packed = &bytes[4..16];
    let (mut scales, mut minima) = ([0; 8], [0; 8]);
    for block in 0..4 {
        scales[block] = packed[block] & 63;
        minima[block] = packed[block + 4] & 63;
        // The upper four have two bits beside the lower ones and four bits of their own.
        scales[block + 4] = packed[block + 8] & 15 | packed[block] >> 6 << 4;
        minima[block + 4] = packed[block + 8] >> 4 | packed[block + 4] >> 6 << 4;
    }
    // Each 32 bytes hold one block in their low nibbles and the next in their high ones.
    let quants = std::array::from_fn(|block| {
        let from = 16 + block / 2 * 32;
        pack(&std::array::from_fn(|at| bytes[from + at] >> (block % 2 * 4) & 15))
    });
    Superblock { scale: half(0), minimum: half(2), scales, minima, quants }
}
