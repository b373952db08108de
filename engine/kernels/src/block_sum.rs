//! The sum of blocks, each four sums of products times a scale.

use super::simd::{F4, I4};

/// Takes the products of one block after another, and adds those of a block when the next comes.
///
/// That is for `WasmEdge`'s compiler. It makes the processor's one instruction of `S8::dot` where the
/// result stands alone. A sum of several is taken apart into its terms first, and all but one `dot`
/// become multiplications of 32 bits, at half the speed. What a loop hands on from one step to the
/// next stays whole, and costs nothing. (The loop must stay a loop, so not over an array's length.)
pub struct BlockSum {
    sum: F4,
    products: [I4; 4],
    scale: f32,
}

impl BlockSum {
    #[inline(always)]
    pub fn new() -> Self {
        Self { sum: F4::splat(0.0), products: [I4::splat(0); 4], scale: 0.0 }
    }

    #[inline(always)]
    pub fn push(&mut self, products: [I4; 4], scale: f32) {
        *self = Self { sum: self.with_last_block(), products, scale };
    }

    #[inline(always)]
    pub fn total(&self) -> f32 {
        self.with_last_block().sum()
    }

    #[inline(always)]
    fn with_last_block(&self) -> F4 {
        let [a, b, c, d] = self.products;
        let block = a.add(b).add(c.add(d)).to_f4();
        self.sum.add(block.mul(F4::splat(self.scale)))
    }
}
