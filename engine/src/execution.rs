//! Does the runtime execute compiled code, or interpret it?
//!
//! A module cannot ask its runtime, but it can time itself: a chain of dependent integer
//! operations takes about 2 ns a round when compiled and some hundred in `WasmEdge`'s interpreter. The limit lies between, on a logarithmic scale.

use std::hint::black_box;
use std::time::Instant;

const ROUNDS: u32 = 5_000;
const REPEATS: u32 = 5;
const INTERPRETED_FROM_NS: f64 = 25.0;

#[derive(Debug, Clone, Copy)]
pub struct Execution {
    /// Nanoseconds per round of the loop, the best of several tries.
    pub loop_ns: f64,
}

impl Execution {
    pub fn measure() -> Self {
        let best = (0..REPEATS)
            .map(|repeat| {
                let start = Instant::now();
                black_box(chain(black_box(repeat)));
                start.elapsed().as_secs_f64()
            })
            .fold(f64::INFINITY, f64::min);
        Self { loop_ns: best * 1e9 / f64::from(ROUNDS) }
    }

    pub fn mode(&self) -> &'static str {
        if self.loop_ns < INTERPRETED_FROM_NS { "compiled" } else { "interpreted" }
    }
}

#[inline(never)]
fn chain(seed: u32) -> u32 {
    let mut state = seed | 1;
    for _ in 0..ROUNDS {
        state ^= state << 13;
        state ^= state >> 17;
        state = state.wrapping_mul(0x9E37_79B1);
    }
    state
}
