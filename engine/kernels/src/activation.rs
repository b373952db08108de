//! A vector on its way into matrices, quantised once for all that want it so.

use super::half;

/// Largest magnitude of an 8-bit value.
const LARGEST: f32 = 127.0;

/// Blocks of 32 values with a scale each, for `Q8_0` and `Q4_0` weights.
#[derive(Debug, Default)]
pub struct Blocks {
    /// Arranged, those with an odd place times 256: so all products are 256 times too large.
    pub quants: Vec<i16>,
    /// Divided by 256.
    pub scales: Vec<f32>,
}

/// Superblocks of 256 values with one scale, for the K types.
#[derive(Debug, Default)]
pub struct Superblocks {
    /// Arranged.
    pub quants: Vec<i16>,
    pub scales: Vec<f32>,
    /// Sums of 32 values, eight for each superblock.
    pub sums: Vec<[i16; 8]>,
}

#[derive(Debug)]
pub struct Activation {
    values: Vec<f32>,
    blocks: Option<Blocks>,
    superblocks: Option<Superblocks>,
}

impl Activation {
    pub fn new(values: Vec<f32>) -> Self {
        Self { values, blocks: None, superblocks: None }
    }

    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Quantises, if that has not been done.
    pub fn blocks(&mut self) -> &Blocks {
        self.blocks.get_or_insert_with(|| quantise_blocks(&self.values))
    }

    pub fn superblocks(&mut self) -> &Superblocks {
        self.superblocks.get_or_insert_with(|| quantise_superblocks(&self.values))
    }
}

fn quantise_blocks(values: &[f32]) -> Blocks {
    let mut blocks = Blocks::default();
    for block in values.as_chunks::<32>().0 {
        let largest = block.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
        let inverse = if largest > 0.0 { LARGEST / largest } else { 0.0 };
        let quants = block.map(|value| nearest(value * inverse));
        blocks.quants.extend(arrange(&quants, 256));
        // llama.cpp keeps this scale in half precision.
        blocks.scales.push(half::rounded(largest / LARGEST) / 256.0);
    }
    blocks
}

fn quantise_superblocks(values: &[f32]) -> Superblocks {
    let mut superblocks = Superblocks::default();
    for superblock in values.as_chunks::<256>().0 {
        let extreme = superblock
            .iter()
            .fold(0.0_f32, |most, value| if value.abs() > most.abs() { *value } else { most });
        // The sign is llama.cpp's: the extreme value becomes -127.
        let inverse = if extreme == 0.0 { 0.0 } else { -LARGEST / extreme };
        let mut sums = [0; 8];
        for (block, sum) in superblock.as_chunks::<32>().0.iter().zip(&mut sums) {
            let quants = block.map(|value| nearest(value * inverse));
            *sum = quants.iter().sum();
            superblocks.quants.extend(arrange(&quants, 1));
        }
        superblocks.sums.push(sums);
        superblocks.scales.push(if inverse == 0.0 { 0.0 } else { 1.0 / inverse });
    }
    superblocks
}

#[allow(clippy::cast_possible_truncation, reason = "at most 127 in magnitude; NaN becomes 0")]
fn nearest(value: f32) -> i16 {
    value.round_ties_even() as i16
}

/// Each 16 values as weights of one byte meet them in their lanes: eight with an even place, then
/// eight with an odd one, times `odd_factor`. Kernels have the even weights 256 times too large.
fn arrange(quants: &[i16; 32], odd_factor: i16) -> [i16; 32] {
    std::array::from_fn(|at| {
        let (sixteen, odd, lane) = (at / 16, at % 16 / 8, at % 8);
        quants[sixteen * 16 + lane * 2 + odd] * if odd == 1 { odd_factor } else { 1 }
    })
}
