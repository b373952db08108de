//! Rotary positions.

use super::config::{Config, Pairing};

#[derive(Debug)]
pub struct Rope {
    /// Angle per position for each pair.
    frequencies: Vec<f32>,
    pairing: Pairing,
    head_width: usize,
}

/// Cosine and sine of each pair's angle at one position.
pub struct Turn(Vec<(f32, f32)>);

impl Rope {
    /// `factors` divide the frequencies, pair by pair (llama 3.1's tensor `rope_freqs.weight`).
    pub fn new(config: &Config, factors: Option<&[f32]>) -> Self {
        let pairs = config.rope_width / 2;
        let frequency = |pair: usize| {
            let exponent = -2.0 * pair as f32 / config.rope_width as f32;
            let factor = factors.map_or(1.0, |factors| factors[pair]);
            config.rope_base.powf(exponent) / factor / config.rope_divisor
        };
        Self {
            frequencies: (0..pairs).map(frequency).collect(),
            pairing: config.pairing,
            head_width: config.head_width,
        }
    }

    pub fn at(&self, position: usize) -> Turn {
        let angle = |frequency: &f32| {
            let (sine, cosine) = (position as f32 * frequency).sin_cos();
            (cosine, sine)
        };
        Turn(self.frequencies.iter().map(angle).collect())
    }

    /// Turns every head in `values`.
    pub fn apply(&self, turn: &Turn, values: &mut [f32]) {
        let pairs = turn.0.len();
        for head in values.chunks_exact_mut(self.head_width) {
            for (pair, (cosine, sine)) in turn.0.iter().enumerate() {
                let (first, second) = match self.pairing {
                    Pairing::Neighbours => (2 * pair, 2 * pair + 1),
                    Pairing::Halves => (pair, pair + pairs),
                };
                let (a, b) = (head[first], head[second]);
                head[first] = a * cosine - b * sine;
                head[second] = a * sine + b * cosine;
            }
        }
    }
}
