//! Text to tokens and back, by the vocabulary in the model file.

mod bpe;
mod pretokenize;
mod spm;
mod stream;

pub use stream::TextStream;

use crate::error::StartError;
use crate::gguf::Metadata;
use bpe::Bpe;
use spm::Spm;
use std::collections::HashMap;

/// Kinds of tokens by their numbers in the file.
const CONTROL: i64 = 3;
const USER_DEFINED: i64 = 4;
const BYTE: i64 = 6;

pub struct Tokenizer {
    method: Method,
    /// What each token stands for, as bytes; control tokens stand for nothing.
    pieces: Vec<Vec<u8>>,
    /// Control and user-defined tokens by their text, the longest first.
    special: Vec<(String, u32)>,
    control: Vec<bool>,
    begin: Option<u32>,
    adds_begin: bool,
    ends: Vec<u32>,
}

enum Method {
    Bpe(Bpe),
    Spm(Spm),
}

/// A piece of a prompt: markup of the template, or text from outside, in which the names of
/// control tokens are nothing but text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    Markup(String),
    Text(String),
}

impl Tokenizer {
    pub fn from_metadata(metadata: &Metadata) -> Result<Self, StartError> {
        let tokens = metadata.texts("tokenizer.ggml.tokens").unwrap_or_default();
        let kinds = metadata.integers("tokenizer.ggml.token_type").unwrap_or_default();
        let kind = |token: usize| kinds.get(token).copied().unwrap_or(1);
        let method = match metadata.text("tokenizer.ggml.model") {
            Some("gpt2") => Method::Bpe(Bpe::from_metadata(metadata, tokens)?),
            Some("llama") => Method::Spm(Spm::from_metadata(metadata, tokens)),
            other => {
                return Err(StartError::new(
                    format!("the tokenizer {} is not supported", other.unwrap_or("(none)").escape_debug()),
                    "Supported: BPE (gpt2) and SentencePiece (llama) vocabularies",
                ));
            }
        };
        let pieces = tokens
            .iter()
            .enumerate()
            .map(|(token, text)| match (kind(token), &method) {
                (CONTROL, _) => Vec::new(),
                (USER_DEFINED, _) => text.clone().into_bytes(),
                (BYTE, _) => spm::byte_of(text).map(|byte| vec![byte]).unwrap_or_default(),
                (_, Method::Bpe(_)) => bpe::bytes_of(text),
                (_, Method::Spm(_)) => spm::bytes_of(text),
            })
            .collect();
        let special = special_tokens(tokens, kind);
        let control = (0..tokens.len()).map(|token| kind(token) == CONTROL).collect();
        let adds_begin =
            metadata.flag("tokenizer.ggml.add_bos_token").unwrap_or(matches!(method, Method::Spm(_)));
        let known = |key: &str| token_id(metadata, key, tokens.len());
        let begin = known("tokenizer.ggml.bos_token_id");
        let mut ends: Vec<u32> = ["eos_token_id", "eot_token_id", "eom_token_id"]
            .iter()
            .filter_map(|key| known(&format!("tokenizer.ggml.{key}")))
            .collect();
        // Older files name only one end; these end a turn wherever they exist.
        let turns = ["<|im_end|>", "<|eot_id|>", "<|end_of_text|>", "<|endoftext|>"];
        ends.extend(
            special.iter().filter(|(text, _)| turns.contains(&text.as_str())).map(|(_, token)| *token),
        );
        Ok(Self { method, pieces, special, control, begin, adds_begin, ends })
    }

    pub fn vocabulary(&self) -> usize {
        self.pieces.len()
    }

    /// Does this token end what the model has to say?
    pub fn is_end(&self, token: u32) -> bool {
        self.ends.contains(&token)
    }

    pub fn piece(&self, token: u32) -> &[u8] {
        self.pieces.get(token as usize).map_or(&[], Vec::as_slice)
    }

    /// Tokens of a prompt, with the token of the begin where the model wants it.
    pub fn encode(&self, segments: &[Segment]) -> Vec<u32> {
        let mut tokens = Vec::new();
        if self.adds_begin {
            tokens.extend(self.begin);
        }
        // A space is put before the very first text, and after a special token.
        let mut starts = true;
        for segment in segments {
            let (text, markup) = match segment {
                Segment::Markup(text) => (text, true),
                Segment::Text(text) => (text, false),
            };
            self.encode_text(text, markup, &mut starts, &mut tokens);
        }
        if tokens.len() > 1 && self.adds_begin && tokens[0] == tokens[1] {
            // The template wrote the begin itself.
            tokens.remove(0);
        }
        tokens
    }

    fn encode_text(&self, text: &str, markup: bool, starts: &mut bool, tokens: &mut Vec<u32>) {
        let mut rest = text;
        while !rest.is_empty() {
            let next = self.next_special(rest, markup);
            let plain = &rest[..next.map_or(rest.len(), |(at, _, _)| at)];
            if !plain.is_empty() {
                match &self.method {
                    Method::Bpe(bpe) => bpe.encode(plain, tokens),
                    Method::Spm(spm) => spm.encode(plain, *starts, tokens),
                }
                *starts = false;
            }
            let Some((at, length, token)) = next else { break };
            tokens.push(token);
            *starts = true;
            rest = &rest[at + length..];
        }
    }

    /// The first special token in the text: where, how long, which.
    fn next_special(&self, text: &str, markup: bool) -> Option<(usize, usize, u32)> {
        let mut first: Option<(usize, usize, u32)> = None;
        for (name, token) in &self.special {
            if self.control[*token as usize] && !markup {
                continue;
            }
            // Longest names come first, so an equal place does not replace.
            if let Some(at) = text.find(name.as_str())
                && first.is_none_or(|(earlier, _, _)| at < earlier)
            {
                first = Some((at, name.len(), *token));
            }
        }
        first
    }
}

fn special_tokens(tokens: &[String], kind: impl Fn(usize) -> i64) -> Vec<(String, u32)> {
    let mut special: Vec<(String, u32)> = tokens
        .iter()
        .zip(0_u32..)
        .filter(|(text, token)| !text.is_empty() && matches!(kind(*token as usize), CONTROL | USER_DEFINED))
        .map(|(text, token)| (text.clone(), token))
        .collect();
    special.sort_by(|left, right| right.0.len().cmp(&left.0.len()).then(left.1.cmp(&right.1)));
    special
}

/// Tokens by their text; the first of equal ones.
fn index_of(tokens: &[String]) -> HashMap<String, u32> {
    let mut index = HashMap::with_capacity(tokens.len());
    for (text, token) in tokens.iter().zip(0_u32..) {
        index.entry(text.clone()).or_insert(token);
    }
    index
}

fn token_id(metadata: &Metadata, key: &str, vocabulary: usize) -> Option<u32> {
    let id = metadata.count(key, 0, vocabulary.checked_sub(1)?).ok().flatten()?;
    u32::try_from(id).ok()
}
