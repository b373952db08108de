//! The forward pass, with its key-value cache.

use super::config::Config;
use super::weights::{Layer, Linear, Weights};
use crate::service::Flow;
use wasmai_kernels::{Activation, Matrix, add_scaled, dot, rms_norm, softmax};

/// Prompt tokens computed together: each piece of a matrix is then used for all of them while it
/// is in the processor's cache.
const BATCH: usize = 16;

/// Work was given up because nobody waits for it.
#[derive(Debug, PartialEq, Eq)]
pub struct Stopped;

/// Keys and values of one layer, position after position.
#[derive(Debug, Default)]
struct Cache {
    keys: Vec<f32>,
    values: Vec<f32>,
}

/// A model with the state of one conversation.
pub struct Session {
    pub config: Config,
    weights: Weights,
    caches: Vec<Cache>,
    /// The tokens whose keys and values are cached.
    tokens: Vec<u32>,
    /// Most positions that fit.
    pub context: usize,
}

impl Session {
    pub fn new(config: Config, weights: Weights, context: usize) -> Self {
        let caches = (0..config.layers).map(|_| Cache::default()).collect();
        Self { config, weights, caches, tokens: Vec::new(), context }
    }

    /// Reads a whole prompt and gives the logits after its last token. What the prompt shares with
    /// the tokens read before is not computed again. `prompt` is not empty and fits the context.
    pub fn read_prompt(
        &mut self,
        prompt: &[u32],
        tick: &mut dyn FnMut() -> Flow,
    ) -> Result<Vec<f32>, Stopped> {
        let shared = self.tokens.iter().zip(prompt).take_while(|(a, b)| a == b).count();
        self.forget_after(shared.min(prompt.len() - 1));
        let last = self.advance(&prompt[self.tokens.len()..], tick)?;
        self.logits(&last, tick)
    }

    /// Reads one more token; the logits after it.
    pub fn read_token(&mut self, token: u32, tick: &mut dyn FnMut() -> Flow) -> Result<Vec<f32>, Stopped> {
        let last = self.advance(&[token], tick)?;
        self.logits(&last, tick)
    }

    /// The mean of the last layer's normalised states over all tokens, with length 1.
    pub fn embed(&mut self, tokens: &[u32], tick: &mut dyn FnMut() -> Flow) -> Result<Vec<f32>, Stopped> {
        self.forget_after(0);
        let mut sum = vec![0.0; self.config.width];
        for batch in tokens.chunks(BATCH) {
            for state in self.batch(batch, tick)? {
                add_scaled(&mut sum, &self.normalised(&state), 1.0);
            }
        }
        let length = dot(&sum, &sum).sqrt();
        Ok(sum.iter().map(|value| if length > 0.0 { value / length } else { 0.0 }).collect())
    }

    fn forget_after(&mut self, tokens: usize) {
        self.tokens.truncate(tokens);
        for cache in &mut self.caches {
            cache.keys.truncate(tokens * self.config.kv_width());
            cache.values.truncate(tokens * self.config.kv_width());
        }
    }

    fn normalised(&self, state: &[f32]) -> Vec<f32> {
        rms_norm(state, &self.weights.output_norm, self.config.norm_epsilon)
    }

    fn logits(&self, state: &[f32], tick: &mut dyn FnMut() -> Flow) -> Result<Vec<f32>, Stopped> {
        let output = self.weights.output.as_ref().unwrap_or(&self.weights.embedding);
        let mut input = [Activation::new(self.normalised(state))];
        Ok(multiply(output, &mut input, tick)?.remove(0))
    }

    /// Reads tokens, a batch at a time; the state after the last of them.
    fn advance(&mut self, tokens: &[u32], tick: &mut dyn FnMut() -> Flow) -> Result<Vec<f32>, Stopped> {
        let mut last = Vec::new();
        for batch in tokens.chunks(BATCH) {
            last = self.batch(batch, tick)?.pop().unwrap_or_default();
        }
        Ok(last)
    }

    /// Reads up to `BATCH` tokens; the state after each of them. If stopped, the cache is as before.
    fn batch(&mut self, tokens: &[u32], tick: &mut dyn FnMut() -> Flow) -> Result<Vec<Vec<f32>>, Stopped> {
        let begin = self.tokens.len();
        let mut states: Vec<Vec<f32>> =
            tokens.iter().map(|token| self.weights.embedding.row(*token as usize)).collect();
        for number in 0..self.config.layers {
            let done = self.layer(number, begin, &mut states, tick);
            if done.is_err() {
                self.forget_after(begin);
                return Err(Stopped);
            }
        }
        self.tokens.extend_from_slice(tokens);
        Ok(states)
    }

    fn layer(
        &mut self,
        number: usize,
        begin: usize,
        states: &mut [Vec<f32>],
        tick: &mut dyn FnMut() -> Flow,
    ) -> Result<(), Stopped> {
        let layer = &self.weights.layers[number];
        let epsilon = self.config.norm_epsilon;
        let mut inputs = normalise(states, &layer.attention_norm, epsilon);
        let mut queries = apply(&layer.query, &mut inputs, tick)?;
        let mut keys = apply(&layer.key, &mut inputs, tick)?;
        let values = apply(&layer.value, &mut inputs, tick)?;
        let cache = &mut self.caches[number];
        for (at, (query, key)) in queries.iter_mut().zip(&mut keys).enumerate() {
            let turn = self.weights.rope.at(begin + at);
            self.weights.rope.apply(&turn, query);
            self.weights.rope.apply(&turn, key);
            cache.keys.extend_from_slice(key);
            cache.values.extend_from_slice(&values[at]);
        }
        let mut attended: Vec<Activation> = queries
            .iter()
            .enumerate()
            .map(|(at, query)| Activation::new(attend(&self.config, cache, query, begin + at + 1)))
            .collect();
        let outputs = multiply(&layer.attention_output, &mut attended, tick)?;
        add_all(states, &outputs);
        let outputs = feed_forward(layer, &mut normalise(states, &layer.feed_forward_norm, epsilon), tick)?;
        add_all(states, &outputs);
        Ok(())
    }
}

/// Attention of one position over the first `positions` cached ones.
fn attend(config: &Config, cache: &Cache, query: &[f32], positions: usize) -> Vec<f32> {
    let (head_width, kv_width) = (config.head_width, config.kv_width());
    let queries_per_key = config.heads / config.kv_heads;
    let scale = 1.0 / (head_width as f32).sqrt();
    let mut output = vec![0.0; query.len()];
    let mut scores = vec![0.0; positions];
    for (head, (query, output)) in
        query.chunks_exact(head_width).zip(output.chunks_exact_mut(head_width)).enumerate()
    {
        let from = head / queries_per_key * head_width;
        for (score, keys) in scores.iter_mut().zip(cache.keys.chunks_exact(kv_width)) {
            *score = dot(query, &keys[from..from + head_width]) * scale;
        }
        softmax(&mut scores);
        for (score, values) in scores.iter().zip(cache.values.chunks_exact(kv_width)) {
            add_scaled(output, &values[from..from + head_width], *score);
        }
    }
    output
}

fn feed_forward(
    layer: &Layer,
    inputs: &mut [Activation],
    tick: &mut dyn FnMut() -> Flow,
) -> Result<Vec<Vec<f32>>, Stopped> {
    let gates = multiply(&layer.gate, inputs, tick)?;
    let ups = multiply(&layer.up, inputs, tick)?;
    // SwiGLU: the gate's sigmoid-weighted value times the other.
    let swiglu = |(gate, up): (&f32, &f32)| gate / (1.0 + (-gate).exp()) * up;
    let rows = gates.iter().zip(&ups).map(|(gate, up)| gate.iter().zip(up).map(swiglu).collect());
    let mut hidden: Vec<Activation> = rows.map(Activation::new).collect();
    multiply(&layer.down, &mut hidden, tick)
}

fn normalise(states: &[Vec<f32>], weights: &[f32], epsilon: f32) -> Vec<Activation> {
    states.iter().map(|state| Activation::new(rms_norm(state, weights, epsilon))).collect()
}

fn apply(
    linear: &Linear,
    inputs: &mut [Activation],
    tick: &mut dyn FnMut() -> Flow,
) -> Result<Vec<Vec<f32>>, Stopped> {
    let mut outputs = multiply(&linear.matrix, inputs, tick)?;
    if let Some(bias) = &linear.bias {
        for output in &mut outputs {
            add_scaled(output, bias, 1.0);
        }
    }
    Ok(outputs)
}

/// The one place where time is spent, so the one place where others are served meanwhile.
fn multiply(
    matrix: &Matrix,
    inputs: &mut [Activation],
    tick: &mut dyn FnMut() -> Flow,
) -> Result<Vec<Vec<f32>>, Stopped> {
    let outputs = matrix.times(inputs);
    if tick().is_break() { Err(Stopped) } else { Ok(outputs) }
}

fn add_all(states: &mut [Vec<f32>], outputs: &[Vec<f32>]) {
    for (state, output) in states.iter_mut().zip(outputs) {
        add_scaled(state, output, 1.0);
    }
}
