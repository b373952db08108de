//! A vector on its way into matrices, quantised once for all that want it so.

use super::half;

/// Largest magnitude of an 8-bit value.
const LARGEST: f32 = 127.0;

/// Blocks of 32 values with a scale each, for `Q8_0` and `Q4_0` weights.
#[derive(Debug, Default)]
pub struct Blocks {
    pub quants: Vec<i16>,
    /// `quants`, moved to meet nibbles that stay where they are in their lane: see `nibbles`.
    pub moved: Vec<i16>,
    pub scales: Vec<f32>,
    /// What an offset of 8 in every weight adds up to, in the moved scale.
    pub offsets: Vec<[i32; 4]>,
}

/// Superblocks of 256 values with one scale, for the K types.
#[derive(Debug, Default)]
pub struct Superblocks {
    pub quants: Vec<i16>,
    pub moved: Vec<i16>,
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
        let sum: i32 = quants.iter().map(|quant| i32::from(*quant)).sum();
        blocks.quants.extend(quants);
        blocks.moved.extend(moved(&quants));
        blocks.offsets.push([-8 * 256 * sum, 0, 0, 0]);
        // llama.cpp keeps this scale in half precision.
        blocks.scales.push(half::rounded(largest / LARGEST));
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
            superblocks.quants.extend(quants);
            superblocks.moved.extend(moved(&quants));
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

/// Multipliers that bring all four nibbles of a lane to the scale 256: see `nibbles::pack`.
fn moved(quants: &[i16; 32]) -> [i16; 32] {
    const FACTORS: [i16; 4] = [256, 16, 1, 256];
    std::array::from_fn(|at| quants[at] * FACTORS[at / 8])
}
