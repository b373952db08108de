//! Llama-family models: configuration, weights, the forward pass, sampling.

mod config;
mod forward;
mod loader;
mod rope;
mod sampler;
mod weights;

pub use config::Config;
pub use forward::{Session, Stopped};
pub use loader::{Loaded, inspect, load, load_from};
pub use sampler::{Sampler, Sampling};
