//! Matrix times vector for each tensor type: the place where nearly all of a token's time goes.
//!
//! A matrix is unpacked once, when it is read, into the form its kernel likes; quantised values
//! stay quantised. Inputs are quantised to 8 bits as llama.cpp does, so that results agree.

mod activation;
mod float;
mod half;
mod matrix;
mod q4_0;
mod q4_k;
mod q6_k;
mod q8_0;
mod simd;
mod vector;

pub use activation::Activation;
pub use matrix::Matrix;
pub use vector::{add_scaled, dot, rms_norm, softmax};
