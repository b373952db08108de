//! `Q4_0`: blocks of 32 nibbles, each 8 too large, with a half-precision scale.

use super::activation::Blocks;
use super::half;
use super::simd::{F4, I4, S8};

/// Four nibbles a lane. Lane `l` holds values `l`, `8 + l`, `16 + l` and `24 + l`, from the lowest
/// bits up. Three are used where they stand, which makes them 1, 16 and 256 times too large; the
/// input is moved by 256, 16 and 1 to meet them, and the fourth by 256 (`Activation`), so that
/// every product has the scale 256 and no nibble needs a shift but the last.
pub type Packed = [i16; 8];

pub fn pack(nibbles: &[u8; 32]) -> Packed {
    std::array::from_fn(|lane| {
        let [a, b, c, d] = [0, 8, 16, 24].map(|from| u16::from(nibbles[from + lane] & 15));
        (a | b << 4 | c << 8 | d << 12).cast_signed()
    })
}

pub fn unpack(packed: &Packed) -> [u8; 32] {
    std::array::from_fn(|at| (packed[at % 8].cast_unsigned() >> (at / 8 * 4) & 15) as u8)
}

/// 256 times the products of 32 nibbles with the moved input.
#[inline(always)]
pub fn dot_packed(packed: &Packed, moved: &[i16; 32]) -> I4 {
    let (eights, _) = moved.as_chunks::<8>();
    let (lanes, input) = (S8::load(packed), |part: usize| S8::load(&eights[part]));
    let low = lanes.and(0x000f).dot(input(0)).add(lanes.and(0x00f0).dot(input(1)));
    let high = lanes.and(0x0f00).dot(input(2)).add(lanes.top_nibble().dot(input(3)));
    low.add(high)
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
        let (moved, _) = input.moved.as_chunks::<32>();
        let inputs = moved.iter().zip(&input.offsets).zip(&input.scales);
        let mut sum = F4::splat(0.0);
        for ((packed, scale), ((eights, offset), other)) in quants.iter().zip(scales).zip(inputs) {
            let block = dot_packed(packed, eights).add(I4::load(offset));
            sum = sum.add(block.to_f4().mul(F4::splat(scale * (other / 256.0))));
        }
        sum.sum()
    }

    pub fn values(&self, row: usize) -> Vec<f32> {
        let (scales, quants) = self.row(row);
        let block =
            |(scale, packed): (&f32, &Packed)| unpack(packed).map(|nibble| (f32::from(nibble) - 8.0) * scale);
        scales.iter().zip(quants).flat_map(block).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_nibbles_unpack_to_themselves() {
        let nibbles = std::array::from_fn(|at| (at * 7 % 16) as u8);
        assert_eq!(unpack(&pack(&nibbles)), nibbles);
    }
}
