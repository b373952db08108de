//! From logits to the next token.

use wasmai_kernels::place_of_largest;

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// 0: always the most likely token.
    pub temperature: f32,
    /// Only the most likely tokens that together reach this probability.
    pub top_p: f32,
    pub seed: u64,
}

pub struct Sampler {
    sampling: Sampling,
    state: u64,
}

impl Sampler {
    pub fn new(sampling: Sampling) -> Self {
        Self { sampling, state: sampling.seed }
    }

    /// The next token; the first of the largest logits when the temperature is 0.
    pub fn choose(&mut self, logits: &[f32]) -> u32 {
        let largest = place_of_largest(logits);
        if self.sampling.temperature <= 0.0 {
            return index(largest);
        }
        let weight = |logit: &f32| f64::from((logit - logits[largest]) / self.sampling.temperature).exp();
        let mut candidates: Vec<(usize, f64)> = logits.iter().map(weight).enumerate().collect();
        candidates.retain(|(_, weight)| weight.is_finite());
        let mut total: f64 = candidates.iter().map(|(_, weight)| weight).sum();
        if self.sampling.top_p < 1.0 {
            // Together these are less than what may be cut, so only the others need an order.
            let least = total * f64::from(1.0 - self.sampling.top_p) / candidates.len() as f64;
            candidates.retain(|(_, weight)| *weight >= least);
            candidates.sort_by(|left, right| right.1.total_cmp(&left.1).then(left.0.cmp(&right.0)));
            total = keep_top(&mut candidates, total * f64::from(self.sampling.top_p));
        }
        let mut left = self.uniform() * total;
        for (token, weight) in &candidates {
            left -= weight;
            if left < 0.0 {
                return index(*token);
            }
        }
        index(candidates.last().map_or(largest, |(token, _)| *token))
    }

    /// `SplitMix64`, as a number from 0 to 1.
    fn uniform(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ mixed >> 31) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Cuts after the token that reaches `wanted`; the weight kept.
fn keep_top(candidates: &mut Vec<(usize, f64)>, wanted: f64) -> f64 {
    let mut kept = 0.0;
    let mut count = 0;
    for (_, weight) in candidates.iter() {
        kept += weight;
        count += 1;
        if kept >= wanted {
            break;
        }
    }
    candidates.truncate(count);
    kept
}

/// Vocabularies have far fewer than 2^32 tokens.
#[allow(clippy::cast_possible_truncation, reason = "checked against the vocabulary at start")]
fn index(token: usize) -> u32 {
    token as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampler(temperature: f32, top_p: f32, seed: u64) -> Sampler {
        Sampler::new(Sampling { temperature, top_p, seed })
    }

    #[test]
    fn temperature_zero_takes_the_largest() {
        assert_eq!(sampler(0.0, 1.0, 1).choose(&[f32::NAN, 1.0, 3.0, 3.0]), 2);
    }

    #[test]
    fn the_same_seed_gives_the_same_tokens_and_frequencies_follow_the_weights() {
        let logits = [0.0, 2.0_f32.ln(), f32::NEG_INFINITY];
        let draw = |seed| {
            let mut sampler = sampler(1.0, 1.0, seed);
            (0..3000).map(|_| sampler.choose(&logits)).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        let ones = draw(7).iter().filter(|token| **token == 1).count();
        assert!((1900..2100).contains(&ones), "{ones}");
        assert!(draw(7).iter().all(|token| *token < 2));
    }

    #[test]
    fn top_p_cuts_the_tail() {
        let mut sampler = sampler(1.0, 0.5, 3);
        assert!((0..200).all(|_| sampler.choose(&[0.0, 5.0, 1.0]) == 1));
    }
}
