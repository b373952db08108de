//! `Q8_0`: blocks of 32 signed bytes with a half-precision scale.

use super::activation::Blocks;
use super::block_sum::BlockSum;
use super::half;
use super::simd::{I4, S8};

/// Sixteen signed bytes, two a lane: lane `l` holds value `l`, and `8 + l` above it.
pub type Packed = [u8; 16];

pub fn pack(bytes: &[u8; 16]) -> Packed {
    std::array::from_fn(|at| bytes[at % 2 * 8 + at / 2])
}

pub fn unpack(packed: &Packed) -> [i8; 16] {
    std::array::from_fn(|at| packed[at % 8 * 2 + at / 8].cast_signed())
}

/// Sums of products of 16 bytes, without widening them: the lower of a lane is moved up, so the first
/// sums are 256 times too large; the upper is moved down.
#[inline(always)]
pub fn products(packed: &Packed, inputs: &[i16; 16]) -> [I4; 2] {
    let (lanes, inputs) = (S8::load_bytes(packed), inputs.as_chunks::<8>().0);
    [lanes.shift_left(8).dot(S8::load(&inputs[0])), lanes.shift_right(8).dot(S8::load(&inputs[1]))]
}

#[derive(Debug)]
pub struct Rows {
    scales: Vec<f32>,
    quants: Vec<[Packed; 2]>,
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
            let sixteen = |half: usize| pack(&std::array::from_fn(|at| block[2 + half * 16 + at]));
            self.quants.push([sixteen(0), sixteen(1)]);
        }
    }

    fn row(&self, row: usize) -> (&[f32], &[[Packed; 2]]) {
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
            let ([first, second], inputs) = (&quants[at], inputs.as_chunks::<16>().0);
            let ([a, b], [c, d]) = (products(first, &inputs[0]), products(second, &inputs[1]));
            sum.push([a, b, c, d], scales[at] * scale);
        }
        sum.total()
    }

    pub fn values(&self, row: usize) -> Vec<f32> {
        let (scales, quants) = self.row(row);
        let values = |(scale, packed): (&f32, &[Packed; 2])| {
            packed.map(|sixteen| unpack(&sixteen).map(|value| f32::from(value) * scale))
        };
        scales.iter().zip(quants).flat_map(values).flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_bytes_unpack_to_themselves() {
        let bytes = std::array::from_fn(|at| (at * 31) as u8);
        assert_eq!(unpack(&pack(&bytes)), bytes.map(u8::cast_signed));
    }
}
