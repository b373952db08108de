//! One generation: prompt in, pieces of text out, until something ends it.

use super::request::Wish;
use crate::llama::{Sampler, Session, Stopped};
use crate::metrics::Generation;
use crate::service::Flow;
use crate::tokenizer::{TextStream, Tokenizer};
use std::time::Instant;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// The model ended, or a stop sequence came.
    Stop,
    /// So many tokens were wanted, or the context is full.
    Length,
}

impl Finish {
    pub fn name(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
        }
    }
}

pub struct Outcome {
    pub finish: Finish,
    pub generation: Generation,
}

/// Whoever waits for the text.
pub trait Listener {
    fn tick(&mut self) -> Flow;
    /// A piece of text, as soon as it is certain.
    fn text(&mut self, text: &str);
}

/// Generates after `prompt`, which is not empty and fits the context.
pub fn generate(
    session: &mut Session,
    tokenizer: &Tokenizer,
    prompt: &[u32],
    wish: &Wish,
    listener: &mut dyn Listener,
) -> Result<Outcome, Stopped> {
    let most = wish.max_tokens.unwrap_or(usize::MAX).min(session.context - prompt.len()) as u64;
    let started = Instant::now();
    let mut sampler = Sampler::new(wish.sampling);
    let mut text = TextStream::new(wish.stops.clone());
    let mut logits = session.read_prompt(prompt, &mut || listener.tick())?;
    let mut first = None;
    let mut tokens = 0;
    let finish = loop {
        if tokens == most {
            break Finish::Length;
        }
        let token = sampler.choose(&logits);
        first.get_or_insert_with(Instant::now);
        if tokenizer.is_end(token) {
            break Finish::Stop;
        }
        tokens += 1;
        let step = text.push(tokenizer.piece(token));
        if !step.text.is_empty() {
            listener.text(&step.text);
        }
        if step.stopped {
            break Finish::Stop;
        }
        if tokens < most {
            logits = session.read_token(token, &mut || listener.tick())?;
        }
    };
    let rest = text.finish();
    if !rest.is_empty() {
        listener.text(&rest);
    }
    let later = u32::try_from(tokens.saturating_sub(1)).unwrap_or(u32::MAX);
    Ok(Outcome {
        finish,
        generation: Generation {
            prompt_tokens: prompt.len() as u64,
            completion_tokens: tokens,
            time_to_first_token: first.map(|at| at - started),
            time_per_token: first.filter(|_| later > 0).map(|at| at.elapsed() / later),
        },
    })
}
