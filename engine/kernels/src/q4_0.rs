//! `Q4_0`: blocks of 32 nibbles, each 8 too large, with a half-precision scale.

use super::activation::Blocks;
use super::block_sum::BlockSum;
use super::half;
use super::simd::{I4, S8};

/// Four signed nibbles a lane, each less by 8 than in the file. Lane `l` holds, from the lowest bits
/// up, values `l`, `8 + l`, `24 + l` and `16 + l`.
pub type Packed = [i16; 8];

pub fn pack(nibbles: &[u8; 32]) -> Packed {
    std::array::from_fn(|lane| {
        let [a, b, c, d] = [0, 8, 24, 16].map(|from| u16::from(nibbles[from + lane] & 15 ^ 8));
        (a | b << 4 | c << 8 | d << 12).cast_signed()
    })
}

/// Values from -8 to 7.
pub fn unpack(packed: &Packed) -> [i8; 32] {
    std::array::from_fn(|at| (packed[at % 8] << [12, 8, 0, 4][at / 8] >> 12) as i8)
}

/// Sums of products of 32 nibbles. The first and the third are 256 times too large, as with bytes.
#[inline(always)]
pub fn products(packed: &Packed, inputs: &[i16; 32]) -> [I4; 4] {
    let (lanes, inputs) = (S8::load(packed), inputs.as_chunks::<8>().0);
    [
        lanes.shift_left(12).shift_right(4).dot(S8::load(&inputs[0])),
        lanes.shift_left(8).shift_right(12).dot(S8::load(&inputs[1])),
        lanes.shift_right(4).and(!0xff).dot(S8::load(&inputs[2])),
        lanes.shift_left(4).shift_right(12).dot(S8::load(&inputs[3])),
    ]
}

#[derive(Debug)]
pub struct Rows {
    scales: Vec<f32>,
    quants: Vec<Packed>,
    blocks_per_row: usize,
}

impl Rows {
    pub fn new(rows: usize, columns: usize) -> Self {
        let blocks_per_row = columns / 32;
        let blocks = rows * blocks_per_row;
        Self { scales: Vec::with_capacity(blocks), quants: Vec::with_capacity(blocks), blocks_per_row }
    }

    /// Takes blocks of 18 bytes as they are in the file: low nibbles first, then high ones.
    pub fn append(&mut self, bytes: &[u8]) {
        for block in bytes.as_chunks::<18>().0 {
            self.scales.push(half::to_f32(u16::from_le_bytes([block[0], block[1]])));
            let nibble = |at: usize| if at < 16 { block[2 + at] & 15 } else { block[2 + at - 16] >> 4 };
            self.quants.push(pack(&std::array::from_fn(nibble)));
        }
    }

    fn row(&self, row: usize) -> (&[f32], &[Packed]) {
        let (first, count) = (row * self.blocks_per_row, self.blocks_per_row);
        (&self.scales[first..][..count], &self.quants[first..][..count])
    }

    #[inline(always)]
    pub fn dot(&self, row: usize, input: &Blocks) -> f32 {
        let (scales, quants) = self.row(row);
        let inputs = input.quants.as_chunks::<32>().0.iter().zip(&input.scales);
        let mut sum = BlockSum::new();
        for ((packed, scale), (inputs, other)) in quants.iter().zip(scales).zip(inputs) {
            sum.push(products(packed, inputs), scale * other);
        }
        sum.total()
    }

    pub fn values(&self, row: usize) -> Vec<f32> {
        let (scales, quants) = self.row(row);
        let block = |(scale, packed): (&f32, &Packed)| unpack(packed).map(|value| f32::from(value) * scale);
        scales.iter().zip(quants).flat_map(block).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_nibbles_unpack_to_themselves_less_8() {
        let nibbles = std::array::from_fn(|at| (at * 7 % 16) as u8);
        assert_eq!(unpack(&pack(&nibbles)), nibbles.map(|nibble| nibble.cast_signed() - 8));
    }
}
