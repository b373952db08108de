//! Vectors of 128 bits: WebAssembly's instructions, or the same in plain Rust for native tests.

#[cfg(not(target_feature = "simd128"))]
mod portable;
#[cfg(target_feature = "simd128")]
mod wasm;

#[cfg(target_feature = "simd128")]
pub use wasm::{F4, I4, S8};

#[cfg(not(target_feature = "simd128"))]
pub use portable::{F4, I4, S8};

impl F4 {
    /// Four values from `first` on.
    #[inline(always)]
    pub fn at(values: &[f32], first: usize) -> Self {
        Self::load(values[first..first + 4].try_into().expect("cut to this length"))
    }
}
