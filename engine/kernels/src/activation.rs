//! A vector on its way into matrices, quantised once for all that want it so.

use super::half;
use super::simd::F4;

/// Largest magnitude of an 8-bit value.
const LARGEST: f32 = 127.0;

/// Blocks of 32 values with a scale each, for `Q8_0` and `Q4_0` weights.
#[derive(Debug, Default)]
pub struct Blocks {
    /// Every second eight times 256, as kernels have the weights for the others: then all products
    /// are too large by that.
    pub quants: Vec<i16>,
    /// Divided by 256.
    pub scales: Vec<f32>,
}

/// Superblocks of 256 values with one scale, for the K types.
#[derive(Debug, Default)]
pub struct Superblocks {
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
        let largest = largest_magnitude(block);
        let quants = quantise(block, if largest > 0.0 { LARGEST / largest } else { 0.0 });
        blocks.quants.extend(std::array::from_fn::<_, 32, _>(|at| quants[at] * [1, 256][at / 8 % 2]));
        // llama.cpp keeps this scale in half precision.
        blocks.scales.push(half::rounded(largest / LARGEST) / 256.0);
    }
    blocks
}

fn quantise_superblocks(values: &[f32]) -> Superblocks {
    let mut superblocks = Superblocks::default();
    for superblock in values.as_chunks::<256>().0 {
        let largest = largest_magnitude(superblock);
        let extreme = superblock.iter().find(|value| value.abs() == largest).unwrap_or(&0.0);
        // The sign is llama.cpp's: the extreme value becomes -127.
        let inverse = if *extreme == 0.0 { 0.0 } else { -LARGEST / extreme };
        let mut sums = [0; 8];
        for (block, sum) in superblock.as_chunks::<32>().0.iter().zip(&mut sums) {
            let quants = quantise(block, inverse);
            *sum = quants.iter().sum();
            superblocks.quants.extend(quants);
        }
        superblocks.sums.push(sums);
        superblocks.scales.push(if inverse == 0.0 { 0.0 } else { 1.0 / inverse });
    }
    superblocks
}

fn largest_magnitude(values: &[f32]) -> f32 {
    let (fours, _) = values.as_chunks::<4>();
    fours.iter().fold(F4::splat(0.0), |most, four| most.max(F4::load(four).abs())).largest()
}

/// To the nearest, ties to even: what is added leaves a float's last bits for the whole number alone.
fn quantise(block: &[f32; 32], inverse: f32) -> [i16; 32] {
    const WHOLE: f32 = 12_582_912.0;
    block.map(|value| (value * inverse + WHOLE).to_bits() as i16)
}
