//! `Q4_K`: superblocks of eight blocks of 32 nibbles, each block with a 6-bit scale and minimum.

use super::activation::Superblocks;
use super::half;
use super::q4_0::{Packed, dot_packed, pack, unpack};
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
        let (moved, _) = input.moved.as_chunks::<256>();
        let inputs = moved.iter().zip(&input.sums).zip(&input.scales);
        let mut sum = F4::splat(0.0);
        for (weights, ((moved, block_sums), scale)) in self.row(row).iter().zip(inputs) {
            // At most 15 * 127 * 256 * 8 * 63 * 8 = 1.97e9 a lane: fits in 31 bits.
            let mut product = I4::splat(0);
            let (blocks, _) = moved.as_chunks::<32>();
            for ((packed, factor), inputs) in weights.quants.iter().zip(weights.scales).zip(blocks) {
                product = product.add(dot_packed(packed, inputs).mul(I4::splat(i32::from(factor))));
            }
            let minima = S8::extend_u8(&weights.minima).dot(S8::load(block_sums)).to_f4();
            let less = minima.mul(F4::splat(weights.minimum * scale));
            sum = sum.add(product.to_f4().mul(F4::splat(weights.scale * scale / 256.0))).sub(less);
        }
        sum.sum()
    }

    pub fn values(&self, row: usize) -> Vec<f32> {
        let mut values = Vec::with_capacity(self.per_row * 256);
        for each in self.row(row) {
            for ((packed, scale), minimum) in each.quants.iter().zip(each.scales).zip(each.minima) {
                let (scale, minimum) = (each.scale * f32::from(scale), each.minimum * f32::from(minimum));
                values.extend(unpack(packed).map(|nibble| f32::from(nibble) * scale - minimum));
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
