//! Where nearly all time goes: matrix times vector for each tensor type of GGUF, and convolution.
//!
//! A matrix is unpacked once, when it is read, into the form its kernel likes; quantised values
//! stay quantised. Inputs are quantised to 8 bits as llama.cpp does, so that results agree.
//!
//! A crate of its own because it alone is compiled for speed; the rest is compiled for size.

#![deny(unsafe_code)]
// Kernels must become part of the loop around them, or each step pays for a call.
#![allow(clippy::inline_always)]

mod activation;
mod block_sum;
mod convolution;
mod float;
mod half;
mod matrix;
mod q4_0;
mod q4_k;
mod q6_k;
mod q8_0;
mod simd;
mod types;
mod vector;

pub use activation::Activation;
pub use convolution::{Filters, Geometry, Nonlinearity, Pair, Plane, Window};
pub use matrix::Matrix;
pub use types::{TensorType, foreign_name};
pub use vector::{add_scaled, dot, place_of_largest, rms_norm, softmax};
